"""What every chained record of the house has in common: how it begins, how it salts, how its faults are told. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

#: What stands for the entry before the first.
NOTHING = bytes(32)
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: at which entry (None: the end of the chain), and what."""

    seq: int | None
    entry_id: str | None
    what: str


def salted(content: bytes, salt: bytes) -> bytes:
    """What stays of something personal: without the salt nobody can tell, or guess, of what."""
    return hashlib.sha256(salt + content).digest()


def instant(at: datetime) -> str:
    """A time as what is hashed spells it: UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def out_of_place(seq: int, before: int) -> str | None:
    """What is wrong with an entry of this number behind one of that; None when it follows."""
    if seq > before + 1:
        gone = f"entry {before + 1} is" if seq == before + 2 else f"entries {before + 1} to {seq - 1} are"
        return f"{gone} missing before it"
    if seq <= before:
        return f"comes after entry {before}: the order was changed, or the chain forks"
    return None
