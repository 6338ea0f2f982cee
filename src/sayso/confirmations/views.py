"""A confirmation as an assistant sees it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from sayso.confirmations import steps
from sayso.confirmations.policy import Challenge, Tier
from sayso.confirmations.rules import Kind, Outcome
from sayso.core.database import Record
from sayso.messages.views import State

Status = Literal["pending", "held", "decided"]


class ExecutionOut(BaseModel):
    """What came of a confirmed action: the right to act was `claimed`, then it was `done` or `failed`."""

    status: Literal["claimed", "done", "failed"]
    claimed_at: datetime
    reported_at: datetime | None
    note: str | None


class ApproverOut(BaseModel):
    """Somebody who is asked, or may be: `step` 0 at once, others by escalation, in this order.

    `user`: as you call them, null if you do not; `number`: its last digits. `delivery`: how far their message came.
    """

    user: str | None
    number: str | None
    step: int
    because: Literal["asked", "escalated", "delegated"]
    state: steps.State
    delivery: State | None
    verdict: Literal["confirm", "decline", "cancel"] | None
    answered_at: datetime | None


class NextOut(BaseModel):
    """What happens next if nobody answers, and when."""

    what: Literal["remind", "escalate", "release", "expire"]
    at: datetime


class ConfirmationOut(BaseModel):
    """A question and, once decided, its one outcome.

    `number`: what to show to the user, where they have to type it. `dry_run`: rules of the policy that would have
    decided. `hidden_fields`: how many fields of the action were only counted. `answer`: what was chosen or written, or
    which rule decided.

    `held`: it is answered, and gets the outcome `leaning` at `held_until` unless it is taken back. `frozen`: why no
    answer decides it. `next`: what happens if nobody answers.

    `delivery` and `delivery_reason`: how far the question has come. `action_hash` is of the action, `shown_hash` of
    each form in which the person may see it. `sender`: the phone number id it is asked from. `use_by`: until when a
    confirmed action may be claimed; `execution`: null until it is.
    """

    id: str
    status: Status
    outcome: Outcome | None
    decided_at: datetime | None
    delivery: State | None
    delivery_reason: str | None
    action_type: str
    action_description: str
    action_details: str
    action: Any = None
    action_hash: str
    shown_hash: dict[str, str]
    user: str
    sender: str
    message_id: str | None
    created_at: datetime
    expires_at: datetime
    use_by: datetime | None
    kind: Kind
    options: list[dict[str, Any]] | dict[str, str] | None
    tier: Tier
    challenge: Challenge | None
    number: str | None
    needed: int
    policy_version: str | None
    dry_run: list[dict[str, Any]]
    hidden_fields: int
    answer: dict[str, Any] | None
    superseded_by: str | None
    approvers: list[ApproverOut]
    leaning: Outcome | None
    held_until: datetime | None
    frozen: str | None
    next: NextOut | None
    execution: ExecutionOut | None


def view(row: Record) -> dict[str, Any]:
    """A confirmation as an assistant sees it."""
    return {
        "id": row["id"],
        "status": row["status"],
        "outcome": row["outcome"],
        "decided_at": row["decided_at"],
        "delivery": row["delivery"],
        "delivery_reason": row["delivery_reason"],
        **row["action"],
        "action_hash": row["action_hash"].hex(),
        "shown_hash": row["shown_hash"],
        "user": row["user_id"],
        "sender": row["phone_number_id"],
        "message_id": row["message_id"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "use_by": row["use_by"],
        "execution": _execution(row),
        "approvers": row["approvers"],
        **_stands(row),
        **_asked(row),
    }


def _stands(row: Record) -> dict[str, Any]:
    """Where an open question stands; of one that has ended there is nothing to say."""
    if row["status"] == "decided":
        return {"leaning": None, "held_until": None, "frozen": None, "next": None}
    return {
        "leaning": row["leaning"],
        "held_until": row["held_until"],
        "frozen": row["frozen_why"],
        "next": _next(row),
    }


def _next(row: Record) -> dict[str, Any] | None:
    """What the timers wait for; None while they are at work."""
    if row["work"] != "waiting":
        return None
    facts = steps.facts_of(row, ())
    names = {step.at: "escalate" for step in facts.escalation}
    names |= {facts.remind_at: "remind"} if facts.remind_at else {}
    names |= {facts.expires_at: "expire"}
    names |= {facts.held_until: "release"} if facts.held_until else {}
    at = row["work_at"]
    return {"what": names[at], "at": at} if at in names else None


def _asked(row: Record) -> dict[str, Any]:
    """As what it was asked, and under which rules."""
    rule = row["rule"]
    same = ("kind", "options", "tier", "challenge", "needed", "policy_version", "answer", "superseded_by")
    return {
        **{name: row[name] for name in same},
        "number": rule.get("number"),
        "dry_run": rule.get("dry_run", []),
        "hidden_fields": rule.get("hidden_fields", 0),
    }


def _execution(row: Record) -> dict[str, Any] | None:
    if row["execution_status"] is None:
        return None
    return {
        "status": row["execution_status"],
        "claimed_at": row["claimed_at"],
        "reported_at": row["reported_at"],
        "note": row["execution_note"],
    }
