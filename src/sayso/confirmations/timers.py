"""What time does to questions: reminders, the next person to be asked, the release of what was held, the end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sayso.confirmations import (
    approvers,
    asking,
    moving,
    policy,
    policy_file,
    quotas,
    service,
    steps,
    told,
    whom,
)
from sayso.confirmations.service import QUEUE
from sayso.confirmations.steps import Due, Plan
from sayso.core import claims
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.core.worker import Lease
from sayso.messages import service as messages
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.content import from_data

#: While an earlier reply waits to be read, the end of a question looks again after this.
EXPIRY_LOOK = timedelta(milliseconds=100)
#: While somebody who is to be asked has too many questions already, it is looked again after this.
ROOM_LOOK = timedelta(minutes=1)

#: Whether words of a person's (of anybody's: None) that came in before a time still wait to be read.
Undigested = Callable[[Tx, Person | None, datetime], Awaitable[bool]]


async def handle(rt: Runtime, lease: Lease, row: Record, *, undigested: Undigested) -> None:
    """Do what is due about a question, and say when to look again. Who changed it meanwhile has seen to that."""
    async with rt.db.tx() as tx:
        held = await tx.fetchrow(
            "SELECT * FROM confirmations WHERE id = $1 AND worker = $2 AND work = 'running' FOR UPDATE",
            row["id"],
            lease.worker,
        )
        claims.check_fence(QUEUE, worker=lease.worker, ended=int(held is not None), of=1)
        if held is None:
            return
        plan = await _plan(tx, rt, held)
        last = next((each for each in plan.now if each.doing in ("release", "expire")), None)
        if last is not None:
            if not await _unread(tx, held, plan.look_at, undigested):
                await _end(tx, rt, lease, held, last)
                return
            until = rt.now() + EXPIRY_LOOK
        else:
            until = await _go_on(tx, rt, held, plan)
        await claims.postpone(
            tx, QUEUE, worker=lease.worker, row_id=row["id"], until=until, blameless=last is None
        )


async def _plan(tx: Tx, rt: Runtime, row: Record) -> Plan:
    everyone = await approvers.everyone(tx, row["id"])
    return steps.due(steps.facts_of(row, approvers.read(everyone)), rt.now())


async def _unread(tx: Tx, row: Record, before: datetime, undigested: Undigested) -> bool:
    """Whether a reply of anybody's who was asked came in before the end, and still waits to be read."""
    for each in await approvers.everyone(tx, row["id"]):
        was_asked = each["state"] in ("asked", "answered")
        if was_asked and await undigested(tx, await people.get(tx, each["person_id"]), before):
            return True
    return False


async def _end(tx: Tx, rt: Runtime, lease: Lease, row: Record, due: Due) -> None:
    if due.doing == "release":
        await moving.release(tx, rt, row, worker=lease.worker)
    else:
        await service.decide_all(tx, rt, [row["id"]], "expired", worker=lease.worker)


async def _go_on(tx: Tx, rt: Runtime, row: Record, plan: Plan) -> datetime:
    """Remind, and ask the next; when to look again."""
    full = False
    for due in plan.now:
        if due.doing == "remind":
            await _remind(tx, rt, row, due.persons)
        else:
            full |= await _escalate(tx, rt, row, due.persons)
    look_at = (await _plan(tx, rt, row)).look_at
    return min(look_at, rt.now() + ROOM_LOOK) if full else look_at


async def _escalate(tx: Tx, rt: Runtime, row: Record, person_ids: Sequence[str]) -> bool:
    """Ask those whose turn it is; whoever is away is asked in the person of their delegate.

    Who has as many questions as one assistant may ask them is asked once there is room; whether there is such a one.
    """
    persons = await people.get_many(tx, person_ids)
    in_force, full = policy_file.load(rt.settings), False
    asker = Actor(row["client_id"], row["user_id"], frozenset(), "")
    may = policy.limited_to(in_force.demands(row["action"]["action_type"]))
    stand_ins = await whom.stand_ins(tx, rt, asker, list(persons.values()), may)
    for person_id in person_ids:
        person = persons[person_id]
        instead = stand_ins.get(person.id)
        if not await quotas.has_room(tx, rt, in_force.caps, row["client_id"], instead or person):
            full = True
            continue
        asked = await approvers.delegate(tx, row["id"], person_id, instead.id if instead else None)
        if asked is not None:
            await asking.put_to(tx, rt, row, asked)
            await moving.escalated(tx, rt, row, asked)
    return full


async def _remind(tx: Tx, rt: Runtime, row: Record, person_ids: Sequence[str]) -> None:
    """Once, and inside the 24-hour window; outside it by the question's own template, where the policy wants that."""
    await approvers.reminded(tx, row["id"], person_ids, rt.now())
    everyone = await approvers.everyone(tx, row["id"])
    persons = await people.get_many(tx, person_ids)
    for each in everyone:
        if each["person_id"] not in person_ids:
            continue
        person = persons[each["person_id"]]
        left = row["expires_at"] - rt.now()
        line = told.line("reminder", row["action"]["action_description"], person.language, span=left)
        draft = service.about(rt, row, line, purpose="notice", person=person, quotes=each["message_id"])
        draft = replace(draft, expires_at=min(draft.expires_at, row["expires_at"]))
        if row["rule"].get("remind_by_template"):
            draft = replace(
                draft,
                needs_window=False,
                outside_window=from_data(each["shown"]["template"]),
                category="confirmations",
            )
        await messages.send(tx, rt, draft)


async def expire_together(
    rt: Runtime, lease: Lease, rows: Sequence[Record], *, undigested: Undigested
) -> Sequence[Record]:
    """Many deadlines have come; the rest, and all while anybody's reply waits, are left to be looked at alone."""
    now = rt.now()
    over = [row for row in rows if row["status"] == "pending" and row["expires_at"] <= now]
    if not over:
        return rows
    async with rt.db.tx() as tx:
        if await undigested(tx, None, max(row["expires_at"] for row in over)):
            return rows
        ended = await service.decide_all(tx, rt, [row["id"] for row in over], "expired", worker=lease.worker)
        claims.check_fence(QUEUE, worker=lease.worker, ended=len(ended), of=len(over))
    gone = {row["id"] for row in over}
    return [row for row in rows if row["id"] not in gone]
