"""A runtime over a real database, a clock that is moved by hand, and a plain claimable table."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from sayso.core.claims import Queue
from sayso.core.database import Database, Tx
from sayso.core.runtime import Runtime

from .service import settings

#: The five columns of a claimable table and its indexes, as the schema has them, on a table without any meaning.
_JOBS = """
CREATE TABLE jobs (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, who text NOT NULL DEFAULT '', lane int NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL DEFAULT now(), said text,
    work text, work_at timestamptz NOT NULL DEFAULT now(), worker bigint, tries int NOT NULL DEFAULT 0);
CREATE INDEX jobs_ready ON jobs (id) WHERE work = 'ready';
CREATE INDEX jobs_waiting ON jobs (work_at) WHERE work = 'waiting';
CREATE INDEX jobs_running ON jobs (worker) WHERE work = 'running';
CREATE INDEX jobs_held ON jobs (who) WHERE work IN ('running', 'waiting');
"""
JOBS = Queue("jobs")
LANES = Queue("jobs", order="lane, id")
KEYED = Queue("jobs", key="who")


@dataclass
class Clock:
    """Time that stands still until it is moved."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        """Now."""
        return self.at

    def advance(self, **by: float) -> datetime:
        """Move it; the new now."""
        self.at += timedelta(**by)
        return self.at


@contextlib.asynccontextmanager
async def runtime(dsn: str, *, now: Any = None, size: int = 8, **changes: Any) -> AsyncIterator[Runtime]:
    """A runtime whose database is ``dsn``; nothing runs in it."""
    configured = settings(dsn, base_url="http://127.0.0.1:1", data_dir=Path("/nowhere"), **changes)
    db = await Database.connect(dsn, size=size)
    try:
        yield Runtime(configured, db, rng=random.Random(7), **({"now": now} if now else {}))
    finally:
        await db.close()


async def make_jobs(tx: Tx, count: int = 0, *, who: str = "", work: str = "ready") -> None:
    """The table, and ``count`` rows in it."""
    for statement in _JOBS.split(";"):
        if statement.strip():
            await tx.execute(statement)
    await add_jobs(tx, count, who=who, work=work)


async def add_jobs(tx: Tx, count: int, *, who: str = "", work: str = "ready") -> None:
    """More rows of one key."""
    await tx.execute(
        "INSERT INTO jobs (who, work) SELECT $2, $3 FROM generate_series(1, $1)", count, who, work
    )


async def until_one_waits_for_a_lock(rt: Runtime) -> None:
    """Return when a statement of this database waits for somebody else's lock."""
    async with asyncio.timeout(20), rt.db.one() as tx:
        while not await tx.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            pass


@contextlib.contextmanager
def brief_logs() -> Iterator[None]:
    """Log a planted failure in one line: rendered in full, its trace costs more than the test."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    try:
        yield
    finally:
        structlog.reset_defaults()
