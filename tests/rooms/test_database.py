"""Transactions: what happens after their commit, and what comes back as it went in."""

import asyncio
import math
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from sayso.core.database import UNAVAILABLE, Database, in_transaction
from sayso.core.errors import DatabaseUnavailableError
from sayso.core.runtime import Runtime


async def test_what_waits_for_the_commit_happens_after_it_and_in_order(rt: Runtime) -> None:
    done: list[tuple[int, bool]] = []
    async with rt.db.tx() as tx:
        await tx.execute("CREATE TABLE seen (n int)")
        tx.after_commit(lambda: done.append((1, in_transaction())))
        tx.after_commit(lambda: done.append((2, in_transaction())))
        assert done == []
    assert done == [(1, False), (2, False)]


async def test_nothing_happens_after_a_rollback(rt: Runtime) -> None:
    done: list[int] = []

    async def fails() -> None:
        async with rt.db.tx() as tx:
            await tx.execute("CREATE TABLE seen (n int)")
            tx.after_commit(lambda: done.append(1))
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT to_regclass('seen')") is None
    assert done == []
    assert not in_transaction()


async def test_nothing_happens_when_the_commit_itself_is_refused(rt: Runtime) -> None:
    done: list[int] = []
    async with rt.db.tx() as tx:
        await tx.execute("CREATE TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")

    async def refused() -> None:
        async with rt.db.tx() as tx:
            await tx.execute("INSERT INTO once VALUES (1), (1)")
            tx.after_commit(lambda: done.append(1))

    with pytest.raises(asyncpg.UniqueViolationError):
        await refused()
    assert done == []


async def test_a_cancelled_transaction_is_rolled_back_and_its_connection_is_sound(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await tx.execute("CREATE TABLE seen (n int)")
    inside = asyncio.Event()

    async def slow() -> None:
        async with rt.db.tx() as tx:
            await tx.execute("INSERT INTO seen VALUES (1)")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(slow())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT count(*) FROM seen") == 0


async def test_each_task_knows_whether_it_is_inside_a_transaction(rt: Runtime) -> None:
    async def look() -> bool:
        return in_transaction()

    assert not in_transaction()
    other = asyncio.create_task(look())
    async with rt.db.tx():
        assert in_transaction()
        async with rt.db.tx(claims=True):
            assert in_transaction()
        assert in_transaction()
        assert not await other
    assert not in_transaction()


async def test_rows_touched_are_counted(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        assert await tx.execute("CREATE TABLE seen (n int)") == 0
        assert await tx.execute("INSERT INTO seen SELECT generate_series(1, 5)") == 5
        assert await tx.execute("UPDATE seen SET n = n WHERE n < $1", 3) == 2
        assert await tx.execute("DELETE FROM seen WHERE n > 100") == 0
        await tx.executemany("INSERT INTO seen VALUES ($1)", [(7,), (8,)])
        assert [row["n"] for row in await tx.fetch("SELECT n FROM seen WHERE n > 5 ORDER BY 1")] == [7, 8]


_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@given(value=_JSON)
@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_value_comes_back_from_jsonb_as_it_went_in(rt: Runtime, value: Any) -> None:
    async with rt.db.one() as tx:
        assert same(await tx.fetchval("SELECT $1::jsonb", value), value)
        rows = await tx.fetch("SELECT * FROM unnest($1::jsonb[]) AS v", [{"a": value}, None])
    assert same(rows[0]["v"], {"a": value})
    assert rows[1]["v"] is None


def same(left: Any, right: Any) -> bool:
    """Equal, taking numbers as numbers: jsonb keeps their decimal form, in which 1e300 is an integer."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float | int) and isinstance(right, float | int):
        return type(left) is type(right) or math.isclose(left, right, rel_tol=0) or left == right
    return type(left) is type(right) and bool(left == right)


@pytest.mark.parametrize(
    "dsn_of_nobody",
    ["postgresql://nobody@127.0.0.1:1/none", "postgresql:///none?host=/nowhere&user=nobody"],
)
async def test_a_server_that_is_not_there_is_told_in_our_words(dsn_of_nobody: str) -> None:
    with pytest.raises(DatabaseUnavailableError, match="does not answer"):
        await Database.connect(dsn_of_nobody, size=2)


async def test_a_database_that_is_gone_counts_as_unavailable(rt: Runtime) -> None:
    async with rt.db.one() as tx:
        mine = await tx.fetchval("SELECT pg_backend_pid()")
    async with rt.db.tx() as tx:
        await tx.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )

    async def use_all() -> None:
        async with rt.db.tx() as one, rt.db.tx() as other:
            await one.fetchval("SELECT 1")
            await other.fetchval("SELECT 1")

    try:
        await use_all()
    except UNAVAILABLE:
        await use_all()  # a broken connection is replaced, not handed out again
    async with rt.db.tx(claims=True) as tx:
        assert await tx.fetchval("SELECT pg_backend_pid()") != mine


async def test_sessions_that_stand_still_inside_a_transaction_are_ended(rt: Runtime) -> None:
    async with rt.db.tx() as tx, rt.db.tx(claims=True) as claiming:
        assert await tx.fetchval("SHOW idle_in_transaction_session_timeout") == "10s"
        assert await claiming.fetchval("SHOW idle_in_transaction_session_timeout") == "5s"
        assert await claiming.fetchval("SHOW enable_seqscan") == "off"
        assert await claiming.fetchval("SHOW enable_bitmapscan") == "off"
        assert await tx.fetchval("SHOW enable_bitmapscan") == "on"
        assert await tx.fetchval("SHOW timezone") == "UTC"
