"""The chain of the ledger: what each entry's hash covers, and the walk that finds whatever was changed in it. Pure.

Every entry holds the hash of the entry before it (of anybody's) and of the same person's entry before it. What is
personal is covered by a salted digest alone: erased, with its salt, it can no longer be guessed, and the chain holds.
The head (the number and hash of the last entry) is sealed with the installation's key, so that neither a chain cut
short nor one written anew from some entry on looks whole.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from sayso.core.chains import NOTHING, SALT_BYTES, Finding, instant, out_of_place, salted

_FORM = "sayso.consent.1"

#: How much of the ledger a file holds: all of it, one person's entries, or some (of a time, of one assistant).
Extent = Literal["all", "person", "some"]


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is written; times in UTC to the microsecond."""

    seq: int
    id: str
    client_id: str
    person_id: str
    action: str
    scope: tuple[str, ...]
    method: str
    about: str | None
    captured_at: datetime
    received_at: datetime
    expires_at: datetime | None
    verified: bool
    personal: Mapping[str, Any] | None
    salt: bytes | None
    personal_digest: bytes
    prev_hash: bytes
    person_prev_hash: bytes
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain."""

    seq: int
    hash: bytes
    seal: bytes | None = None


@dataclass(slots=True)
class Tally:
    """Which entries a file holds, and in which order: a hash over their hashes, for the seal of the file."""

    entries: int = 0
    _hashes: Any = field(default_factory=hashlib.sha256)

    def add(self, line: Line) -> None:
        """One entry more."""
        self.entries += 1
        self._hashes.update(line.hash)

    def seal(self, extent: Extent, head: Head, key: bytes) -> bytes:
        """What only the holder of the key can write under a file of these entries, taken at this end of the chain."""
        about = f"{_FORM}.export.{extent}.{head.seq}.{head.hash.hex()}.{self.entries}."
        return hmac.digest(key, about.encode() + self._hashes.digest(), "sha256")


@dataclass(slots=True)
class Walk:
    """The verification of a chain, fed entry by entry in their order; it remembers ids, and a hash a person."""

    extent: Extent = "all"
    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    erased: int = 0
    _last: Line | None = None
    _of_person: dict[str, bytes] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)
    _tally: Tally = field(default_factory=Tally)

    @property
    def last_seq(self) -> int:
        """The number of the entry looked at last."""
        return self._last.seq if self._last else 0

    def step(self, line: Line) -> None:
        """Check one entry, by itself and against those before it."""
        self.entries += 1
        self.erased += line.personal is None
        self._tally.add(line)
        self._itself(line)
        if self.extent == "all":
            self._after(line)
        elif self._last is not None and line.seq <= self._last.seq:
            self._find(line, f"comes after entry {self._last.seq}: the order was changed")
        known = self._of_person.get(line.person_id, NOTHING if self.extent != "some" else None)
        if known is not None and line.person_prev_hash != known:
            self._find(line, "does not follow the person's entry before it: one was removed, added or moved")
        self._of_person[line.person_id] = line.hash
        self._last = line

    def end(self, head: Head | None, key: bytes | None) -> list[Finding]:
        """Check the end against the head, and the head against its seal, when the key is there."""
        if head is None:
            self.findings.append(
                Finding(None, None, "the end of the chain is not recorded: its head is gone")
            )
            return self.findings
        last = (self._last.seq, self._last.hash) if self._last else (0, NOTHING)
        if self.extent == "all" and last != (head.seq, head.hash):
            what = f"the chain ends at entry {last[0]}, and its head says {head.seq}: the end was cut off or changed"
            self.findings.append(Finding(None, None, what))
        if key is not None and head.seq and not sealed(head, key):
            what = (
                "the head does not bear the seal of this installation's key: it was written by somebody else"
            )
            self.findings.append(Finding(None, None, what))
        return self.findings

    def whole(self, head: Head, seal: bytes | None, key: bytes) -> None:
        """Check that a file holds what it was written with: its extent, every entry, and the end it was taken at."""
        if seal is None or not hmac.compare_digest(seal, self._tally.seal(self.extent, head, key)):
            what = "the file does not bear its seal: entries were cut out or added, or it was written by somebody else"
            self.findings.append(Finding(None, None, what))

    def _itself(self, line: Line) -> None:
        if line.id in self._ids:
            self._find(line, "has the id of an earlier entry")
        self._ids.add(line.id)
        if digest(line) != line.hash:
            self._find(line, "does not have the content it was written with")
        if (line.personal is None) != (line.salt is None):
            self._find(line, "was erased by half")
        elif not _personal_holds(line):
            self._find(line, "does not have the wording and evidence it was written with")

    def _after(self, line: Line) -> None:
        seq, before = (self._last.seq, self._last.hash) if self._last else (0, NOTHING)
        if wrong := out_of_place(line.seq, seq):
            self._find(line, wrong)
        if line.prev_hash != before:
            self._find(line, "does not follow the entry before it: the chain forks, or an entry was replaced")

    def _find(self, line: Line, what: str) -> None:
        self.findings.append(Finding(line.seq, line.id, what))


def verify(lines: Iterable[Line], *, head: Head | None, key: bytes | None, extent: Extent = "all") -> Walk:
    """Walk entries in the order given; what is wrong stands in ``findings``."""
    walk = Walk(extent)
    for line in lines:
        walk.step(line)
    walk.end(head, key)
    return walk


def _personal_holds(line: Line) -> bool:
    """Whether what is personal is what the entry was written with, as far as it is still there."""
    if line.personal is None or line.salt is None:
        return True
    whole = len(line.salt) == SALT_BYTES
    return whole and personal_digest(line.personal, line.salt) == line.personal_digest


def personal_digest(personal: Mapping[str, Any], salt: bytes) -> bytes:
    """What the chain holds of what is personal."""
    return salted(msgspec.json.encode(personal, order="sorted"), salt)


def digest(line: Line) -> bytes:
    """The hash of an entry: over its form, every column but what is personal, and both predecessors."""
    covered = [
        _FORM,
        line.seq,
        line.id,
        line.client_id,
        line.person_id,
        line.action,
        line.scope,
        line.method,
        line.about,
        instant(line.captured_at),
        instant(line.received_at),
        instant(line.expires_at) if line.expires_at else None,
        line.verified,
        line.personal_digest.hex(),
        line.prev_hash.hex(),
        line.person_prev_hash.hex(),
    ]
    return hashlib.sha256(msgspec.json.encode(covered)).digest()


def seal(seq: int, last_hash: bytes, key: bytes) -> bytes:
    """What only the holder of the key can write over a head."""
    return hmac.digest(key, f"{_FORM}.head.{seq}.".encode() + last_hash, "sha256")


def sealed(head: Head, key: bytes) -> bool:
    """Whether a head bears the seal of this key."""
    return head.seal is not None and hmac.compare_digest(head.seal, seal(head.seq, head.hash, key))
