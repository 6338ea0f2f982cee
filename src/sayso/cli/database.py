"""What a command that looks into the database needs: the settings, PostgreSQL, a runtime."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sayso.core.runtime import Runtime
from sayso.core.settings import load_settings

T = TypeVar("T")


def with_runtime(env_file: Path, work: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run ``work`` on the installation's database, beside a service that may be running; what it returns."""

    async def run() -> T:
        async with _opened(env_file) as rt:
            return await work(rt)

    return asyncio.run(run())


@contextlib.asynccontextmanager
async def _opened(env_file: Path) -> AsyncIterator[Runtime]:
    from sayso.app import postgres  # noqa: PLC0415 - a second to load, which other commands need not spend
    from sayso.core.database import Database  # noqa: PLC0415
    from sayso.core.migrate import migrate  # noqa: PLC0415

    settings = load_settings(env_file)
    async with postgres(settings) as dsn:
        await migrate(dsn)
        db = await Database.connect(dsn, size=2)
        try:
            yield Runtime(settings, db)
        finally:
            await db.close()
