"""The ledger as an assistant sees it: how a person stands, entries, policies."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from sayso.consent import chain, portable
from sayso.consent import service as consent
from sayso.consent.rules import CATEGORIES, Action, Category, Standing


class CategoryOut(BaseModel):
    """What of a category may be sent to a person.

    `allowed`: at any time, also what we begin. `allowed_in_window`: while their 24-hour window is open, which it is
    when they wrote in the last 24 hours; whether it is, this does not say. `reason`: why it is not allowed.
    `entry_id`: the entry of the ledger it rests on.
    """

    allowed: bool
    allowed_in_window: bool
    reason: str | None
    entry_id: str | None


class StandingOut(BaseModel):
    """How a person stands. `opted_out`: of everything."""

    opted_out: bool
    confirmations: CategoryOut
    notifications: CategoryOut
    daily_summary: CategoryOut
    marketing: CategoryOut


class RecordedOut(BaseModel):
    """An opt-in that was told. `state`: `recorded`; `stopped`: the person opted out later than they gave it."""

    id: str | None
    state: Literal["recorded", "stopped"]
    standing: StandingOut


class AskedOut(BaseModel):
    """A question to opt in that the person was sent; only their yes to it is an opt-in."""

    id: str
    state: Literal["asked"]


class RevokedOut(BaseModel):
    """An opt-out that was told.

    `state`: `recorded`; `was_out`: they were out before; `stale`: they opted in later than this was said. `suppressed`:
    messages that were taken back. `closed`: questions that ended.
    """

    id: str
    state: Literal["recorded", "was_out", "stale"]
    suppressed: int
    closed: int


class UnderWayOut(RevokedOut):
    """The same, while something to the person may still be on its way: `under_way` messages."""

    under_way: int


class EntryOut(BaseModel):
    """An entry of the ledger. `personal` is null once it was erased."""

    seq: int
    id: str
    client_id: str
    action: Action
    scope: list[str]
    method: str
    about: str | None
    captured_at: datetime
    received_at: datetime
    expires_at: datetime | None
    verified: bool
    personal: dict[str, Any] | None
    hash: str


class ConsentsOut(BaseModel):
    """How a person stands, and the entries that the caller may see, the oldest first."""

    standing: StandingOut
    entries: list[EntryOut]


class PolicyOut(BaseModel):
    """Whether what we begin in a category needs an opt-in, why, and who decided so when; null: the default."""

    category: Category
    opt_in_required: bool
    reason: str
    actor: str | None
    at: datetime | None


class PoliciesOut(BaseModel):
    """The policy of each category."""

    policies: list[PolicyOut]


def standing(holds: Standing) -> dict[str, Any]:
    """How a person stands, as ``StandingOut``."""
    shown: dict[str, Any] = {"opted_out": holds.out is not None}
    for category in CATEGORIES:
        permit = holds.permits(category, initiated=True)
        shown[category] = {
            "allowed": permit.allowed,
            "allowed_in_window": holds.permits(category, initiated=False).allowed,
            "reason": permit.reason or None,
            "entry_id": permit.entry_id,
        }
    return shown


def entry(line: chain.Line) -> dict[str, Any]:
    """An entry, as ``EntryOut``."""
    hidden = {"salt", "personal_digest", "prev_hash", "person_prev_hash", "person_id"}
    return {name: value for name, value in portable.as_json(line).items() if name not in hidden}


def policy(decided: consent.Policy) -> dict[str, Any]:
    """A policy, as ``PolicyOut``."""
    return {
        "category": decided.category,
        "opt_in_required": decided.opt_in_required,
        "reason": decided.reason,
        "actor": decided.actor or None,
        "at": decided.at,
    }
