"""Ids shaped like Meta's: wamid, BSUID, fbtrace_id (cloud-api.md 2.2, 4.7, 5.1)."""

import base64
import hashlib
import random
from functools import lru_cache
from typing import Any

import phonenumbers

_WAMID_HEAD = b"\x1c\x18"
_OUTBOUND = b"\x15\x02\x00\x11\x18\x12"  # then 18 hex characters
_INBOUND = b"\x15\x02\x00\x12\x18\x14"  # then 20 hex characters

#: Ids that are told as JSON integers, too: of 16 digits, and within 2**53, beyond which JavaScript rounds.
_NUMBERS = range(10**15, 9 * 10**15)


class Mint:
    """Strikes new ids; seeded, it strikes the same ones in the same order."""

    def __init__(self, seed: int | None = None) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # ids of a simulated world, not secrets

    def wamid(self, wa_id: str, *, outbound: bool) -> str:
        """Strike a message id: base64 of a record holding the person's digits in clear (2.2)."""
        bits = 72 if outbound else 80
        tail = f"{self._chance.getrandbits(bits):0{bits // 4}X}".encode()
        middle = _OUTBOUND if outbound else _INBOUND
        record = _WAMID_HEAD + bytes([len(wa_id)]) + wa_id.encode() + middle + tail + b"\x00"
        return "wamid." + base64.b64encode(record).decode()

    def state(self) -> list[Any]:
        """Tell where the ids stand, as JSON can hold it."""
        version, numbers, gauss = self._chance.getstate()
        return [version, list(numbers), gauss]

    def set_state(self, state: list[Any]) -> None:
        """Go on where :meth:`state` stood."""
        version, numbers, gauss = state
        self._chance.setstate((version, tuple(numbers), gauss))

    def bsuid(self, wa_id: str) -> str:
        """Strike a BSUID for somebody whose old one died (4.7)."""
        return f"{region(wa_id)}.{self._chance.randrange(10**19, 10**20)}"

    def identity(self) -> str:
        """Strike an identity key hash (2.1)."""
        return base64.b64encode(self._chance.randbytes(8)).decode()

    def trace(self) -> str:
        """Strike an ``fbtrace_id`` (5.1)."""
        return "A" + url_safe(self._chance.randbytes(16))

    def node_id(self) -> str:
        """Strike the id of a node: a numeric string of 15 to 17 digits (8)."""
        return str(self._chance.randrange(10**14, 10**17))

    def number_id(self) -> str:
        """Strike an id that webhooks tell as a number: 16 digits that JavaScript holds to the last one (3.8)."""
        return str(self._chance.choice(_NUMBERS))

    def opaque(self, size: int = 32) -> str:
        """Strike an opaque value such as a token or an upload handle, of ``size`` random bytes, URL-safe."""
        return url_safe(self._chance.randbytes(size))


def url_safe(data: bytes) -> str:
    """Write bytes so that a URL can hold them: base64 of its own alphabet, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@lru_cache(maxsize=10_000)
def bsuid(portfolio_id: str, wa_id: str) -> str:
    """Tell the BSUID of a person towards a portfolio: ``CC.`` and digits, always the same for both (4.7)."""
    digest = hashlib.sha256(f"{portfolio_id}/{wa_id}".encode()).digest()
    return f"{region(wa_id)}.{int.from_bytes(digest[:9]) % 10**20:020d}"


def number_id(owner: str, name: str) -> str:
    """Tell the id of what an owner has by this name, always the same for both; shaped as the mint's are (3.8)."""
    digest = hashlib.sha256(f"{owner}/{name}".encode()).digest()
    return str(_NUMBERS[int.from_bytes(digest[:9]) % len(_NUMBERS)])


def identity_hash(wa_id: str) -> str:
    """Tell the hash of the first identity key somebody with this number has (2.1)."""
    return base64.b64encode(hashlib.sha256(wa_id.encode()).digest()[:8]).decode()


def region(wa_id: str) -> str:
    """Tell the two-letter region a number's country calling code belongs to; ``US`` when there is none."""
    found = phonenumbers.region_code_for_country_code(calling_code(wa_id))
    return found if found.isalpha() and found != "ZZ" else "US"


def calling_code(digits: str) -> int:
    """Tell the country calling code that begins an international number; 0 when none does."""
    for length in (1, 2, 3):
        code = int(digits[:length] or 0)
        if phonenumbers.region_code_for_country_code(code) != "ZZ":
            return code
    return 0
