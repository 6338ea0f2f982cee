"""The service as a process: its port, its signals, its orderly end."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from typing import Any

import structlog
import uvicorn

from sayso.app import Service, running
from sayso.cli.running import noted
from sayso.client.unreached import why
from sayso.core.errors import SettingError
from sayso.core.settings import Settings

log = structlog.get_logger("sayso.serve")

#: How long open requests may take to end once the process is asked to.
_REQUESTS_END_WITHIN_S = 5


async def serve(settings: Settings) -> None:
    """Bind, start, serve; return when the process was asked to end and everything in hand is finished."""
    listener = _bind(settings.sayso_host, settings.sayso_port)
    with contextlib.closing(listener):
        async with running(settings) as service:
            with noted(settings):
                await _until_asked_to_end(service, settings, listener)
    log.info("serve.stopped")


async def _until_asked_to_end(service: Service, settings: Settings, listener: socket.socket) -> None:
    server = _Server(
        uvicorn.Config(
            service.asgi,
            http="httptools",
            lifespan="off",
            access_log=False,
            log_config=None,
            proxy_headers=False,  # nothing here asks for the caller's address
            server_header=False,
            backlog=2048,
            timeout_graceful_shutdown=_REQUESTS_END_WITHIN_S,
        )
    )
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    serving = asyncio.create_task(server.serve([listener]))
    log.info("serve.ready", url=f"http://{settings.sayso_host}:{listener.getsockname()[1]}", docs="/docs")
    await asyncio.wait(
        [serving, waiting := asyncio.create_task(stopping.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    waiting.cancel()
    log.info("serve.stopping")
    service.stop()
    server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process ends in our order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is started; raises :class:`SettingError` when it is not free."""
    family: Any = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingError(
            f"{host}:{port} cannot be listened on: {why(error)}. Choose another with --port or SAYSO_PORT."
        ) from error
    return listener
