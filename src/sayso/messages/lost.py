"""Messages whose answer was lost, and which no status has settled within the deadline: what each asked for."""

from collections.abc import Sequence
from datetime import datetime

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages.outcome import REPORT_UNKNOWN_AFTER
from sayso.messages.service import Step, note, tell_unknown

_REPORTED = "reported: no status of Meta's says what became of it; it may or may not have reached the person"
_AGAIN = "posted once more, as asked for: no status says what became of it, so the person may get it twice"


async def give_up_waiting(tx: Tx, rt: Runtime, rows: Sequence[Record]) -> None:
    """Deal with claimed rows whose deadline has come, each by its ``if_unknown``.

    ``give_up``: say so, and leave it ``unknown`` until a status comes. ``ask``: the same, with what can be done.
    ``retry_once``: queue one attempt more, unless its life has ended; the second time it is reported. One that is
    still ``sending`` was given back because its result could not be recorded: its deadline only begins.
    """
    for claimed in rows:
        if claimed["state"] == "sending":
            await _unrecorded(tx, rt, claimed)
            continue
        row = await tx.fetchrow(
            "UPDATE messages SET work = NULL, worker = NULL WHERE id = $1 RETURNING *", claimed["id"]
        )
        if row is None or row["state"] != "unknown":
            continue
        if row["if_unknown"] == "retry_once" and rt.now() < row["expires_at"]:
            await post_again(tx, rt, row, _AGAIN)
        else:
            await _report(tx, rt, row)


async def _unrecorded(tx: Tx, rt: Runtime, row: Record) -> None:
    now, reason = rt.now(), "its result could not be recorded"
    await tx.execute(
        "UPDATE messages SET state = 'unknown', reason = $2, work = 'waiting', work_at = $3, worker = NULL "
        "WHERE id = $1",
        row["id"],
        reason,
        (row["posted_at"] or now) + REPORT_UNKNOWN_AFTER,
    )
    await note(tx, [Step(row["id"], now, "unknown", reason)])


async def post_again(
    tx: Tx, rt: Runtime, row: Record, why: str, *, expires_at: datetime | None = None
) -> None:
    """Queue a locked message that may have been taken for one attempt more; it never does so twice by itself.

    ``expires_at``: until when it lives now, if not as before.
    """
    await tx.execute(
        "UPDATE messages SET state = 'queued', reason = $2, error_code = NULL, if_unknown = 'give_up', retries = 0, "
        "risked = true, "
        "past_wamids = past_wamids || array_remove(ARRAY[wamid], NULL), wamid = NULL, work = 'ready', work_at = $3, "
        "expires_at = coalesce($4, expires_at), worker = NULL, tries = 0 WHERE id = $1",
        row["id"],
        why,
        now := rt.now(),
        expires_at,
    )
    detail = {"again": "unknown", "attempt": row["attempt"] + 1} | (
        {"until": expires_at} if expires_at else {}
    )
    await note(tx, [Step(row["id"], now, "queued", why, detail)])
    tx.after_commit(lambda: rt.wakes.work("messages"))


async def _report(tx: Tx, rt: Runtime, row: Record) -> None:
    await note(tx, [Step(row["id"], rt.now(), "unknown", _REPORTED, moved=False)])
    await tell_unknown(tx, rt, row)
