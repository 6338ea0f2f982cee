"""The row is the job: take due rows of any table in batches, under a lease, and finish or postpone them.

A claimable table has five columns of its own, written by nobody but this module and the statements that create or
end a row:

======== =========== ================================================================================
column   type        meaning
======== =========== ================================================================================
work     text        ``ready`` · ``waiting`` (due at ``work_at``) · ``running`` · NULL: nothing to do
work_at  timestamptz when it became, or becomes, ready
worker   bigint      who runs it: a number given once, to one life of one worker (so it is the epoch too)
tries    int         how often it was claimed since it last made progress
id       any         the primary key
======== =========== ================================================================================

and a partial index per state, so that future work is never in the index of what is ready. Liveness is per worker, not
per row: a heartbeat every second, presumed dead after five; any worker hands a dead one's rows on. Finishing is fenced
by the worker's number, in the transaction of the effect: a worker that was frozen beyond its lease finds that its rows
are no longer its own, and its transaction rolls back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sayso.core.database import Record, Tx

#: Rows promoted from ``waiting`` to ``ready`` in one statement.
PROMOTE_LIMIT = 1000
_DEAD = "beat_at < clock_timestamp() - make_interval(secs => $1)"


class LeaseLostError(Exception):
    """The rows are no longer ours: decided by somebody else, or handed on because we were presumed dead."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A claimable table. ``order`` sorts what is ready; rows that share a ``key`` are worked one after another.

    ``inward``: whatever its handlers do commits with the row itself. A claim then need not wait for the disk: when the
    server's crash undoes it, nothing was done yet that the crash has not undone, and the row is simply claimed again.
    """

    table: str
    order: str = "id"
    key: str | None = None
    inward: bool = False


async def enlist(tx: Tx) -> int:
    """Give this life of a worker its number."""
    number: int = await tx.fetchval(
        "INSERT INTO workers (beat_at, session) VALUES (clock_timestamp(), current_setting('application_name')) "
        "RETURNING id"
    )
    return number


async def beat(tx: Tx, worker: int) -> bool:
    """Say that the worker lives; False when it had been presumed dead, and its rows are gone."""
    return await tx.execute("UPDATE workers SET beat_at = clock_timestamp() WHERE id = $1", worker) == 1


async def bury(tx: Tx, *, lease_s: float) -> list[int]:
    """Take the workers whose last heartbeat is older than ``lease_s`` off the list; their numbers.

    What their sessions have open is rolled back at once, or a process that stands still would keep its locks for as
    long as it does, and whoever takes over its rows would stand still before them. One that is in the middle of a claim
    is passed over until that has ended, as it does when its session does.
    """
    dead = await tx.fetch(f"SELECT session FROM workers WHERE {_DEAD}", lease_s)
    if not dead:
        return []
    await tx.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = ANY($1) AND application_name <> current_setting('application_name') "
        "AND application_name <> '' AND xact_start IS NOT NULL",
        [row["session"] for row in dead],
    )
    rows = await tx.fetch(
        f"DELETE FROM workers WHERE id IN (SELECT id FROM workers WHERE {_DEAD} FOR UPDATE SKIP LOCKED) RETURNING id",
        lease_s,
    )
    return [row["id"] for row in rows]


async def retire(tx: Tx, worker: int) -> None:
    """Take a worker off the list after its rows were released."""
    await tx.execute("DELETE FROM workers WHERE id = $1", worker)


async def claim(tx: Tx, queue: Queue, *, worker: int, limit: int) -> list[Record]:
    """Take up to ``limit`` ready rows, in the queue's order.

    With a key, claims are made one at a time across all workers and pass over keys that somebody is busy with, so that
    a key's rows are worked in order.
    """
    if queue.key:
        await alone(tx, queue)
    rows = await tx.fetch(claim_sql(queue), worker, limit)
    columns = [column.strip() for column in queue.order.split(",")]
    return sorted(rows, key=lambda row: [row[column] for column in columns])


async def alone(tx: Tx, queue: Queue) -> None:
    """Until the transaction ends nobody else claims from, or promotes in, this queue."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"claim:{queue.table}")


def claim_sql(queue: Queue) -> str:
    """The claim as one statement; $1 the worker's number, $2 the limit.

    That nobody is busy with a row's key is asked by a scalar subquery, which looks the key up; a NOT EXISTS becomes a
    join, for which the planner, who believes that nothing is running, walks all that is.

    With a key no locked row is passed over, since later ones of its key would overtake it: whoever locks a ready row
    is about to end.

    A worker that has been buried takes nothing: its rows would have nobody to hand them on. The lock on its own
    entry makes a burial wait for the claim, or the claim see the burial.
    """
    held = (
        f"AND (SELECT 1 FROM {queue.table} held WHERE held.{queue.key} = due.{queue.key} "
        f"AND held.{queue.key} <> '' AND held.work IN ('running', 'waiting') LIMIT 1) IS NULL "
        if queue.key
        else ""
    )
    lasting = ", set_config('synchronous_commit', 'off', true)" if queue.inward else ""
    return (
        f"WITH alive AS MATERIALIZED (SELECT id{lasting} FROM workers WHERE id = $1 FOR KEY SHARE), "
        f"taken AS MATERIALIZED (SELECT due.id FROM {queue.table} due "
        f"WHERE due.work = 'ready' AND EXISTS (SELECT 1 FROM alive) {held}"
        f"ORDER BY {', '.join('due.' + c.strip() for c in queue.order.split(','))} "
        f"LIMIT $2 FOR UPDATE OF due{'' if queue.key else ' SKIP LOCKED'}) "
        f"UPDATE {queue.table} job SET work = 'running', worker = $1, tries = job.tries + 1 "
        "FROM taken WHERE job.id = taken.id RETURNING job.*"
    )


