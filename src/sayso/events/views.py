"""Events, endpoints and deliveries as an assistant sees them; a test holds the answers against these shapes."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from sayso.core.database import Record
from sayso.events.deliveries import State
from sayso.events.rules import FAILING_AFTER
from sayso.events.signing import Signature

#: What an assistant says of an endpoint; everything else of it is ours.
ASKED = ("url", "description", "types", "subject", "operator", "signatures")


class EventOut(BaseModel):
    """Something that happened; `docs/events.md` has an example of each type."""

    id: str
    type: str
    timestamp: datetime
    subject: str
    data: dict[str, Any]


class EventsOut(BaseModel):
    """A part of a feed; pass `next` as `after`."""

    events: list[EventOut]
    next: str


class EndpointOut(BaseModel):
    """An endpoint and how it does: never its secret."""

    id: str
    url: str
    description: str
    types: list[str]
    subject: str | None
    operator: bool
    signatures: list[Signature]
    state: Literal["unverified", "enabled", "disabled"]
    reason: str | None
    failing: bool
    failures: int
    failing_since: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    public_key: str
    rotating_until: datetime | None
    created_at: datetime


class EndpointWithSecretOut(EndpointOut):
    """The same with its secret, which is shown once."""

    secret: str


class EndpointsOut(BaseModel):
    """One's own endpoints."""

    endpoints: list[EndpointOut]


class DeletedOut(BaseModel):
    """An endpoint that is no more."""

    id: str
    state: Literal["deleted"]


class TestedOut(BaseModel):
    """What came of a test."""

    received: bool
    status: int | None
    ms: int
    error: str | None
    body: str | None


class ReplayOut(BaseModel):
    """How many deliveries are made once more; `more`: call again."""

    replayed: int
    more: bool


class DeliveryOut(BaseModel):
    """An event on its way to an endpoint; `attempts` counts those of the ladder."""

    id: str
    endpoint_id: str
    event_id: str
    type: str
    state: State
    reason: str | None
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class DeliveriesOut(BaseModel):
    """Deliveries, newest first."""

    deliveries: list[DeliveryOut]
    next: str | None


class AttemptOut(BaseModel):
    """One call; `body`: the beginning of the answer, for its own assistant alone."""

    at: datetime
    replay: bool
    status: int | None
    ms: int
    error: str | None
    body: str | None = None


class DeliveryWithAttemptsOut(DeliveryOut):
    """The same with each call that was made."""

    tried: list[AttemptOut]


def endpoint(row: Record) -> dict[str, Any]:
    """An endpoint as :class:`EndpointOut` has it."""
    return {
        "id": row["id"],
        **{name: row[name] for name in ASKED},
        "state": row["state"],
        "reason": row["reason"],
        "failing": row["failures"] >= FAILING_AFTER,
        "failures": row["failures"],
        "failing_since": row["failing_since"],
        "last_success_at": row["last_success_at"],
        "last_failure_at": row["last_failure_at"],
        "public_key": row["public_key"],
        "rotating_until": row["previous_until"],
        "created_at": row["created_at"],
    }


def delivery(row: Record) -> dict[str, Any]:
    """A delivery as :class:`DeliveryOut` has it."""
    return {
        "id": row["id"],
        "endpoint_id": row["endpoint_id"],
        "event_id": row["event_id"],
        "type": row["type"],
        "state": row["state"],
        "reason": row["reason"],
        "attempts": row["attempt"],
        "next_attempt_at": row["due"],
        "created_at": row["created_at"],
        "finished_at": row["finished_at"],
    }


def attempt(row: Record, *, own: bool) -> dict[str, Any]:
    """An attempt as :class:`AttemptOut` has it."""
    told = {name: row[name] for name in ("at", "replay", "status", "ms", "error")}
    return {**told, "body": beginning(row["body"])} if own else told


def beginning(body: bytes | None) -> str | None:
    """The beginning of an answer, as text."""
    return body.decode(errors="replace") if body else None
