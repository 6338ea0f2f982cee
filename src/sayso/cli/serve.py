"""``sayso serve``: the service, until SIGTERM or Ctrl-C."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
import uvicorn
import uvloop

from sayso.app import running
from sayso.core.errors import SettingError
from sayso.core.redaction import redact_values
from sayso.core.settings import Settings, load_settings
from sayso.core.telemetry import configure_logging

log = structlog.get_logger("sayso.serve")

#: How long open requests may take to end once the process is asked to.
_REQUESTS_END_WITHIN_S = 5


def serve(
    port: Annotated[int | None, typer.Option(help="TCP port; default SAYSO_PORT or 8000.")] = None,
    host: Annotated[str | None, typer.Option(help="Address; default SAYSO_HOST or 127.0.0.1.")] = None,
    env_file: Annotated[Path, typer.Option(help="Where settings are read from.")] = Path(".env"),
) -> None:
    """Run the service: API, webhook and workers, with PostgreSQL embedded unless DATABASE_URL is set."""
    settings = load_settings(env_file)
    changed = {"sayso_port": port, "sayso_host": host}
    settings = settings.model_copy(
        update={name: value for name, value in changed.items() if value is not None}
    )
    configure_logging(settings.sayso_log_level, settings.sayso_log_format)
    redact_values(*settings.secret_values())
    for warning in settings.warnings():
        log.warning("setting.warning", detail=warning)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    listener = _bind(settings.sayso_host, settings.sayso_port)
    with contextlib.closing(listener):
        async with running(settings) as service:
            server = _Server(
                uvicorn.Config(
                    service.asgi,
                    http="httptools",
                    lifespan="off",
                    access_log=False,
                    log_config=None,
                    server_header=False,
                    backlog=2048,
                    timeout_graceful_shutdown=_REQUESTS_END_WITHIN_S,
                )
            )
            stopping = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stopping.set)
            serving = asyncio.create_task(server.serve([listener]))
            log.info(
                "serve.ready", url=f"http://{settings.sayso_host}:{listener.getsockname()[1]}", docs="/docs"
            )
            await asyncio.wait(
                [serving, waiting := asyncio.create_task(stopping.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
            waiting.cancel()
            log.info("serve.stopping")
            service.stop()
            server.should_exit = True
            await serving
    log.info("serve.stopped")


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
            f"{host}:{port} cannot be listened on: {error.strerror}. Choose another with --port or SAYSO_PORT."
        ) from error
    return listener
