"""Auditing the decision log: what was changed, removed, added or moved in it is found."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sayso.confirmations import log, statement
from sayso.confirmations.log import Logged
from sayso.core import canonical, keys, notes
from sayso.core.chains import NOTHING, Finding, instant, out_of_place
from sayso.core.database import Record
from sayso.core.errors import InputInvalidError
from sayso.core.notes import Checkpoint, NoteError
from sayso.core.runtime import Runtime

FORM = "sayso.decisions.1"


@dataclass(slots=True)
class Walk:
    """The verification of a log, fed entry by entry in their order; of each its id alone is remembered.

    ``checkpoints`` are those whose signature holds. They vouch for everything up to their size.
    """

    checkpoints: Sequence[Checkpoint] = ()
    findings: list[Finding] = field(default_factory=list)
    size: int = 0
    head: bytes = NOTHING
    _roots: dict[int, bytes] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Sort what is vouched for; two checkpoints of one size must say the same."""
        for each in self.checkpoints:
            if self._roots.setdefault(each.size, each.root) != each.root:
                self._find(None, f"two checkpoints of {each.size} entries differ: there were two logs")
        if self._roots.get(0, NOTHING) != NOTHING:
            self._find(None, "a checkpoint of an empty log has entries")

    @property
    def vouched(self) -> int:
        """How many entries a checkpoint vouches for."""
        return max(self._roots, default=0)

    def step(self, line: Logged) -> None:
        """Check one entry, by itself, against the one before it, and against a checkpoint that ends with it."""
        if wrong := out_of_place(line.index, self.size - 1):
            self._find(line, wrong)
        if log.leaf_of(line.entry) != line.leaf:
            self._find(line, "does not have the content it was written with")
        elif not _is_about(line):
            self._find(line, "stands under another confirmation's name, or is no statement")
        if log.head_of(self.head, line.leaf) != line.head:
            self._find(line, "does not follow the entry before it: one was replaced, removed, added or moved")
        if line.confirmation_id in self._ids:
            self._find(line, "is about a confirmation that was decided before")
        self._ids.add(line.confirmation_id)
        self.size, self.head = line.index + 1, line.head
        if self._roots.get(self.size, self.head) != self.head:
            self._find(line, f"the checkpoint of {self.size} entries was made over other entries than these")

    def end(self, size: int, head: bytes) -> list[Finding]:
        """Check the end against what the log says of its own size, and against every checkpoint."""
        if (self.size, self.head) != (size, head):
            self._find(None, f"the log ends after {self.size} entries, and its head speaks of {size}")
        if self.vouched > self.size:
            what = f"a checkpoint vouches for {self.vouched} entries, and there are {self.size}: the end was cut off"
            self._find(None, what)
        return self.findings

    def _find(self, line: Logged | None, what: str) -> None:
        self.findings.append(
            Finding(line.index if line else None, line.confirmation_id if line else None, what)
        )


def _is_about(line: Logged) -> bool:
    try:
        entry = json.loads(line.entry)
        return bool(entry["jti"] == line.confirmation_id and canonical.encode(entry) == line.entry)
    except (ValueError, KeyError, TypeError, RecursionError, InputInvalidError):
        return False


def checkpoints(
    texts: Iterable[str], public: Mapping[str, bytes], *, origin: str
) -> tuple[list[Checkpoint], list[Finding]]:
    """The checkpoints of signed notes, and what is wrong with the others."""
    good: list[Checkpoint] = []
    wrong: list[Finding] = []
    for text in texts:
        try:
            checkpoint, _ = notes.read(text, public)
        except NoteError as error:
            wrong.append(Finding(None, None, f"a checkpoint is not one of this installation's: {error}"))
            continue
        if checkpoint.origin == origin:
            good.append(checkpoint)
        else:
            wrong.append(Finding(None, None, f"a checkpoint is of another log, {checkpoint.origin}"))
    return good, wrong


async def verify(rt: Runtime, kept: Sequence[str]) -> Walk:
    """Walk the log of a database, beside whoever appends to it; ``kept`` are notes that were kept elsewhere."""
    public = keys.load(rt.settings, now=rt.now).published()
    async with rt.db.one() as tx:
        size, head = await log.end(tx)
        stored = [row["note"] for row in await log.checkpoints(tx)]
    good, wrong = checkpoints([*stored, *kept], keys.public_bytes(public), origin=log.origin(rt.settings))
    walk = Walk(good, wrong)
    async for page in log.pages(rt):
        lines = [line for line in page if line.index < size]  # what came since is for the next audit
        for line in lines:
            walk.step(line)
        walk.findings += await _beside(rt, lines, public)
    walk.end(size, head)
    walk.findings += await _unlogged(rt)
    return walk


