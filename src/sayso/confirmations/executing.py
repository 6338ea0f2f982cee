"""The right to do what was confirmed: once, in time, the same action, by who asked; and what came of it."""

from dataclasses import dataclass
from typing import Any, Literal

from sayso.confirmations import approvers, policy, policy_file, receipts, render, service, whom
from sayso.core.database import Record, Tx
from sayso.core.errors import ForbiddenError, SaysoError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.events import service as events
from sayso.people import service as people

Ended = Literal["done", "failed"]


class NotDecidedError(SaysoError):
    """The confirmation is still open: there is no outcome, and so no receipt and nothing to act on."""

    status = 409
    code = "not_decided"
    title = "There is no decision yet"


class NotConfirmedError(SaysoError):
    """The outcome is another than ``confirmed``: nothing may be done."""

    status = 409
    code = "not_confirmed"
    title = "The action was not confirmed"


class ActionMismatchError(SaysoError):
    """The action is not the one that was shown and confirmed."""

    status = 409
    code = "action_mismatch"
    title = "Another action was confirmed"


class PolicyForbidsError(SaysoError):
    """The policy has changed since the question was asked, and no longer allows what was asked under the old one."""

    status = 409
    code = "policy_forbids"
    title = "The policy no longer allows it"


class ClaimExpiredError(SaysoError):
    """The time to act on the confirmation is over; ask again."""

    status = 409
    code = "claim_expired"
    title = "The confirmation is too old to act on"


class AlreadyClaimedError(SaysoError):
    """The right to act was given out before; it is given once."""

    status = 409
    code = "already_claimed"
    title = "The right to act was given out before"


class NotClaimedError(SaysoError):
    """Nobody has claimed the right to act, so there is nothing to report."""

    status = 409
    code = "not_claimed"
    title = "The right to act was not claimed"


class AlreadyReportedError(SaysoError):
    """Something else was reported before."""

    status = 409
    code = "already_reported"
    title = "Something else was reported before"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an execution; ``tell``: those who confirmed it are told, too."""

    status: Ended
    note: str | None
    tell: bool


async def claim(
    tx: Tx, rt: Runtime, actor: Actor, confirmation_id: str, action_hash: bytes
) -> dict[str, Any]:
    """Give out the right to act, once.

    Raises one of this module's errors, saying what is not so; :class:`NotFoundError` and :class:`ForbiddenError`.
    """
    row = await _theirs(tx, actor, confirmation_id)
    if row["status"] != "decided":
        raise NotDecidedError(f"{confirmation_id} is still open: nobody has confirmed it.")
    if row["outcome"] != "confirmed":
        raise NotConfirmedError(f"{confirmation_id} ended as {row['outcome']}: nothing may be done.")
    if row["action_hash"] != action_hash:
        raise ActionMismatchError(
            f"{confirmation_id} confirms the action {row['action_hash'].hex()}, not {action_hash.hex()}: "
            "only what the person saw may be done. Give it whole, as it was asked about: action_type, "
            "action_description, action_details, and action where one was given."
        )
    now = rt.now()
    if row["use_by"] is None or now > row["use_by"]:
        raise ClaimExpiredError(f"{confirmation_id} could be claimed until {row['use_by']}. Ask again.")
    if forbidden := await _forbidden(tx, rt, actor, row):
        raise PolicyForbidsError(f"{confirmation_id} was confirmed, but {forbidden}. Ask again.")
    grant = {
        "confirmation_id": confirmation_id,
        "grant": rt.new_id("grt"),
        "action_hash": action_hash.hex(),
        "claimed_at": now,
        "use_by": row["use_by"],
    }
    if not await tx.execute(
        "INSERT INTO executions (confirmation_id, id, claimed_at, claimed_by) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (confirmation_id) DO NOTHING",
        confirmation_id,
        grant["grant"],
        now,
        actor.token_id,
    ):
        raise AlreadyClaimedError(f"The right to carry out {confirmation_id} was given out before.")
    return grant


async def report(tx: Tx, rt: Runtime, actor: Actor, confirmation_id: str, told: Report) -> dict[str, Any]:
    """Keep what came of it, tell it as an event and, where asked for, to who confirmed it. The same again is fine.

    Raises :class:`NotClaimedError`, :class:`AlreadyReportedError`, :class:`NotFoundError`, :class:`ForbiddenError`.
    """
    row = await _theirs(tx, actor, confirmation_id)
    written = await tx.fetchrow(
        "UPDATE executions SET status = $2, note = $3, reported_at = $4 WHERE confirmation_id = $1 "
        "AND status = 'claimed' RETURNING *",
        confirmation_id,
        told.status,
        told.note,
        rt.now(),
    )
    if written is None:
        return _view(await _same(tx, confirmation_id, told))
    data = {"confirmation_id": confirmation_id, "status": told.status, "note": told.note}
    await events.emit(
        tx, rt, client_id=row["client_id"], kind="confirmation.executed", subject=confirmation_id, data=data
    )
    if told.tell:
        await _tell(tx, rt, row, told)
    return _view(written)


async def _tell(tx: Tx, rt: Runtime, row: Record, told: Report) -> None:
    """Tell everybody who confirmed it; where a rule did, the person whom it is about."""
    everyone = (await approvers.of(tx, [row["id"]]))[row["id"]]
    asked_by = {each["person_id"]: each["message_id"] for each in everyone if each["verdict"] == "confirm"}
    persons = await people.get_many(tx, [*asked_by, row["person_id"]])
    for person_id, message_id in (asked_by or {row["person_id"]: None}).items():
        person, what = persons[person_id], row["action"]["action_description"]
        line = render.executed(told.status, what, told.note, person.language)
        await service.say(tx, rt, row, line, purpose="notice", person=person, quotes=message_id)


async def _same(tx: Tx, confirmation_id: str, told: Report) -> Record:
    found = await tx.fetchrow("SELECT * FROM executions WHERE confirmation_id = $1", confirmation_id)
    if found is None:
        raise NotClaimedError(f"Claim {confirmation_id} before it is carried out; nobody has.")
    if (found["status"], found["note"]) != (told.status, told.note):
        raise AlreadyReportedError(f"{confirmation_id} was reported as {found['status']} before.")
    return found


async def _forbidden(tx: Tx, rt: Runtime, actor: Actor, row: Record) -> str | None:
    """Why the policy of today does not let it be done. Whoever said yes in somebody's place counts as that one."""
    in_force = policy_file.load(rt.settings)
    if in_force.stamp in (None, row["policy_version"]):
        return None
    yes = [
        each["delegated_from"] or each["person_id"]
        for each in await approvers.everyone(tx, row["id"])
        if each["verdict"] == "confirm"
    ]
    persons = await people.get_many(tx, yes)
    names = policy.who_may(in_force.demands(row["action"]["action_type"]))
    return policy.still_allows(
        in_force, row, await whom.called(tx, actor, names, [persons[each] for each in yes])
    )


async def _theirs(tx: Tx, actor: Actor, confirmation_id: str) -> Record:
    row = service.visible(await receipts.get(tx, confirmation_id), actor, confirmation_id)
    if row["client_id"] != actor.client_id:
        raise ForbiddenError(
            "Only the assistant that asked may act on the answer, whatever the token's scopes."
        )
    return row


def _view(row: Record) -> dict[str, Any]:
    shown = ("confirmation_id", "status", "note", "claimed_at", "reported_at")
    return {"grant": row["id"], **{name: row[name] for name in shown}}
