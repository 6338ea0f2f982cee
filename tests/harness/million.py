"""A million rows in each claimed table, quickly, and the plans of the statements that services run on them."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from sayso.core.database import _SESSION as SESSION
from sayso.core.database import CLAIM_SETTINGS, Record, Tx

ROWS = 1_000_000
DEAD = 100_000
#: Of ten rows one waits for tomorrow; of two hundred one is ready; of five thousand one runs. The rest is done.
_WORK = """
    CASE WHEN n % 10 = 3 THEN 'waiting' WHEN n % 200 = 1 THEN 'ready' WHEN n % 5000 = 2 THEN 'running' END,
    now() + CASE WHEN n % 10 = 3 THEN interval '1 day' ELSE interval '-1 day' END + n * interval '1 ms',
    CASE WHEN n % 5000 = 2 THEN 7 END
"""
_FILL = {
    "updates": (
        "key, kind, phone_number_id, person_key, item, context, body_digest, received_at",
        "'k' || lpad(n::text, 8, '0'), 'status', '1', 'p' || n % 50000, '{}', '{}', '', now()",
    ),
    "messages": (
        "id, client_id, person_id, phone_number_id, purpose, lane, content, state, expires_at, created_at",
        """'msg_' || lpad(n::text, 8, '0'), 'c', 'p' || n % 50000, '1', 'send', n % 3, '{}',
        CASE WHEN n % 200 = 1 THEN 'queued' ELSE 'sending' END, now(), now()""",
    ),
    "confirmations": (
        """id, client_id, user_id, person_id, phone_number_id, message_id, action, action_hash, shown, shown_hash,
        status, created_at, expires_at""",
        """'cnf_' || lpad(n::text, 8, '0'), 'c', 'u', 'p' || n % 50000, '1', 'm', '{}', '', '{}', '{}',
        'pending', now(), now()""",
    ),
}
TABLES = tuple(_FILL)
#: Said of a table before it is filled: autovacuum, which comes when it likes, would tell the planner of half of it.
UNCOUNTED = "ALTER TABLE {} SET (autovacuum_enabled = false)"


async def fill(dsn: str) -> None:
    """Fill every table at once; indexes are made afterwards, as that is faster, and no statistics are taken."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(";".join(map(UNCOUNTED.format, TABLES)))
    await connection.close()
    await asyncio.gather(*(_fill(dsn, table) for table in TABLES))


async def _fill(dsn: str, table: str) -> None:
    connection = await asyncpg.connect(dsn)
    columns, values = _FILL[table]
    indexes = await connection.fetch(
        "SELECT indexname AS name, indexdef AS made_by FROM pg_indexes WHERE tablename = $1 "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        table,
    )
    await connection.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '128MB'"
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    await connection.execute(
        f"INSERT INTO {table} ({columns}, work, work_at, worker) "
        f"SELECT {values}, {_WORK} FROM generate_series(1, {ROWS}) n"
    )
    for index in indexes:
        await connection.execute(index["made_by"])
    await connection.close()


async def churn(dsn: str) -> None:
    """Let 100,000 rows of each table become ready and be done, oldest first in every order of claims."""

    async def one(table: str) -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        name = "id" if table == "updates" else "right(id, 8)::int"
        which = f"{name} BETWEEN 1 AND {DEAD} AND work IS DISTINCT FROM 'waiting'"
        await connection.execute(f"UPDATE {table} SET work = 'ready', worker = NULL WHERE {which}")
        await connection.execute(f"UPDATE {table} SET work = NULL WHERE {which}")
        await connection.close()

    await asyncio.gather(*(one(table) for table in TABLES))


@dataclass(frozen=True)
class Plan:
    """One statement's plan, as it ran."""

    sql: str
    root: dict[str, Any]

    def nodes(self) -> Iterator[dict[str, Any]]:
        """Every node."""
        todo = [self.root]
        while todo:
            node = todo.pop()
            yield node
            todo += node.get("Plans", [])

    def buffers(self, node: dict[str, Any] | None = None) -> int:
        """Pages touched by a node and all below it; by the whole statement when none is given."""
        top = node or self.root
        return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])

    def to_find(self) -> int:
        """Pages touched to find the rows, before anything is written."""
        if self.root["Node Type"] != "ModifyTable":
            return self.buffers()
        return sum(self.buffers(child) for child in self.root["Plans"] if "Subplan Name" not in child)


@dataclass(slots=True, eq=False)
class Explaining(Tx):
    """A transaction that runs every statement under EXPLAIN and hands out nothing."""

    plans: list[Plan] = field(default_factory=list)

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        """Run and explain; no rows. Prepared, as the driver does, so that the plan is the one it would get."""
        name = f"statement_{len(self.plans)}"
        await self._connection.execute(f"PREPARE {name} AS {sql}")
        given = f"({', '.join(map(_literal, args))})" if args else ""
        text = await self._connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {name}{given}"
        )
        self.plans.append(Plan(sql, json.loads(text)[0]["Plan"]))
        return []

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        """Run and explain; no row."""
        await self.fetch(sql, *args)
        return None

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """Run and explain; no value."""
        await self.fetch(sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run and explain; no count."""
        await self.fetch(sql, *args)
        return 0


def _literal(value: Any) -> str:
    """A value as it stands in SQL: nothing, numbers, texts, bytes, times, JSON and lists of these."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return _quoted("{" + ",".join(map(_element, value)) + "}")
    return str(value) if isinstance(value, int | float) else _quoted(_text(value))


def _element(value: Any) -> str:
    """A value as it stands in a list."""
    if value is None:
        return "NULL"
    return '"' + _text(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return json.dumps(value) if isinstance(value, dict) else str(value)


async def explained(dsn: str, act: Any, *, claims: bool) -> Sequence[Plan]:
    """The plans of what ``act`` runs in a transaction, on a session of the claims' kind or of the others'; undone."""
    connection = await asyncpg.connect(dsn, server_settings={**SESSION, **(CLAIM_SETTINGS if claims else {})})
    try:
        transaction = connection.transaction()
        await transaction.start()
        tx = Explaining(connection)
        await act(tx)
        await transaction.rollback()
    finally:
        await connection.close()
    return tx.plans
