"""What a question should be, whatever is done to it: written from the rules people read, not from the code."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

UNDO, EXTEND = timedelta(minutes=5), timedelta(minutes=10)
_AT = datetime(2026, 1, 1, tzinfo=UTC)  # whenever: only what it would come to is looked at


@dataclass(frozen=True)
class Oracle:
    """What a question should be. ``said``: by place of who was asked; ``moved`` is whatever has been done to it."""

    said: tuple[str | None, ...]
    needed: int
    undo: bool
    expires_at: datetime
    extends_left: int
    outcome: str | None = None
    leaning: str | None = None
    held_until: datetime | None = None
    frozen: bool = False

    def answer(self, place: int, verdict: str) -> "Oracle":
        """Somebody answers: once, except that CANCEL may follow."""
        cancels = verdict == "cancel"
        if self.outcome or self.frozen or self.said[place] == "left":
            return self
        if not cancels and (self.leaning or self.said[place]):
            return self
        said = (*self.said[:place], verdict, *self.said[place + 1 :])
        return replace(self, said=said, leaning=None, held_until=None)

    def counted(self, now: datetime) -> "Oracle":
        """What the answers come to."""
        yes, open_ = self.said.count("confirm"), self.said.count(None)
        if "cancel" in self.said:
            return replace(self, outcome="cancelled")
        no = "declined" if "decline" in self.said else "opted_out"
        outcome = "confirmed" if yes >= self.needed else no if yes + open_ < self.needed else None
        if outcome is None or not self.undo:
            return replace(self, outcome=outcome)
        return replace(self, leaning=outcome, held_until=now + UNDO)

    def undone(self, place: int) -> "Oracle":
        """Somebody takes back what they said."""
        if self.outcome or self.frozen or not self.leaning or self.said[place] in (None, "left"):
            return self
        return self._without(replace(self, said=(*self.said[:place], None, *self.said[place + 1 :])))

    def extended(self, place: int) -> "Oracle":
        """Somebody who has not answered wants more time."""
        if self.outcome or self.frozen or self.leaning or self.said[place] or not self.extends_left:
            return self
        return replace(self, expires_at=self.expires_at + EXTEND, extends_left=self.extends_left - 1)

    def changed(self, place: int) -> "Oracle":
        """Somebody's identity changes: of whom has answered, and others have to, too, nothing more is awaited."""
        awaited = self.leaning or self.said[place] is None
        return replace(self, frozen=True) if awaited and not self.outcome else self

    def left(self, place: int) -> "Oracle":
        """Somebody leaves: what they answered counts, unless it is held."""
        if self.outcome or (self.said[place] and not self.leaning):
            return self
        return self._without(replace(self, said=(*self.said[:place], "left", *self.said[place + 1 :])))

    def _without(self, rest: "Oracle") -> "Oracle":
        """With one answer fewer it goes on as it was held, is open, or ends where those who are left are too few."""
        outcome = replace(rest, undo=False).counted(_AT).outcome
        if outcome is None:
            return replace(rest, leaning=None, held_until=None)
        return rest if outcome == self.leaning else rest.ended(outcome)

    def ended(self, outcome: str) -> "Oracle":
        """The assistant ends it."""
        return self if self.outcome else replace(self, outcome=outcome, leaning=None, held_until=None)

    def ticked(self, now: datetime) -> "Oracle":
        """The timers look at it."""
        waits = self.leaning and not self.frozen
        if waits and self.held_until and now >= self.held_until:
            return replace(self, outcome=self.leaning, leaning=None, held_until=None)
        return self if waits or now < self.expires_at else self.ended("expired")

    @property
    def seen(self) -> tuple[str, str | None, str | None]:
        """As the database shows it."""
        status = "decided" if self.outcome else "held" if self.leaning else "pending"
        return status, self.outcome, self.leaning if status == "held" else None
