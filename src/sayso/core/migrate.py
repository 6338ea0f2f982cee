"""Bring the schema to the newest step, at every start, one process at a time."""

import asyncpg
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sayso.core.database import UNAVAILABLE, Tx
from sayso.core.errors import DatabaseUnavailableError, SettingError

log = structlog.get_logger("sayso.migrate")

_LOCK = 0x5A_75_0  # any number, the same in every process: the key of the advisory lock
_LOCK_TIMEOUT = "60s"


async def migrate(dsn: str) -> None:
    """Run the steps this database lacks. Raises :class:`SettingError` when the database is newer than this code."""
    engine = create_async_engine(
        "postgresql+asyncpg://",  # asyncpg reads the DSN itself, with all that a DSN may hold
        async_creator=lambda: asyncpg.connect(dsn),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
    except (*UNAVAILABLE, SQLAlchemyError) as error:
        raise DatabaseUnavailableError(
            f"PostgreSQL does not answer, or not as it should: {error}. "
            "With DATABASE_URL set: is the server up, and the URL right?"
        ) from error
    finally:
        await engine.dispose()


async def check(tx: Tx) -> None:
    """Raise :class:`SettingError` unless the database is at this code's newest step; nothing is changed."""
    there = await tx.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    current = await tx.fetchval("SELECT version_num FROM alembic_version") if there else None
    if current == newest():
        return
    if current is None:
        raise SettingError("The database holds nothing of Sayso's yet: start the service with it once.")
    raise SettingError(
        f"The database is at step {current}, this version of Sayso needs step {newest()}: use the version that runs, "
        "or start the service of this one, which brings the database there."
    )


def newest() -> str | None:
    """The newest step this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "sayso.core:migrations")
    return config


def _upgrade(connection: Connection) -> None:
    """Session-level lock, so that it spans the steps' own transactions; it goes with the connection."""
    connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
    connection.commit()
    config = _config()
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise SettingError(
            f"The database is at step {current}, which this version of Sayso does not know: it was used by a newer "
            "version. Start that version, or restore a backup made with this one."
        )
    if current != newest():
        log.info("migrate", at=current, to=newest())
        command.upgrade(config, "head")
