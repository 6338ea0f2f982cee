"""A database that commits, and breaks the connection before anybody hears of it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from sayso.core.database import Database


class Forgetful:
    """A database whose next commits of one kind succeed without anybody hearing of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, claims: bool, statement: str) -> None:
        self.left = 0
        self.forgot = 0
        real = Database.tx
        forgetful = self

        @contextlib.asynccontextmanager
        async def tx(db: Database, **options: bool) -> AsyncIterator[Any]:
            said: list[str] = []
            async with real(db, **options) as open_tx:
                for name in ("fetch", "execute"):
                    _overhear(open_tx, name, said, monkeypatch)
                yield open_tx
            here = options.get("claims", False) is claims and any(statement in sql for sql in said)
            if forgetful.left and here:
                forgetful.left -= 1
                forgetful.forgot += 1
                raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

        monkeypatch.setattr(Database, "tx", tx)


def _overhear(tx: Any, name: str, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    inner = getattr(tx._connection, name)

    class Overheard:
        def __getattr__(self, wanted: str) -> Any:
            return getattr(connection, wanted)

    async def call(sql: str, *args: Any) -> Any:
        said.append(sql)
        return await inner(sql, *args)

    connection = tx._connection
    heard = Overheard()
    vars(heard)[name] = call
    tx._connection = heard
