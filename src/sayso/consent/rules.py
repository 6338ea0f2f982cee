"""What a person's word about being messaged is, and what all of their words together permit. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

Action = Literal[
    "granted",
    "confirmed",
    "denied",
    "withdrawn",
    "renewed",
    "expired",
    "imported",
    "corrected",
    "suppressed_by_meta",
    "lifted_by_meta",
]
Category = Literal["confirmations", "notifications", "daily_summary", "marketing"]

ACTIONS: tuple[Action, ...] = get_args(Action)
#: What a business may begin to talk about. ``service``, answers to what the person just did, is the fifth scope.
CATEGORIES: tuple[Category, ...] = get_args(Category)
SCOPES = (*CATEGORIES, "service")
ALL = "all"

#: Words by which a person opts in; any other of a person's own ends an opt-in.
OPENS = frozenset({"granted", "confirmed", "renewed", "imported"})
#: Meta's own switch: kept beside the person's words to us, since neither lifts the other.
METAS = frozenset({"suppressed_by_meta", "lifted_by_meta"})
#: Methods by which the person spoke to us in the chat.
IN_CHAT = frozenset({"keyword", "button"})
#: By how much Meta's clock, which dates the chat in whole seconds, may lag behind that of others.
CLOCKS = timedelta(minutes=5)
#: Of several words of one moment the most restrictive holds.
_RESTRICTS = {"withdrawn": 4, "suppressed_by_meta": 4, "denied": 3, "expired": 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger, as far as it decides. ``about``: the entry that a correction strikes out."""

    id: str
    action: Action
    method: str
    captured_at: datetime
    scope: tuple[str, ...] = (ALL,)
    expires_at: datetime | None = None
    verified: bool = True
    about: str | None = None
    seq: int = 0

    @property
    def order(self) -> tuple[datetime, int, int]:
        """When it was said; of one moment the more restrictive is the later, then the later written."""
        return self.captured_at, _RESTRICTS.get(self.action, 0 if self.verified else 1), self.seq


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether a message may go. If not: the problem's ``code``, a sentence, and the entry that forbids it, if one does.

    Allowed, ``entry_id`` is the opt-in it rests on; None where none is needed.
    """

    allowed: bool
    code: Literal["", "opted_out", "consent_missing"] = ""
    reason: str = ""
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person's words permit, by category; ``required`` are the categories that need an opt-in by policy."""

    now: datetime
    own: Mapping[str, Entry] = field(default_factory=dict)
    metas: Mapping[str, Entry] = field(default_factory=dict)
    required: Collection[str] = CATEGORIES

    @property
    def out(self) -> Entry | None:
        """The opt-out of everything, if one holds: each category has been withdrawn, and none opted in to again."""
        entries = [self.own.get(scope) for scope in SCOPES]
        return entries[-1] if all(each and each.action == "withdrawn" for each in entries) else None

    def stopped(self, category: str) -> Entry | None:
        """The entry by which nothing of ``category`` may go, if one holds: the person's own, or their stop at Meta."""
        own, meta = self.own.get(category), self.metas.get(category)
        if own is not None and own.action == "withdrawn":
            return own
        return meta if meta is not None and meta.action == "suppressed_by_meta" else None

    def stops(self) -> list[Entry]:
        """Every entry by which something may not go: in one category there may be the person's own and Meta's."""
        own = [entry for entry in self.own.values() if entry.action == "withdrawn"]
        metas = [entry for entry in self.metas.values() if entry.action == "suppressed_by_meta"]
        return list({entry.id: entry for entry in (*own, *metas)}.values())

    def opt_in(self, category: str) -> Entry | None:
        """The opt-in that holds for ``category``. One without proof holds for everything but marketing."""
        entry = self.own.get(category)
        if entry is None or entry.action not in OPENS or not (entry.verified or category != "marketing"):
            return None
        return None if entry.expires_at is not None and entry.expires_at <= self.now else entry

    def permits(self, category: str, *, initiated: bool) -> Permit:
        """Whether a message of ``category`` may go; ``initiated``: by us, with no 24-hour window open."""
        stop = self.stopped(category)
        if stop is not None:
            what = "" if self.out is stop else f" of {category}"
            how = f"switched {category} off in WhatsApp" if stop.action in METAS else f"opted out{what}"
            return Permit(False, "opted_out", f"the person {how} (consent entry {stop.id})", stop.id)
        entry = self.opt_in(category)
        if entry is not None:
            return Permit(True, entry_id=entry.id)
        if not initiated or category == "service":
            return Permit(True)
        own = self.own.get(category)
        if own is not None and own.action == "denied":
            reason = f"the person said no to {category} (consent entry {own.id})"
            return Permit(False, "consent_missing", reason, own.id)
        if category in self.required:
            reason = f"the person has not opted in to {category}{_lapsed(own)}, and no 24-hour window is open"
            return Permit(False, "consent_missing", reason, own.id if own else None)
        return Permit(True)


