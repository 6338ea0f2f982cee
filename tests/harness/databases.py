"""A PostgreSQL server for the whole run of one test process, and a fresh database from a template for each test."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


class Databases:
    """Makes databases: ``fresh()`` gives the DSN of one nobody used before, with the schema in it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._numbers = itertools.count(1)
        self._run("CREATE DATABASE " + _TEMPLATE)
        asyncio.run(migrate(self._named(_TEMPLATE)))
        self._run(NO_OPT_INS, self._named(_TEMPLATE))

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """A database with the newest schema; dropped afterwards, whoever is still connected."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        try:
            yield self._named(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A database without any schema."""
        name = f"empty_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name}")
        try:
            yield self._named(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _named(self, name: str) -> str:
        return self.dsn.replace("/sayso?", f"/{name}?", 1)

    def _run(self, statement: str, dsn: str | None = None) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(dsn or self.dsn)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        with asyncio.Runner() as runner:
            runner.run(run())


@contextmanager
def server(directory: Path) -> Iterator[Databases]:
    """The embedded PostgreSQL, in a directory of its own."""
    running = embedded.start(directory)
    try:
        yield Databases(running.dsn)
    finally:
        running.release()
