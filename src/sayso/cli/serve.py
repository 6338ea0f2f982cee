"""``sayso serve``: the service, until SIGTERM or Ctrl-C."""

from typing import Annotated

import structlog
import typer

from sayso.cli.running import ENV_FILE, EnvFile
from sayso.core.redaction import redact_values, show_values
from sayso.core.settings import jwt_secret, load_settings
from sayso.core.telemetry import configure_logging

log = structlog.get_logger("sayso.serve")


def serve(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="TCP port; default SAYSO_PORT or 8000.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address; default SAYSO_HOST or 127.0.0.1.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Run the service: API, webhook and workers, with PostgreSQL embedded unless DATABASE_URL is set."""
    settings = load_settings(env_file)
    changed = {"sayso_port": port, "sayso_host": host}
    settings = settings.model_copy(
        update={name: value for name, value in changed.items() if value is not None}
    )
    configure_logging(settings.sayso_log_level, settings.sayso_log_format)
    redact_values(*settings.secret_values(), jwt_secret(settings).decode("utf-8", "replace"))
    show_values(*settings.phone_number_ids, settings.whatsapp_business_account_id)
    for warning in settings.warnings():
        log.warning("setting.warning", detail=warning)
    # The API's libraries take a second to load, which the other commands need not spend.
    import uvloop  # noqa: PLC0415

    from sayso.cli import process  # noqa: PLC0415

    uvloop.run(process.serve(settings))