def _lapsed(own: Entry | None) -> str:
    if own is None:
        return ""
    why = "has expired" if own.verified else "has no proof"
    return f" (consent entry {own.id} {why})"


def standing(entries: Iterable[Entry], *, now: datetime, required: Collection[str] = CATEGORIES) -> Standing:
    """What all of a person's words together permit: the latest by when it was said holds, in each category by itself.

    An entry that a correction strikes out does not count. An opt-in without proof lifts no opt-out.
    """
    said = valid(entries)
    return Standing(
        now,
        own=_latest([entry for entry in said if entry.action not in METAS]),
        metas=_latest([entry for entry in said if entry.action in METAS]),
        required=required,
    )


def valid(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that count, in order: neither corrections nor what they strike out, nor notes of an end.

    That the time of an opt-in has come to its end is read from the opt-in itself, noted or not.
    """
    known = list(entries)
    struck = {entry.about for entry in known if entry.action == "corrected"}
    kept = [entry for entry in known if entry.id not in struck and not _notes(entry)]
    told = [entry for entry in kept if entry.action in OPENS and entry.method not in IN_CHAT]
    return sorted(kept, key=lambda entry: _order(entry, told))


def _order(entry: Entry, told: Sequence[Entry]) -> tuple[datetime, bool, datetime, int, int]:
    """As they were said; but clocks differ: a word of the chat, heard after an opt-in told to us, counts after it."""
    before = [
        opened.captured_at
        for opened in told
        if opened.seq < entry.seq and opened.captured_at - entry.captured_at <= CLOCKS
    ]
    at = max([entry.captured_at, *before]) if entry.method in IN_CHAT else entry.captured_at
    return at, at > entry.captured_at, *entry.order


def _notes(entry: Entry) -> bool:
    return entry.action == "corrected" or (entry.action == "expired" and entry.about is not None)


def _latest(said: Sequence[Entry]) -> dict[str, Entry]:
    holds: dict[str, Entry] = {}
    for entry in said:
        covered = SCOPES if ALL in entry.scope else entry.scope
        if entry.action in OPENS and not entry.verified:  # lifts no stop
            covered = tuple(scope for scope in covered if scope not in holds or not _ends(holds[scope]))
        if entry.action == "denied":  # a no to a question does not soften an opt-out
            covered = tuple(s for s in covered if s not in holds or holds[s].action != "withdrawn")
        holds.update(dict.fromkeys(covered, entry))
    return holds


def restorable(entries: Iterable[Entry]) -> tuple[str, ...]:
    """What a START opts in to: everything but what was stopped otherwise than in the chat, or by Meta's own switch.

    ``("all",)`` when nothing was, ``()`` when all of it was.
    """
    elsewhere = _latest(
        [e for e in valid(entries) if e.action not in METAS and not (e.method in IN_CHAT and _ends(e))]
    )
    free = [scope for scope in SCOPES if scope not in elsewhere or not _ends(elsewhere[scope])]
    return (ALL,) if len(free) == len(SCOPES) else tuple(free)


def way_back(stop: Entry, category: str, restored: Collection[str]) -> str:
    """How a person comes back to ``category`` from a stop; ``restored``: what a START of theirs opts in to."""
    if stop.action in METAS:
        return "Only they can allow it again, in WhatsApp's own settings."
    opt_in = "a new opt-in of theirs that is recorded with its proof (POST /consents)"
    if stop.method in IN_CHAT and (ALL in restored or category in restored):
        return f"The person has to come back: by writing START, or by {opt_in}."
    return f"It was stopped otherwise than in the chat, so START does not bring them back: it takes {opt_in}."


def _ends(entry: Entry) -> bool:
    return entry.action in ("withdrawn", "denied")
