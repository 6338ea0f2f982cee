"""A PostgreSQL server for the whole run of one test process, and for each test a database nobody has written to.

To make one from the template and to drop it costs several times what most tests do in it. A database whose schema is
as it was is therefore emptied row by row instead, and is the next test's.
"""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg

from sayso.core import embedded
from sayso.core.migrate import migrate

_TEMPLATE = "template_sayso"
#: Most tests are about something else than opt-ins: for them we may begin. A test of consent takes these rows away.
NO_OPT_INS = """
INSERT INTO consent_policies (id, category, opt_in_required, reason, actor, at)
SELECT 'pol_test_' || category, category, false, 'tests of something else', 'tests', now()
FROM unnest(ARRAY['confirmations', 'notifications', 'daily_summary', 'marketing']) AS c (category)
ON CONFLICT DO NOTHING
"""
#: How far a database may have grown and still be emptied rather than dropped.
_GROWN_BYTES = 4_000_000

_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
)
#: Differs once anything was created, altered, dropped, analyzed, or vacuumed: what was counted then tells the planner.
_SHAPE = """
SELECT concat_ws(' ', (SELECT count(*) FROM pg_class WHERE reltuples >= 0 AND relkind = 'r' AND oid >= 16384),
    (SELECT concat(count(*), ':', max(xmin::text::bigint)) FROM pg_class),
    (SELECT concat(count(*), ':', max(xmin::text::bigint)) FROM pg_attribute),
    (SELECT concat(count(*), ':', max(xmin::text::bigint)) FROM pg_proc),
    (SELECT concat(count(*), ':', max(xmin::text::bigint)) FROM pg_trigger),
    (SELECT concat(count(*), ':', max(xmin::text::bigint)) FROM pg_constraint),
    (SELECT count(*) FROM pg_statistic),
    (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase IN (
        SELECT oid FROM pg_database WHERE datname = current_database())))
"""
_SIZE = "SELECT pg_database_size(current_database())"
_LET_GO = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_REWIND = """
SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid
WHERE relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class _Contents:
    """What is in the template: its tables, and as JSON the rows of those that are not empty."""

    tables: list[str]
    rows: dict[str, str]

    @classmethod
    async def read(cls, connection: Any) -> Self:
        tables = [row["relname"] for row in await connection.fetch(_TABLES)]
        rows = {}
        for table in tables:
            found = await connection.fetchval(f"SELECT json_agg(t) FROM {table} t")
            if found is not None:
                rows[table] = found
        return cls(tables, rows)

    async def restore(self, connection: Any) -> None:
        """Whatever triggers and foreign keys say to it, all rows but these are gone, and every sequence begins anew."""
        await connection.execute(
            "SET session_replication_role = replica;" + ";".join(f"DELETE FROM {t}" for t in self.tables)
        )
        for table, rows in self.rows.items():
            insert = f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset"
            await connection.execute(f"{insert}(NULL::{table}, $1)", rows)
        await connection.execute(_REWIND)


class Databases:
    """Makes databases: ``fresh()`` gives the DSN of one with the schema in it, and nothing else."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._numbers = itertools.count(1)
        self._free: list[str] = []
        self._shapes: dict[str, str] = {}
        self._run("CREATE DATABASE " + _TEMPLATE)
        asyncio.run(migrate(self._named(_TEMPLATE)))
        self._run(NO_OPT_INS, _TEMPLATE)
        self._contents = asyncio.run(self._on(_TEMPLATE, _Contents.read))
        self._most = _GROWN_BYTES + self._run(_SIZE, _TEMPLATE)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """A database with the newest schema, as the migrations leave it; whoever is still connected then is not."""
        name = self._unused() or self._new()
        try:
            yield self._named(name)
        finally:
            if asyncio.run(self._emptied(name)):
                self._free.append(name)
            else:
                self._drop(name)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A database without any schema."""
        name = f"empty_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name}")
        try:
            yield self._named(name)
        finally:
            self._drop(name)

    def _unused(self) -> str | None:
        """A database that was emptied and is still as it was then: autovacuum may have counted what was deleted."""
        while self._free:
            name = self._free.pop()
            if self._run(_SHAPE, name) == self._shapes[name]:
                return name
            self._drop(name)
        return None

    def _drop(self, name: str) -> None:
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _new(self) -> str:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        self._shapes[name] = self._run(_SHAPE, name)
        return name

    async def _emptied(self, name: str) -> bool:
        """Whether a database is as good as new again."""

        async def empty(connection: Any) -> bool:
            await connection.execute(_LET_GO)
            as_it_was = await connection.fetchval(_SHAPE) == self._shapes[name]
            if as_it_was and await connection.fetchval(_SIZE) < self._most:
                await self._contents.restore(connection)
                return True
            return False

        try:
            return bool(await self._on(name, empty))
        except (asyncpg.PostgresError, OSError):  # it takes no connections, or there is none of that name
            return False

    def _named(self, name: str) -> str:
        return self.dsn.replace("/sayso?", f"/{name}?", 1)

    async def _on(self, name: str, ask: Any) -> Any:
        connection = await asyncpg.connect(self._named(name))
        try:
            return await ask(connection)
        finally:
            await connection.close()

    def _run(self, statement: str, name: str = "sayso") -> Any:
        return asyncio.run(self._on(name, lambda connection: connection.fetchval(statement)))


@contextmanager
def server(directory: Path) -> Iterator[Databases]:
    """The embedded PostgreSQL, in a directory of its own."""
    running = embedded.start(directory)
    try:
        yield Databases(running.dsn)
    finally:
        running.release()
