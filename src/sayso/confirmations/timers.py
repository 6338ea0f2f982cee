"""What time does to questions: reminders, the next person to be asked, the release of what was held, the end."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from sayso.confirmations import absences, approvers, asking, moving, service, steps, told
from sayso.confirmations.service import QUEUE
from sayso.confirmations.steps import Due, Plan
from sayso.core import claims
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.people import service as people
from sayso.people.service import Person

#: While an earlier reply waits to be read, the end of a question looks again after this.
EXPIRY_LOOK = timedelta(milliseconds=100)

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
    for due in plan.now:
        await (_remind if due.doing == "remind" else _escalate)(tx, rt, row, due.persons)
    return (await _plan(tx, rt, row)).look_at


async def _escalate(tx: Tx, rt: Runtime, row: Record, person_ids: Sequence[str]) -> None:
    """Ask those whose turn it is; whoever is away is asked in the person of their delegate."""
    stand_ins = await absences.stand_ins(tx, rt, person_ids)
    for person_id in person_ids:
        asked = await approvers.delegate(tx, row["id"], person_id, stand_ins.get(person_id))
        if asked is not None:
            await asking.put_to(tx, rt, row, asked)
            await moving.escalated(tx, rt, row, asked)


async def _remind(tx: Tx, rt: Runtime, row: Record, person_ids: Sequence[str]) -> None:
    await approvers.reminded(tx, row["id"], person_ids, rt.now())
    everyone = await approvers.everyone(tx, row["id"])
    persons = await people.get_many(tx, person_ids)
    for each in everyone:
        if each["person_id"] not in person_ids:
            continue
        person = persons[each["person_id"]]
        left = row["expires_at"] - rt.now()
        line = told.line("reminder", row["action"]["action_description"], person.language, span=left)
        await service.say(tx, rt, row, line, purpose="notice", person=person, quotes=each["message_id"])


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
