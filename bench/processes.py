"""The processes of a measurement: the service with its PostgreSQL, and whatever stands opposite; all on loopback."""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from proc import Tree
from sayso.core import embedded
from sayso.core.migrate import migrate
from sayso.core.tokens import ASSISTANT_SCOPES, Tokens

HERE = Path(__file__).parent
JWT_SECRET = "a-secret-for-benches-of-at-least-32-bytes"
CONSENT_KEY = "bench-" + "k" * 40
_READY_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A running service: where it listens, what its trees cost, a connection to look into its database."""

    port: int
    service: Tree
    postgres: Tree
    sql: asyncpg.Connection
    log: Path
    more: tuple[Tree, ...] = ()

    @property
    def url(self) -> str:
        """Where the API begins."""
        return f"http://127.0.0.1:{self.port}/api/v1/whatsapp"

    def complaints(self) -> list[str]:
        """What the service logged as a warning or worse."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if '"level": "info"' not in line]


def bearer(user: str = "alice", *, client: str = "bench", scopes: tuple[str, ...] = ASSISTANT_SCOPES) -> str:
    """A token the service takes."""
    return Tokens(JWT_SECRET.encode(), "sayso", "sayso").issue(
        user=user,
        client=client,
        scopes=scopes,
        ttl=timedelta(hours=1),
        now=datetime.now(UTC),
        token_id="bench",
    )


#: One assistant asks everybody, more than one usually may; nobody is asked more than anybody may be.
_POLICY = """version = "bench"
[caps]
client_hour = "unlimited"
client_day = "unlimited"
client_open = "unlimited"
"""


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def staged(graph_port: int = 9, *, more: int = 0, **settings: Any) -> AsyncIterator[Stage]:
    """``sayso serve`` as anybody runs it, with the embedded PostgreSQL (fsync on) in a directory of its own.

    ``more`` processes of it share the database.
    """
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as name:
        data = Path(name)
        await asyncio.to_thread(data.chmod, 0o711)
        await asyncio.to_thread((data / "policy.toml").write_text, _POLICY, "utf-8")
        server = await asyncio.to_thread(embedded.start, data)
        try:
            await migrate(server.dsn)
            sql = await asyncpg.connect(server.dsn)
            pid = int((data / "postgres" / "postmaster.pid").read_text(encoding="ascii").split()[0])
            async with contextlib.AsyncExitStack() as services:
                process, port = await services.enter_async_context(_serving(data, graph_port, settings))
                others = [
                    await services.enter_async_context(_serving(data, graph_port, settings, dsn=server.dsn))
                    for _ in range(more)
                ]
                trees = tuple(Tree(other.pid) for other, _ in others)
                yield Stage(port, Tree(process.pid), Tree(pid), sql, data / "service.log", trees)
            await sql.close()
        finally:
            await asyncio.to_thread(server.release)


@contextlib.asynccontextmanager
async def _serving(
    data: Path, graph_port: int, settings: dict[str, Any], *, dsn: str | None = None
) -> AsyncIterator[tuple[Process, int]]:
    port = free_port()
    environment = {
        **os.environ,
        "WHATSAPP_ACCESS_TOKEN": "sim-token",
        "WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
        "WHATSAPP_BUSINESS_ACCOUNT_ID": "200000000000001",
        "WHATSAPP_VERIFY_TOKEN": "sim-verify",
        "WHATSAPP_WEBHOOK_SECRET": "sim-secret",
        "WHATSAPP_BASE_URL": f"http://127.0.0.1:{graph_port}",
        "SAYSO_DATA_DIR": str(data),
        "SAYSO_LOG_FORMAT": "json",
        "SAYSO_JWT_SECRET": JWT_SECRET,
        "SAYSO_CONSENT_KEY": CONSENT_KEY,
        "SAYSO_POLICY_FILE": str(data / "policy.toml"),
        **{name.upper(): str(value) for name, value in settings.items()},
    }
    environment.pop("DATABASE_URL", None)
    if dsn:
        environment["DATABASE_URL"] = dsn
    with (data / "service.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "sayso"),
            *("serve", "--port", str(port), "--env-file", str(data / "none")),
            env=environment,
            cwd=data,
            stdout=DEVNULL,
            stderr=log,
        )
        try:
            await _listens(port)
            yield process, port
        finally:
            await _end(process)


@contextlib.asynccontextmanager
async def beside(script: str, *words: object, port: int | None = None) -> AsyncIterator[Process]:
    """One of our own small servers or generators in a process of its own."""
    command = (sys.executable, str(HERE / script), *map(str, words))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=2**28)
    try:
        if port is not None:
            await _listens(port)
        yield process
    finally:
        await _end(process)


async def say(process: Process, what: msgspec.Struct) -> None:
    """Tell a process what to do, and wait until it says that it is ready."""
    if process.stdin and process.stdout:
        process.stdin.write(msgspec.json.encode(what) + b"\n")
        await process.stdout.readline()


async def told(process: Process) -> Any:
    """What a process prints as JSON before it ends."""
    output, _ = await process.communicate()
    return msgspec.json.decode(output)


async def _listens(port: int) -> None:
    deadline = asyncio.get_running_loop().time() + _READY_WITHIN_S
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 20)
    except TimeoutError:
        process.kill()
        await process.wait()
