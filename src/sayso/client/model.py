"""What the service answers, as the caller's program holds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

UNEXPLAINED = "unexplained"


class ProblemError(Exception):
    """The service refused; ``code`` is stable, ``detail`` is for people, ``errors`` points at fields.

    ``code`` is :data:`UNEXPLAINED` where the answer was no problem of the service's: something stands in between.
    """

    def __init__(self, problem: Mapping[str, Any]) -> None:
        said = problem.get("detail") or problem.get("title") or f"HTTP {problem.get('status', 0)}"
        super().__init__(f"{problem.get('code', UNEXPLAINED)}: {said}")
        self.status: int = problem.get("status", 0)
        self.code: str = problem.get("code", UNEXPLAINED)
        self.detail: str = problem.get("detail", "")
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        self.retryable: bool = problem.get("retryable", False)


class UnreachableError(Exception):
    """The service did not answer, however often it was asked; with an idempotency key, asking again is safe."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A question and, once decided, its outcome.

    ``number``: what to show to the user, where they have to type it. ``answer``: what was chosen or written, or which
    rule of the policy decided. ``raw`` has everything else that the service says of it.
    """

    id: str
    status: str
    outcome: str | None
    decided_at: datetime | None
    expires_at: datetime
    delivery: str | None
    action_hash: str
    number: str | None
    answer: Mapping[str, Any] | None
    raw: Mapping[str, Any]

    @property
    def decided(self) -> bool:
        """Whether there is an outcome; it never changes."""
        return self.status == "decided"

    @property
    def confirmed(self) -> bool:
        """Whether the person said yes. Everything else, silence included, means: do not act."""
        return self.outcome == "confirmed"

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Confirmation":
        """From the service's JSON."""
        return cls(
            id=body["id"],
            status=body["status"],
            outcome=body["outcome"],
            decided_at=datetime.fromisoformat(body["decided_at"]) if body["decided_at"] else None,
            expires_at=datetime.fromisoformat(body["expires_at"]),
            delivery=body["delivery"],
            action_hash=body["action_hash"],
            number=body.get("number"),
            answer=body.get("answer"),
            raw=body,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """A message and how far it has come.

    ``advice``: what becomes of one just sent where the 24-hour window does not carry it, and what to do.
    """

    id: str
    state: str
    reason: str | None
    advice: str | None
    raw: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Message":
        """From the service's JSON."""
        return cls(
            id=body["id"],
            state=body["state"],
            reason=body.get("reason"),
            advice=body.get("advice"),
            raw=body,
        )


@dataclass(frozen=True, slots=True)
class Events:
    """A part of the feed, oldest first; pass ``next`` as ``after``: nothing is skipped, nothing comes twice."""

    events: Sequence[Mapping[str, Any]]
    next: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Events":
        """From the service's JSON."""
        return cls(body["events"], body["next"])


@dataclass(frozen=True, slots=True)
class Consents:
    """How a person stands, by category, and the entries of the ledger that the token may see."""

    opted_out: bool
    standing: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]]

    def allows(self, category: str) -> bool:
        """Whether a message of this category that we begin may go to the person."""
        return bool(self.standing[category]["allowed"])

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Consents":
        """From the service's JSON."""
        return cls(body["standing"]["opted_out"], body["standing"], body["entries"])
