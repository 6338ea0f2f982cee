"""What the text of a setting must look like; each raises ValueError with the end of a sentence about it."""

import re
from typing import Final

from pydantic import SecretStr

SECRET_BYTES: Final = 32  # HS256 keys are at least as long as the digest (RFC 7518, 3.2)


def own_words(text: str) -> str:
    """Text that is not left over from the guide."""
    if text.lower().startswith(("your_", "your-")):
        raise ValueError("still holds the placeholder of the set-up guide")
    return text


def own_secret(secret: SecretStr) -> SecretStr:
    """The same for a secret, without what it was copied with: an environment keeps quotes and line breaks."""
    text = own_words(secret.get_secret_value())
    if text != text.strip() or re.fullmatch(r"""(["']).*\1""", text, re.DOTALL):
        raise ValueError(
            "begins or ends with a space, a line break or quotation marks, which are no part of it"
        )
    return secret


def bearer(secret: SecretStr) -> SecretStr:
    """A secret that goes into a header."""
    text = own_secret(secret).get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be the token alone, without `Bearer`, in printable ASCII without spaces")
    return secret


def digits(text: str) -> str:
    """An ID of Meta's."""
    if not re.fullmatch(r"[0-9]{5,20}", own_words(text)):
        raise ValueError("must be digits only: the ID, not the phone number")
    return text


def version(text: str) -> str:
    """A version of the Graph API."""
    if not re.fullmatch(r"v\d+\.\d+", text):
        raise ValueError("must look like v25.0")
    return text


def base_url(text: str) -> str:
    """An address to put paths behind."""
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", text) or text.endswith("/"):
        raise ValueError("must start with https:// or http:// and not end with a slash")
    return text


def long_enough(secret: SecretStr) -> SecretStr:
    """A key."""
    if len(secret.get_secret_value().encode()) < SECRET_BYTES:
        raise ValueError(f"must have at least {SECRET_BYTES} bytes; leave it out and one is generated")
    return secret


def postgres_url(secret: SecretStr) -> SecretStr:
    """Where PostgreSQL is."""
    if not re.match(r"postgres(ql)?://[^\s]", secret.get_secret_value()):
        raise ValueError("must start with postgresql://; leave it out for the embedded PostgreSQL")
    return secret


def issuer(text: str) -> str:
    """A name for headers, notes and URLs."""
    if not re.fullmatch(r"[!-*,-~]{1,200}", text):
        raise ValueError(
            "must be printable ASCII without spaces or +, such as the domain of this installation"
        )
    return text


def ids(text: str | None) -> str | None:
    """IDs with commas between them, without spaces."""
    return (
        None if text is None else ",".join(digits(each.strip()) for each in text.split(",") if each.strip())
    )


def upper(value: object) -> object:
    """A level in whatever case."""
    return value.upper() if isinstance(value, str) else value