async def alive(tx: Tx, worker: int) -> bool:
    """Whether a worker may claim, for a claim of another kind than :func:`claim`; see :func:`claim_sql`."""
    return await tx.fetchval("SELECT id FROM workers WHERE id = $1 FOR KEY SHARE", worker) is not None


def promote_sql(queue: Queue) -> str:
    """Make what has become due ready; $1 now, $2 the limit."""
    return (
        f"WITH due AS MATERIALIZED (SELECT id FROM {queue.table} WHERE work = 'waiting' AND work_at <= $1 "
        "ORDER BY work_at LIMIT $2 FOR UPDATE SKIP LOCKED) "
        f"UPDATE {queue.table} job SET work = 'ready' FROM due WHERE job.id = due.id"
    )


async def promote(tx: Tx, queue: Queue, *, now: datetime) -> int:
    """Make rows whose time has come ready; how many.

    With a key it takes turns with claims: a row that was promoted a moment before by somebody else would stay locked
    by the look at it, and a claim that passed over it would take the key's later rows first.
    """
    if queue.key:
        await alone(tx, queue)
    return await tx.execute(promote_sql(queue), now, PROMOTE_LIMIT)


async def complete(tx: Tx, queue: Queue, *, worker: int, ids: Sequence[Any]) -> None:
    """End the work on rows, in the transaction of their effect; raises :class:`LeaseLostError` if any is not ours."""
    done = await tx.execute(
        f"UPDATE {queue.table} SET work = NULL, worker = NULL, tries = 0 "
        "WHERE id = ANY($1) AND worker = $2 AND work = 'running'",
        list(ids),
        worker,
    )
    check_fence(queue, worker=worker, ended=done, of=len(ids))


def check_fence(queue: Queue, *, worker: int, ended: int, of: int) -> None:
    """Raise :class:`LeaseLostError` when a statement that should end ``of`` rows of a worker found fewer of them."""
    if ended != of:
        raise LeaseLostError(f"{of - ended} of {of} {queue.table} rows are no longer worker {worker}'s")


async def postpone(
    tx: Tx, queue: Queue, *, worker: int, row_id: Any, until: datetime, blameless: bool = False
) -> bool:
    """Put a row back, to be claimed again at ``until``; False when it is not ours any more.

    ``blameless``: it was not the row's fault, so this try does not count.
    """
    done = await tx.execute(
        f"UPDATE {queue.table} SET work = 'waiting', work_at = $3, worker = NULL, tries = tries - $4::int "
        "WHERE id = $1 AND worker = $2 AND work = 'running'",
        row_id,
        worker,
        until,
        int(blameless),
    )
    return done == 1


async def release(tx: Tx, queue: Queue, *, workers: Sequence[int]) -> list[Any]:
    """Hand the rows of dead or leaving workers on, at once; their ids."""
    rows = await tx.fetch(
        f"UPDATE {queue.table} SET work = 'ready', worker = NULL "
        "WHERE work = 'running' AND worker = ANY($1) RETURNING id",
        list(workers),
    )
    return [row["id"] for row in rows]


async def unfinished(tx: Tx, queue: Queue, *, keys: Sequence[str], before: datetime) -> bool:
    """Whether a row of these keys that came in before ``before`` still waits to be worked."""
    found: bool = await tx.fetchval(
        f"SELECT EXISTS (SELECT 1 FROM {queue.table} "
        f"WHERE {queue.key} = ANY($1) AND work IS NOT NULL AND received_at < $2)",
        list(keys),
        before,
    )
    return found


async def put_back(tx: Tx, queue: Queue, *, worker: int, ids: Sequence[Any]) -> None:
    """Return rows that were claimed but not tried, as if they had never been taken."""
    await tx.execute(
        f"UPDATE {queue.table} SET work = 'ready', worker = NULL, tries = tries - 1 "
        "WHERE id = ANY($1) AND worker = $2 AND work = 'running'",
        list(ids),
        worker,
    )


async def disown(tx: Tx, queue: Queue, *, worker: int, keep: Sequence[Any]) -> None:
    """Return what this living worker holds by the books but has not in hand: a claim nobody heard the commit of."""
    await tx.execute(
        f"UPDATE {queue.table} SET work = 'ready', worker = NULL, tries = tries - 1 "
        "WHERE work = 'running' AND worker = $1 AND id <> ALL($2)",
        worker,
        list(keep),
    )


async def backlog(tx: Tx, queue: Queue) -> tuple[int, datetime | None]:
    """How many rows are ready (counted up to 10,000), and since when the oldest is."""
    row = await tx.fetchrow(
        f"SELECT count(*) AS n, min(work_at) AS oldest FROM "
        f"(SELECT work_at FROM {queue.table} WHERE work = 'ready' LIMIT 10000) ready"
    )
    return (row["n"], row["oldest"]) if row else (0, None)
