"""Messages of both directions, and how far each has come."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sayso.simulator.world.content import Content

#: How far a message can be.
Status = Literal["accepted", "held", "sent", "delivered", "read", "played", "failed", "dropped"]
STATUSES: tuple[str, ...] = get_args(Status)


@dataclass(slots=True)
class NextStep:
    """What becomes of a message next, and when (simulated unix seconds)."""

    status: str
    due: float


#: Types of what stands in a conversation without being a message that was written or shared (4.8).
_EVENTS = ("reaction", "edit", "revoke", "system", "request_welcome")


@dataclass(slots=True, eq=False)
class Message:
    """One message either way. ``body`` is the JSON exactly as sent to us, or as we told it by webhook.

    ``status``: accepted, held (paced), sent, delivered, read, played, failed, dropped (outlived its time).
    """

    wamid: str
    outbound: bool
    phone_number_id: str
    wa_id: str
    at: float
    body: dict[str, Any]
    content: Content
    status: str = "accepted"
    quote: str | None = None
    callback_data: str | None = None
    by_user_id: bool = False  # addressed by BSUID, not by phone
    errors: list[dict[str, Any]] = field(default_factory=list)
    next_step: NextStep | None = None
    #: Reactions on it now: who ("" is the business) and the emoji.
    reactions: dict[str, str] = field(default_factory=dict)
    edited: bool = False
    deleted: bool = False
    pricing: dict[str, Any] | None = None  # decided when it was sent (4.9)
    course: str = "usual"  # which statuses are told, and in which order (9)
    expires_at: float | None = None  # not delivered by then, it is dropped without a webhook (2.1)
    sent_at: float | None = None
    holds_place: bool = False  # in the messaging limit, for whom it is on its way to outside a window (6)

    @property
    def on_its_way(self) -> bool:
        """Whether something is still to become of it: between two statuses, waiting for a phone, or held."""
        return self.next_step is not None or self.status == "held"

    @property
    def type(self) -> str:
        """The message type in Meta's terms."""
        return str(self.body.get("type") or "text").lower()

    @property
    def untouchable(self) -> str | None:
        """Why its person can do nothing with it on their phone; None when they can."""
        if self.outbound and self.status in ("held", "failed", "dropped"):
            return f"is {self.status}: it never reached +{self.wa_id}"
        if self.outbound and self.errors:
            return f"is about to fail: it never reaches +{self.wa_id}"
        if self.deleted:
            return "was deleted"
        if (event := self._event) is not None:
            return f"is of the type {event}: no message of its own that anything can be done with"
        return None

    @property
    def _event(self) -> str | None:
        """The type of what only says that something happened, as a reaction does; None for a message proper."""
        kind = self.type
        if kind == "unsupported" and not self.outbound:
            kind = str(self.body["unsupported"]["type"])
        return kind if kind in _EVENTS else None
