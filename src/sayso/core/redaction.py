"""What may appear in a log line: no secret, no message text, no full phone number, no control character.

Used for every log record and for the exchange log with Meta. Ids stay readable: UUIDs, long hexadecimal
strings, and the numbers given to ``show_values``.
"""

import datetime as dt
import decimal
import enum
import functools
import re
import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

HIDDEN: Final = "<redacted>"
TEXT_CHARS: Final = 4_000  # longer strings are cut in the log, and say so
SHORT_CHARS: Final = 48
TRACE_CHARS: Final = 40_000
DEPTH: Final = 16
_SHORTEST_SECRET: Final = 4  # anything shorter would blot out ordinary words
_SMALLEST_PHONE: Final = 10_000_000

_SECRET_KEY: Final = re.compile(
    r"(proxy_)?authorization|(set_)?cookie|secret|password|api_key|jwt|private_key|dsn|database_url"
    r"|x_hub_signature(_256)?|appsecret_proof|.*token|.*_(secret|password|key_pem)"
)
_TEXT_KEY: Final = re.compile(
    r"text|body|content|caption|title|description|header|footer|emoji|reply|wording|comment|question|prompt"
    r"|summary|action_(description|details)|filename|((first|last|middle|formatted|profile|user_?)_?)?name"
    r"|address|street|city|zip|email|vcard|latitude|longitude"
)
# Ten digits under these names are a time, a size or a place in a list, never a person.
_NUMBER_KEY: Final = re.compile(
    r"timestamp|expir(ation|y)(_timestamp)?|iat|exp|nbf|pid|port|epoch|seq|cursor"
    r"|.*_(ns|us|ms|bytes|size|seconds|count)"
)

_SCALARS: Final = (dt.date, dt.time, dt.timedelta, uuid.UUID, decimal.Decimal, PurePath)

# Everything that could start a new line, move the cursor or reverse the reading direction.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# Where exceptions of pydantic, PostgreSQL and SQLAlchemy quote the values they were given.
_QUOTED_INPUT: Final = re.compile(
    r"(?P<pydantic>(?<=input_value=).*?(?=, input_type=))"
    r"|(?P<postgres>(?<=DETAIL:).*?(?=\nHINT:|\nTraceback|\nThe above|\nDuring|\n\n|\Z))"
    r"|(?P<sqlalchemy>(?<=\[parameters: ).*?(?=\]\n|\]\Z))",
    re.DOTALL,
)

_KINDS: Final = (
    ("bearer", r"(?i:\bbearer)\s+[\w.~+/=-]+"),
    ("jwt", r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    ("graph", r"\bEAA[A-Za-z0-9]{16,}"),
    ("query", r"[\w.]*(?i:token|secret|password|signature|proof)=[^&\s\"'<>]+"),
    ("userinfo", r"(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"),
    ("wamid", r"wamid\.[\w+/=-]+"),
    ("uuid", r"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"),
    ("hex", r"\b(?=[0-9]*[a-f])[0-9a-f]{16,}\b"),
    ("phone", r"(?<!\d)(?:\+\d(?:[ ().-]{0,2}\d){7,14}|\d{8,15})(?!\d)"),
)

_secrets: set[str] = set()
_shown: set[str] = set()
_patterns: list[re.Pattern[str]] = []


def redact_values(*secrets: str | None) -> None:
    """Hide these values, and their URL-quoted forms, wherever they appear from now on."""
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST_SECRET:
            _secrets.update((secret, quote(secret, safe="")))
    _patterns.clear()
    _redact_short.cache_clear()


def show_values(*ids: str) -> None:
    """Let these numbers through although they look like phones: our own sender and account IDs."""
    _shown.update(ids)
    _redact_short.cache_clear()


def _pattern() -> re.Pattern[str]:
    if not _patterns:
        longest_first = sorted(_secrets, key=len, reverse=True)
        known = [("secret", "|".join(map(re.escape, longest_first)))] if longest_first else []
        _patterns.append(re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in [*known, *_KINDS])))
    return _patterns[0]


def redact_text(text: str) -> str:
    """Return ``text`` on one line, without secrets, tokens and full phone numbers."""
    if len(text) > TEXT_CHARS:
        text = f"{text[:TEXT_CHARS]}… (+{len(text) - TEXT_CHARS} chars)"
    return _redact_short(text) if len(text) <= SHORT_CHARS else _scan(text)


def _scan(text: str) -> str:
    return _CONTROL.sub(_escape, _pattern().sub(_replace, text))


# Field names, states and logger names come again in every record: without this a record costs twice the time.
_redact_short = functools.lru_cache(maxsize=4096)(_scan)


def redact_trace(trace: str) -> str:
    """Return a traceback whose lines are indented, so that none can pass for a record of its own."""
    trace = _QUOTED_INPUT.sub(" <withheld>", trace)
    if len(trace) > TRACE_CHARS:
        trace = f"… (+{len(trace) - TRACE_CHARS} chars)\n{trace[-TRACE_CHARS:]}"
    return "\n".join(f"  {redact_text(line)}" for line in trace.split("\n"))


def redact_json(value: object) -> Any:
    """Return a redacted copy of anything JSON-like; message texts are replaced by ``<N chars>``.

    Objects of classes unknown here are replaced by their class name, since their ``repr`` may hold texts.
    """
    return _redact(value, "", "", 0)


def _redact(value: object, key: str, parent: str, depth: int) -> object:
    if depth > DEPTH:
        return "<deep>"
    if isinstance(value, Mapping):
        return {redact_text(str(k)): _redact(v, _plain(k), key, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, AbstractSet)):
        return [_redact(item, key, parent, depth + 1) for item in value]
    return value if value is None or isinstance(value, bool) else _redact_one(value, key, parent)


def _redact_one(value: object, key: str, parent: str) -> object:
    if _SECRET_KEY.fullmatch(key):
        return HIDDEN
    # A template's name is ours, not a person's.
    if _TEXT_KEY.fullmatch(key) and (key, parent) != ("name", "template"):
        return f"<{len(str(value))} chars>"
    return _redact_scalar(value.value if isinstance(value, enum.Enum) else value, key)


def _redact_scalar(value: object, key: str) -> object:
    if isinstance(value, str):
        return value if _is_number(key) and value.isdecimal() else redact_text(value)
    if isinstance(value, int):
        return redact_text(str(value)) if abs(value) >= _SMALLEST_PHONE and not _is_number(key) else value
    if isinstance(value, float):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if isinstance(value, BaseException):
        return redact_trace(f"{type(value).__name__}: {value}").strip()
    return redact_text(str(value)) if isinstance(value, _SCALARS) else f"<{type(value).__name__}>"


def _plain(key: object) -> str:
    return str(key).lower().replace("-", "_")


def _is_number(key: str) -> bool:
    return _NUMBER_KEY.fullmatch(key) is not None


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _replace(found: re.Match[str]) -> str:
    text = found[0]
    match found.lastgroup:
        case "uuid" | "hex":
            return text
        case "phone":
            return _shorten_phone(text)
        case "wamid":
            return f"wamid.…{text[-6:]}"
        case "query":
            return f"{text.split('=', 1)[0]}={HIDDEN}"
        case "bearer":
            return f"Bearer {HIDDEN}"
        case _:
            return HIDDEN


def _shorten_phone(text: str) -> str:
    digits = "".join(character for character in text if character.isdecimal())
    if digits in _shown:
        return text
    return f"{'+' if text.startswith('+') else ''}{digits[0]}•••••••{digits[-2:]}"
