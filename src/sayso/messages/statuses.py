"""Statuses of Meta's, joined to the messages they are about, many at a time; forward only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.telemetry import META_ERRORS
from sayso.messages import attempts
from sayso.messages.rules import STATUSES, moved
from sayso.messages.service import Step, explain, note
from sayso.people import service as people
from sayso.whatsapp.updates import StatusUpdate

_FIND = """
SELECT id, client_id, person_id, purpose, confirmation_id, state, reason, error_code, wamid FROM messages
WHERE id IN (SELECT unnest($1::text[]) UNION SELECT m.id FROM messages m WHERE m.wamid = ANY($2))
ORDER BY id FOR UPDATE
"""
_MOVE = """
UPDATE messages m SET state = s.state, wamid = coalesce(m.wamid, s.wamid), reason = s.reason, error_code = s.code,
    work = CASE WHEN m.work = 'running' THEN m.work END
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[]) AS s (id, state, wamid, reason, code)
WHERE m.id = s.id
"""


@dataclass(frozen=True, slots=True)
class Joined:
    """A status with its message as it was right after it, and whether it moved it."""

    message: Record
    moved: bool


async def record(tx: Tx, rt: Runtime, statuses: Sequence[StatusUpdate]) -> list[Joined | None]:
    """Join statuses, in the order given, to their messages: by our id in the callback data, or else by wamid.

    None for those that are about no message of ours. A status may come before our own commit of the answer, and
    settles a message whose answer was lost. The messages are locked in the order of their ids, as everywhere.
    """
    if not statuses:
        return []
    callbacks = [attempts.named(status.callback)[0] for status in statuses]
    rows = await tx.fetch(_FIND, [said for said in callbacks if said], [status.wamid for status in statuses])
    now_is: dict[str, Record] = {row["id"]: row for row in rows}
    by_wamid = {row["wamid"]: row["id"] for row in rows if row["wamid"]}
    steps: list[Step] = []
    joined: list[Joined | None] = []
    for status, said in zip(statuses, callbacks, strict=True):
        row = now_is.get(said or "") or now_is.get(by_wamid.get(status.wamid, ""))
        if row is None:
            joined.append(None)
            continue
        one, step = _join(row, status, rt)
        now_is[row["id"]] = one.message
        steps.append(step)
        joined.append(one)
    await _learn(tx, rt, statuses, joined, {row["id"] for row in rows if row["wamid"] is None})
    await _write(
        tx, {one.message["id"]: now_is[one.message["id"]] for one in joined if one and one.moved}, steps
    )
    return joined


async def _learn(
    tx: Tx,
    rt: Runtime,
    statuses: Sequence[StatusUpdate],
    joined: Sequence[Joined | None],
    unanswered: set[str],
) -> None:
    """Whom Meta says a message reached, where its own answer never told: it may name them otherwise than we do."""
    facts = [
        (one.message["person_id"], kind, value)
        for status, one in zip(statuses, joined, strict=True)
        if one and one.message["id"] in unanswered
        for kind, value in (("wa_id", status.recipient.wa_id), ("bsuid", status.recipient.bsuid))
        if value
    ]
    if facts:
        await people.learn(tx, rt, list(dict.fromkeys(facts)), learned_from="meta:status")


def _join(row: Record, status: StatusUpdate, rt: Runtime) -> tuple[Joined, Step]:
    """What one status means for a message as it is, and the entry for its timeline."""
    state = STATUSES.get(status.status)
    reason = explain(status.errors[0]) if status.errors else None
    at = status.at or rt.now()
    if state is None or not moved(row["state"], state):
        reason = reason or f"Meta said {status.status}; the message was further already"
        return Joined(row, moved=False), Step(
            row["id"], at, row["state"], reason, _detail(status), moved=False
        )
    now_is = {
        **row,
        "state": state,
        "wamid": row["wamid"] or status.wamid,
        "reason": reason,
        "error_code": status.errors[0].code if status.errors else None,
    }
    return Joined(now_is, moved=True), Step(row["id"], at, state, reason, _detail(status))


async def _write(tx: Tx, messages: dict[str, Record], steps: Sequence[Step]) -> None:
    for row in messages.values():
        if row["state"] == "failed":
            tx.after_commit(META_ERRORS.labels(str(row["error_code"] or "unknown")).inc)
    if messages:
        columns = ("id", "state", "wamid", "reason", "error_code")
        await tx.execute(_MOVE, *([row[name] for row in messages.values()] for name in columns))
    if steps:
        await note(tx, steps)


def _detail(status: StatusUpdate) -> dict[str, Any]:
    detail: dict[str, Any] = {"status": status.status, "wamid": status.wamid}
    if status.pricing:
        detail["pricing"] = status.pricing
    if status.errors:
        detail["code"] = status.errors[0].code
    return detail
