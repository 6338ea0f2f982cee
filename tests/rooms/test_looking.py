"""Commands that look into a database: what they find there they leave as it is, and what is wrong is one sentence."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from harness.databases import Databases
from sayso.cli.database import with_runtime
from sayso.core.errors import DatabaseUnavailableError, SettingError
from sayso.core.runtime import Runtime


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    """A database without a schema."""
    with databases.empty() as dsn:
        yield dsn


def env_file(tmp_path: Path, dsn: str) -> Path:
    """Where such a command finds its database."""
    path = tmp_path / "env"
    path.write_text(f"DATABASE_URL={dsn}\nSAYSO_DATA_DIR={tmp_path / 'data'}\n", "utf-8")
    return path


def run(dsn: str, statement: str) -> list[str]:
    """The first column of what a statement gives."""

    async def ask() -> list[str]:
        connection = await asyncpg.connect(dsn)
        try:
            return [row[0] for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(ask())


async def never(_rt: Runtime) -> None:
    """What must not be reached."""
    raise AssertionError("it was looked at")


def test_a_database_without_our_schema_is_not_given_one(empty: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"holds nothing of Sayso's yet: start the service with it once\."):
        with_runtime(env_file(tmp_path, empty), never)
    assert run(empty, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


@pytest.mark.parametrize("step", ["0001", "9999"])
def test_a_database_of_another_version_is_not_touched(dsn: str, tmp_path: Path, step: str) -> None:
    run(dsn, f"UPDATE alembic_version SET version_num = '{step}'")
    with pytest.raises(
        SettingError, match=f"The database is at step {step}, this version of Sayso needs step "
    ):
        with_runtime(env_file(tmp_path, dsn), never)
    assert run(dsn, "SELECT version_num FROM alembic_version") == [step]


def test_a_database_that_goes_away_meanwhile_is_one_sentence(dsn: str, tmp_path: Path) -> None:
    async def work(rt: Runtime) -> None:
        async with rt.db.one() as tx:
            await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(
        DatabaseUnavailableError, match=r"^The database does not answer: .* is the URL right\?$"
    ):
        with_runtime(env_file(tmp_path, dsn), work)


def test_a_reader_who_has_seen_enough_is_no_trouble_of_the_database(dsn: str, tmp_path: Path) -> None:
    async def work(_rt: Runtime) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        with_runtime(env_file(tmp_path, dsn), work)
