"""The schema: from nothing to the newest step, by whomever, however often they are killed over it."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command, op
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from harness.databases import Databases
from sayso.core import migrate as steps
from sayso.core.errors import DatabaseUnavailableError, SettingError
from sayso.core.migrate import migrate, newest

TESTS = Path(__file__).parents[1]

_SCHEMA = """
SELECT 'column' AS kind, c.relname || '.' || a.attname AS name,
    concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
        a.attidentity, pg_get_expr(d.adbin, d.adrelid)) AS is
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'options', relname, array_to_string(reloptions, ', ') FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
ORDER BY 1, 2
"""


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    """A database without a schema."""
    with databases.empty() as dsn:
        yield dsn


async def schema(dsn: str) -> dict[tuple[str, str], str]:
    """Everything that makes the schema what it is."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(_SCHEMA)
    await connection.close()
    return {(row["kind"], row["name"]): row["is"] for row in rows}


async def at(dsn: str) -> str | None:
    """The step a database says it is at."""
    connection = await asyncpg.connect(dsn)
    try:
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return found


async def process(dsn: str, *, die_at: int = 0) -> int:
    """Migrate in a process of its own; its exit code."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "harness.one_migration",
        dsn,
        str(die_at),
        stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
    )
    return await child.wait()


async def test_from_nothing_to_the_newest_step_and_again_changes_nothing(empty: str, dsn: str) -> None:
    assert await schema(empty) == {}
    await migrate(empty)
    assert await at(empty) == newest() is not None
    made = await schema(empty)
    await migrate(empty)
    assert await schema(empty) == made == await schema(dsn)
    assert len(made) > 150


async def test_step_by_step_leads_where_one_leap_does(empty: str, dsn: str) -> None:
    revisions = [step.revision for step in ScriptDirectory.from_config(steps._config()).walk_revisions()]

    def climb(connection: Connection, revision: str) -> None:
        config = steps._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = create_async_engine(empty.replace("postgresql://", "postgresql+asyncpg://", 1))
    for revision in reversed(revisions):
        async with engine.connect() as connection:
            await connection.run_sync(climb, revision)
        assert await at(empty) == revision
    await engine.dispose()
    assert await schema(empty) == await schema(dsn)


async def test_several_processes_at_once_make_one_schema(empty: str, dsn: str) -> None:
    assert await asyncio.gather(*(process(empty) for _ in range(3))) == [0, 0, 0]
    assert await schema(empty) == await schema(dsn)


@pytest.mark.parametrize(("statement", "completed"), [(1, 0), (12, 0), (33, 0), (60, 1), (80, 1)])
async def test_killed_half_way_the_next_start_completes_it(
    empty: str, dsn: str, statement: int, completed: int
) -> None:
    assert await process(empty, die_at=statement) == -signal.SIGKILL
    assert int(await at(empty) or 0) >= completed, "a step that was completed is gone"
    assert await at(empty) != newest()
    await migrate(empty)
    assert await schema(empty) == await schema(dsn)


async def test_failing_at_any_statement_leaves_nothing_half_done(
    empty: str, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, total, left = op.execute, 0, 0
    reached: dict[str | None, Any] = {}

    class PlantedError(Exception):
        pass

    def stopping(*args: Any, **options: Any) -> None:
        nonlocal left
        run(*args, **options)
        left -= 1
        if left == 0:
            raise PlantedError

    monkeypatch.setattr(op, "execute", stopping)
    while True:
        total, left = total + 4, total + 4
        try:
            await migrate(empty)
        except PlantedError:
            left_behind = await schema(empty)
            assert reached.setdefault(await at(empty), left_behind) == left_behind
        else:
            break
    assert total > 20
    assert {name for kind, name in reached[None] if kind == "index"} <= {"alembic_version_pkc"}
    assert await schema(empty) == await schema(dsn)


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    before = await schema(dsn)
    with pytest.raises(SettingError, match="step 9999, which this version of Sayso does not know"):
        await migrate(dsn)
    assert await schema(dsn) == before
    assert await at(dsn) == "9999"


async def test_a_server_that_is_not_there_is_told_in_our_words() -> None:
    with pytest.raises(DatabaseUnavailableError, match="does not answer"):
        await migrate("postgres://nobody@127.0.0.1:1/none")
