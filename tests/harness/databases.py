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


class Databases:
    """Makes databases: ``fresh()`` gives the DSN of one nobody used before, with the schema in it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._numbers = itertools.count(1)
        self._run("CREATE DATABASE " + _TEMPLATE)
        asyncio.run(migrate(self._named(_TEMPLATE)))

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

    def _run(self, statement: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.dsn)
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
