"""Messages as an assistant sees them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from sayso.core.database import Record
from sayso.messages.rules import Form

State = Literal[
    "queued",
    "sending",
    "accepted",
    "sent",
    "delivered",
    "read",
    "failed",
    "suppressed",
    "expired",
    "cancelled",
    "unknown",
]


class SentOut(BaseModel):
    """A message that was accepted. `window`: whether the person wrote in the last 24 hours, as far as is known.

    `advice`: what becomes of it when it is due and the window is closed or may be, and what to do; null where the
    window carries it.
    """

    id: str
    state: State
    message_type: str
    window: Literal["open", "closed", "unknown"]
    send_at: datetime | None
    expires_at: datetime
    advice: str | None


class PriceOut(BaseModel):
    """What Meta charges a message as: expected when it went out, and what its statuses said. No amounts."""

    estimated: str | None
    category: str | None
    billable: bool | None


class TemplateOut(BaseModel):
    """The template a message goes out as, or would outside the 24-hour window."""

    name: str
    language: str


class MessageOut(BaseModel):
    """A message.

    `form`: free form (`session`) or `template`; `held`: what it waits for; `suppressed_by`: the consent entry.
    """

    id: str
    state: State
    reason: str | None
    error_code: int | None
    purpose: str
    category: str
    message_type: str
    sender: str
    form: Form | None
    template: TemplateOut | None
    wamid: str | None
    confirmation_id: str | None
    attempts: int
    held: str | None
    suppressed_by: str | None
    if_unknown: str
    price: PriceOut
    created_at: datetime
    send_at: datetime | None
    expires_at: datetime


class StepOut(BaseModel):
    """One thing that happened to a message."""

    at: datetime
    state: str
    reason: str | None
    detail: dict[str, Any] | None


class MessageWithTimelineOut(MessageOut):
    """A message and everything that happened to it, in the order it became known."""

    timeline: list[StepOut]


class MessagesOut(BaseModel):
    """Messages, newest first; `next` goes into `before` of the next call."""

    messages: list[MessageOut]
    next: str | None


class StandsOut(BaseModel):
    """A message and how it stands now."""

    id: str
    state: State


class RetriedOut(StandsOut):
    """A message that was to be sent again. `retried`: it goes; false when it is on its way already."""

    retried: bool


class RefusedOut(BaseModel):
    """A message that is not sent again, and why."""

    id: str
    reason: str


class RetriedManyOut(BaseModel):
    """Which messages go again. `more`: others that were chosen did not fit into `limit`: ask once more."""

    retried: list[str]
    refused: list[RefusedOut]
    more: bool
    dry_run: bool


class DeadLetterOut(BaseModel):
    """A message that did not get through, or may not have.

    `meaning` and `advice` explain Meta's `error_code`; `why_not`: what speaks against a retry.
    """

    id: str
    state: Literal["failed", "expired", "unknown"]
    reason: str | None
    error_code: int | None
    meaning: str | None
    advice: str | None
    retryable: bool
    why_not: str | None
    purpose: str
    category: str
    sender: str
    template: str | None
    confirmation_id: str | None
    attempts: int
    created_at: datetime


class DeadLettersOut(BaseModel):
    """Dead letters, newest first; `next` goes into `before` of the next call."""

    messages: list[DeadLetterOut]
    next: str | None


def view(row: Record) -> dict[str, Any]:
    """A message's row as ``MessageOut``."""
    named = row["template_name"] is not None
    return {
        "id": row["id"],
        "state": row["state"],
        "reason": row["reason"],
        "error_code": row["error_code"],
        "purpose": row["purpose"],
        "category": row["category"],
        "message_type": row["type"],
        "sender": row["phone_number_id"],
        "form": row["form"],
        "template": {"name": row["template_name"], "language": row["template_language"]} if named else None,
        "wamid": row["wamid"],
        "confirmation_id": row["confirmation_id"],
        "attempts": row["attempt"],
        "held": row["held"],
        "suppressed_by": row["suppressed_by"],
        "if_unknown": row["if_unknown"],
        "price": {
            "estimated": row["price_estimate"],
            "category": row["price_category"],
            "billable": row["price_billable"],
        },
        "created_at": row["created_at"],
        "send_at": row["send_at"],
        "expires_at": row["expires_at"],
    }
