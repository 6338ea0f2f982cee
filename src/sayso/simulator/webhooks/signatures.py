"""The headers a webhook carries: signed over its exact bytes with the receiving app's secret (cloud-api.md 4.3)."""

import hmac
from typing import Literal

from sayso.simulator.faults.model import Forgery

#: How a webhook is signed; anything but `right` is for testing receivers (9).
How = Literal["right"] | Forgery

SHA256, SHA1 = "X-Hub-Signature-256", "X-Hub-Signature"
_WRONG_SECRET = b"the secret of some other app"


def headers(secret: str, body: bytes, how: How = "right") -> dict[str, str]:
    """Compose the headers: SHA-256 and, beside it, the legacy SHA-1."""
    plain = {"Content-Type": "application/json", "Accept": "*/*", "User-Agent": "facebookexternalua"}
    if how == "missing":
        return plain
    key = _WRONG_SECRET if how == "wrong_secret" else secret.encode()
    sha1 = {SHA1: "sha1=" + hmac.digest(key, body, "sha1").hex()}
    sha256 = hmac.digest(key, body, "sha256").hex()
    if how == "sha1_only":
        return plain | sha1
    if how == "forged":
        sha256 = _other_digits(sha256)
        sha1 = {SHA1: f"sha1={_other_digits(sha1[SHA1][5:])}"}
    return plain | {SHA256: f"sha256={sha256}"} | sha1


def _other_digits(digits: str) -> str:
    """Change every hex digit: as long and as plausible, and never right."""
    return "".join(f"{15 - int(each, 16):x}" for each in digits)