_BESIDE = (
    "SELECT l.index, l.confirmation_id, l.entry, l.head, r.jws, c.status, c.outcome, c.decided_at, c.action_hash "
    "FROM unnest($1::bigint[]) AS asked (index) JOIN decision_log l ON l.index = asked.index "
    "JOIN confirmations c ON c.id = l.confirmation_id LEFT JOIN receipts r ON r.confirmation_id = l.confirmation_id "
    "ORDER BY l.index"
)


async def _beside(rt: Runtime, lines: Sequence[Logged], public: Mapping[str, Any]) -> list[Finding]:
    """What the tables beside the log say otherwise: a receipt, or the confirmation itself."""
    async with rt.db.one() as tx:
        rows = await tx.fetch(_BESIDE, [line.index for line in lines])
    known = {jwk["kid"]: OKPKey.import_key(jwk) for jwk in public["keys"]}
    return [
        Finding(row["index"], row["confirmation_id"], what) for row in rows for what in _differing(row, known)
    ]


def _differing(row: Record, known: Mapping[str, OKPKey]) -> Iterator[str]:
    try:
        entry = json.loads(row["entry"])
        same = (
            row["status"] == "decided"
            and row["outcome"] == entry["outcome"]
            and row["action_hash"].hex() == entry["action_hash"]
            and instant(row["decided_at"]) == entry["decided_at"]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # the walk says what is wrong with the entry
    if not same:
        yield "the confirmation's own row says another outcome, action or time"
    if not _signed(row, entry, known):
        yield "the receipt is gone, or is not the one that was signed for this entry"


def _signed(row: Record, entry: Mapping[str, Any], known: Mapping[str, OKPKey]) -> bool:
    try:
        found = jws.extract_compact(row["jws"].encode())
        jws.deserialize_compact(row["jws"], known[found.headers()["kid"]], algorithms=[keys.ALGORITHM])
        claims = json.loads(found.payload)
        told = {name: value for name, value in claims.items() if name not in statement.BESIDES}
        return bool(told == entry and claims["log"]["head"] == row["head"].hex())
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return False


async def _unlogged(rt: Runtime) -> list[Finding]:
    """Decisions without an entry: whoever decided them did it behind our back."""
    async with rt.db.tx() as tx:
        await tx.execute("SET LOCAL enable_seqscan = on")
        rows = await tx.fetch(
            "SELECT c.id FROM confirmations c WHERE c.status = 'decided' AND NOT EXISTS "
            "(SELECT 1 FROM decision_log l WHERE l.confirmation_id = c.id) ORDER BY c.id LIMIT 100"
        )
    return [Finding(None, row["id"], "is decided, and the log has no entry of it") for row in rows]


def as_json(line: Logged) -> dict[str, Any]:
    """An entry as a line of an export."""
    return {
        "index": line.index,
        "confirmation_id": line.confirmation_id,
        "entry": line.entry.decode(),
        "leaf": line.leaf.hex(),
        "head": line.head.hex(),
    }


async def export(rt: Runtime) -> list[str]:
    """The log as JSON lines: what it is, its entries, its checkpoints."""
    async with rt.db.one() as tx:
        size, head = await log.end(tx)
        stored = await log.checkpoints(tx)
    about = {"format": FORM, "origin": log.origin(rt.settings), "size": size, "head": head.hex()}
    lines = [json.dumps(about)]
    async for page in log.pages(rt):
        lines += [json.dumps(as_json(line)) for line in page if line.index < size]
    return lines + [json.dumps({"checkpoint": row["note"]}) for row in stored]


@dataclass(frozen=True, slots=True)
class Export:
    """A log read back from a file."""

    origin: str
    size: int
    head: bytes
    lines: Sequence[Logged]
    notes: Sequence[str]


def read_export(text: str) -> Export:
    """Read what an export wrote. Raises :class:`InputInvalidError` saying what is wrong with it."""
    try:
        about, *rows = [json.loads(line) for line in text.splitlines()]
        if about["format"] != FORM:
            raise InputInvalidError(f"The file is no export of a decision log ({FORM}).")
        return Export(
            str(about["origin"]),
            int(about["size"]),
            bytes.fromhex(about["head"]),
            [_line(row) for row in rows if "checkpoint" not in row],
            [str(row["checkpoint"]) for row in rows if "checkpoint" in row],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputInvalidError(
            f"The file is no export of a decision log ({type(error).__name__}: {error})."
        ) from error


def _line(row: Mapping[str, Any]) -> Logged:
    return Logged(
        int(row["index"]),
        str(row["confirmation_id"]),
        row["entry"].encode(),
        bytes.fromhex(row["leaf"]),
        bytes.fromhex(row["head"]),
    )


def verify_export(found: Export, public: Mapping[str, bytes] | None, kept: Sequence[str]) -> Walk:
    """Walk the log of a file. Without keys no checkpoint can be relied on, and none is."""
    good, wrong = (
        checkpoints([*found.notes, *kept], public, origin=found.origin) if public is not None else ([], [])
    )
    walk = Walk(good, wrong)
    for line in found.lines:
        walk.step(line)
    walk.end(found.size, found.head)
    return walk
