"""At a million rows every statement of the claims walks its own partial index, whatever the planner believes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from harness.million import TABLES, Plan, churn, explained, fill
from sayso.confirmations import service as confirmations
from sayso.core import claims
from sayso.core.claims import PROMOTE_LIMIT, Queue
from sayso.core.database import Tx
from sayso.inbound import receive
from sayso.messages import claiming, dispatch, pairs
from sayso.messages import service as messages

QUEUES = {queue.table: queue for queue in (receive.QUEUE, messages.QUEUE, confirmations.QUEUE)}
BATCH = 250
WORKER = 7
TOMORROW = datetime.now(UTC) + timedelta(days=2)
SOON = datetime.now(UTC) + timedelta(days=1, minutes=3)  # a part of what waits for tomorrow is due by then
AT_NOON: Any = SimpleNamespace(now=lambda: SOON)  # all that is asked of a runtime here


@dataclass(frozen=True)
class Statement:
    """What is run, the indexes it may walk, and the pages it may touch to find its rows."""

    run: Callable[[Tx], Awaitable[Any]]
    may_walk: frozenset[str]
    pages: int
    claims_session: bool = True


def _run(sql: str, *args: Any) -> Callable[[Tx], Awaitable[Any]]:
    return lambda tx: tx.fetch(sql, *args)


_READY, _KEY = "messages_ready", "messages_pkey"
#: The statements of the messages' own claim, each with what it is given.
OWN_CLAIM = {
    "senders with ready messages": Statement(_run(claiming.WITH_READY), frozenset({_READY}), 60),
    "next by lane": Statement(
        _run(claiming.BY_LANE, ["1", "2"], [BATCH, 10]), frozenset({_READY}), BATCH * 4
    ),
    "the oldest of each lane": Statement(
        _run(claiming.OLDEST, ["1", "2"], [25, 1], [0, 1, 2]), frozenset({_READY}), 25 * 3 * 4
    ),
    "next but for who is passed over": Statement(
        _run(claiming.BEYOND, ["1", "2"], [BATCH, 10], ["p1", "p2"]), frozenset({_READY}), 1_000 * 4
    ),
    "what is released": Statement(
        _run(messages.RELEASE, "tier:1", SOON), frozenset({"messages_held", _KEY}), 50
    ),
    "take them": Statement(
        _run(claiming.TAKE, [f"msg_{number:08}" for number in range(1, 200 * BATCH, 200)]),
        frozenset({_KEY}),
        BATCH * 12,
    ),
    "what is to be reported": Statement(  # among what the rolled back promotions left behind
        _run(claiming.TO_REPORT), frozenset({"messages_to_report"}), PROMOTE_LIMIT
    ),
    "what has outlived its time": Statement(
        _run(claiming.TO_END, SOON), frozenset({"messages_stale"}), 1_000
    ),
    "the last that is held": Statement(
        _run(pairs.TAILS, ["pair:1:p3", "tier:1"]), frozenset({"messages_held"}), 50
    ),
}


def statements(queue: Queue) -> dict[str, Statement]:
    table = queue.table
    ready, waiting, running, key = (f"{table}_{name}" for name in ("ready", "waiting", "running", "pkey"))
    held = {"updates_held"} if queue.key else set()
    found = {
        "claim": Statement(
            lambda tx: claims.claim(tx, queue, worker=1, limit=BATCH),
            frozenset({ready, key, *held}),
            BATCH * 12,
        ),
        "promote": Statement(
            lambda tx: claims.promote(tx, queue, now=SOON), frozenset({waiting, key}), PROMOTE_LIMIT * 8
        ),
        "promote, nothing due": Statement(
            lambda tx: claims.promote(tx, queue, now=SOON - timedelta(days=3)), frozenset({waiting, key}), 50
        ),
        "release": Statement(
            lambda tx: claims.release(tx, queue, workers=[WORKER]), frozenset({running}), 1_000
        ),
        "backlog": Statement(lambda tx: claims.backlog(tx, queue), frozenset({ready}), 12_000),
    }
    if queue.key:
        found["unfinished"] = Statement(
            lambda tx: claims.unfinished(tx, queue, keys=["p3", "p4", "nobody"], before=TOMORROW),
            frozenset({"updates_open"}),
            100,
            claims_session=False,
        )
    if table == "messages":
        del found["claim"]  # messages have a claim of their own
        found |= OWN_CLAIM
        found["hand on what was under way"] = Statement(
            lambda tx: dispatch.lost_with_their_worker(AT_NOON, tx, [WORKER]),
            frozenset({running}),
            1_500,
        )
    return found


def faults(plan: Plan, statement: Statement, *, dead: int) -> list[str]:
    """What is wrong with a plan; with dead rows in the way, more pages are touched and no other index is."""
    found = []
    for node in plan.nodes():
        kind, relation = node["Node Type"], node.get("Relation Name")
        if kind in ("Seq Scan", "Bitmap Heap Scan") and relation in TABLES:
            found.append(f"{kind} of {relation}")
        index = node.get("Index Name")
        if index and index not in statement.may_walk | {"workers_pkey"}:
            found.append(f"walks {index}")
        if kind in ("Sort", "Incremental Sort") and node["Actual Rows"] > BATCH:
            found.append(f"sorts {node['Actual Rows']} rows")
    if plan.to_find() > statement.pages + dead * 3:
        found.append(f"touches {plan.to_find():,} pages, more than {statement.pages:,}")
    return found


async def judge(dsn: str, when: str, *, dead: int = 0) -> list[str]:
    found = []
    for table, queue in QUEUES.items():
        for name, statement in statements(queue).items():
            plans = await explained(dsn, statement.run, claims=statement.claims_session)
            assert plans, name
            for plan in plans:
                found += [
                    f"{when}: {name} of {table}: {fault}" for fault in faults(plan, statement, dead=dead)
                ]
    return found


async def test_a_million_rows_change_no_plan_with_without_and_with_misleading_statistics(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_args: object) -> None:
        """Timelines are not what is looked at here."""

    monkeypatch.setattr(dispatch, "note", nothing)
    await fill(dsn)
    onlooker = await asyncpg.connect(dsn)
    await onlooker.execute("INSERT INTO workers (beat_at) VALUES (now())")
    found = await judge(dsn, "without statistics")
    await onlooker.execute("ANALYZE updates, messages, confirmations")
    found += await judge(dsn, "with statistics")
    async with onlooker.transaction(isolation="repeatable_read"):
        await onlooker.fetch(
            "SELECT count(*) FROM workers"
        )  # a snapshot that keeps the dead rows from vacuum
        await churn(dsn)
        found += await judge(dsn, "among dead rows", dead=100_000)
    await onlooker.close()
    assert not found, "\n".join(found)
