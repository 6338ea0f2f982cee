"""PostgreSQL: the pool, transactions opened at the edge, and what to do once they have committed."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from sayso.core.errors import DatabaseUnavailableError

Record = Mapping[str, Any]

#: What asyncpg and the operating system raise when PostgreSQL is away, restarting, full or refusing to commit.
UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # the database takes no connections
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.PostgresIOError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    TimeoutError,
)

_open_transactions: ContextVar[int] = ContextVar("open_transactions", default=0)

#: Plans for claim statements. Dead rows under a long transaction can push the planner to a full scan, which was
#: measured to cost a factor of 38; on these sessions it may only walk the partial indexes.
CLAIM_SETTINGS = {
    "idle_in_transaction_session_timeout": "5s",  # a process frozen inside a claim must not stop everybody's claims
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}

#: Every session. Nothing of ours waits inside a transaction: one that stands still belongs to a process that does,
#: and gives its locks back. (Between the parse of a statement and its execution PostgreSQL does not call a session
#: idle: there it is the burial of the worker that frees them.)
_SESSION = {
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "10s",
    # Every statement looks rows up by key, so one plan fits all values. Left to itself the planner takes an array for
    # the cheaper the shorter it is, and plans anew every time, which costs more than the lookup. And a plan made while
    # a table was still empty must be right when it no longer is.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


def in_transaction() -> bool:
    """Whether the calling task has a transaction open: nothing may wait for the network then."""
    return _open_transactions.get() > 0


class _Connection(asyncpg.Connection):  # type: ignore[misc] # asyncpg ships no types
    """A pooled connection without the reset round trip: we never leave session state behind."""

    def get_reset_query(self) -> str:
        return ""


def written(row: Record | None) -> Record:
    """The row of what was just written, in this transaction."""
    if row is None:
        raise RuntimeError("a row that was just written is not there")
    return row


@dataclass(slots=True, eq=False)
class Tx:
    """One open transaction. Services receive it, run SQL through it, and never commit."""

    _connection: Any
    _before_commit: dict[Callable[["Tx", Sequence[Any]], Awaitable[None]], list[Any]] = field(
        default_factory=dict
    )
    _after_commit: list[Callable[[], None]] = field(default_factory=list)

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        """Rows of a query."""
        rows: list[Record] = await self._connection.fetch(sql, *args)
        return rows

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        """First row of a query, or None."""
        row: Record | None = await self._connection.fetchrow(sql, *args)
        return row

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """First column of the first row, or None."""
        return await self._connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run a statement; the number of rows it touched."""
        status: str = await self._connection.execute(sql, *args)
        tail = status.rpartition(" ")[2]
        return int(tail) if tail.isdigit() else 0

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once per row, pipelined."""
        await self._connection.executemany(sql, rows)

    def before_commit(self, act: Callable[["Tx", Sequence[Any]], Awaitable[None]], what: Any) -> None:
        """Await ``act`` as the last of this transaction, once, with everything that it was given here.

        A lock that everybody takes is then held for its commit alone. Whoever holds such a lock waits for nobody any
        more, so that no two wait for one another.
        """
        if not in_transaction():
            raise RuntimeError("there is no transaction to be the last of")
        self._before_commit.setdefault(act, []).append(what)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call ``act`` once the transaction is durable; never when it is rolled back."""
        self._after_commit.append(act)


class Database:
    """Two small pools on one PostgreSQL: one for requests and handlers, one for claims."""

    def __init__(self, dsn: str, pool: asyncpg.Pool, claims: asyncpg.Pool) -> None:
        self.dsn = dsn
        self._pool = pool
        self._claims = claims

    @classmethod
    async def connect(cls, dsn: str, *, size: int) -> "Database":
        """Open the pools; raises :class:`DatabaseUnavailableError` when PostgreSQL cannot be reached."""
        ours = {
            "application_name": f"sayso {secrets.token_hex(4)}"
        }  # whose sessions these are: claims.bury ends them
        try:
            pool = await _pool(dsn, size, ours)
            claims = await _pool(dsn, 3, CLAIM_SETTINGS | ours)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            raise DatabaseUnavailableError(f"PostgreSQL does not answer: {error}") from error
        return cls(dsn, pool, claims)

    async def close(self) -> None:
        """Close both pools, waiting a few seconds for statements under way."""
        for pool in (self._claims, self._pool):
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except (TimeoutError, *UNAVAILABLE):
                pool.terminate()

    @contextlib.asynccontextmanager
    async def tx(self, *, claims: bool = False) -> AsyncIterator[Tx]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        async with (self._claims if claims else self._pool).acquire() as connection:
            tx = Tx(connection)
            token = _open_transactions.set(_open_transactions.get() + 1)
            try:
                async with connection.transaction():
                    yield tx
                    for last, given in tx._before_commit.items():  # noqa: SLF001 - see below
                        await last(tx, given)
            finally:
                _open_transactions.reset(token)
        for act in tx._after_commit:  # noqa: SLF001 - Tx and Database are one module's two halves
            act()

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[Tx]:
        """A connection where each statement is its own transaction: single reads, single writes."""
        async with self._pool.acquire() as connection:
            yield Tx(connection)

    async def listen_connection(self) -> Any:
        """A connection of its own, outside the pools, for LISTEN. The caller closes it."""
        return await asyncpg.connect(self.dsn)


async def _pool(dsn: str, size: int, settings: dict[str, str]) -> asyncpg.Pool:
    pool = await asyncpg.create_pool(
        dsn,
        min_size=min(2, size),
        max_size=size,
        connection_class=_Connection,
        init=_json_as_values,
        command_timeout=30,
        max_inactive_connection_lifetime=300,
        server_settings={**_SESSION, **settings},
    )
    if pool is None:  # pragma: no cover - asyncpg's signature allows it, its code does not
        raise DatabaseUnavailableError("PostgreSQL gave no pool")
    return pool


async def _json_as_values(connection: Any) -> None:
    """Let jsonb columns carry Python values; msgspec is the one JSON codec of the house."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(memoryview(data)[1:]),
    )
