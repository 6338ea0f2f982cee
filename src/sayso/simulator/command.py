"""``sayso simulator``: the simulator as a process of its own."""

import asyncio
import logging
import signal
from typing import Annotated

import typer
import uvloop

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.server import Simulator

_DEFAULT = SimulatorConfig()


Host = Annotated[str, typer.Option(envvar="SAYSO_SIM_HOST", help="Address to listen on.")]
Port = Annotated[
    int, typer.Option(envvar="SAYSO_SIM_PORT", min=0, max=65535, help="Port to listen on; 0: any free one.")
]
WebhookUrl = Annotated[str, typer.Option(envvar="SAYSO_SIM_WEBHOOK_URL", help="Where webhooks are posted.")]
Token = Annotated[str, typer.Option(envvar="SAYSO_SIM_TOKEN", help="Bearer token that calls must carry.")]
AppSecret = Annotated[
    str, typer.Option(envvar="SAYSO_SIM_APP_SECRET", help="Secret that webhooks are signed with.")
]
VerifyToken = Annotated[
    str, typer.Option(envvar="SAYSO_SIM_VERIFY_TOKEN", help="Token of the verification handshake.")
]
PhoneNumberId = Annotated[
    str, typer.Option(envvar="SAYSO_SIM_PHONE_NUMBER_ID", help="Id of the business phone number.")
]
WabaId = Annotated[str, typer.Option(envvar="SAYSO_SIM_WABA_ID", help="Id of the WhatsApp business account.")]
BusinessNumber = Annotated[
    str, typer.Option(envvar="SAYSO_SIM_BUSINESS_NUMBER", help="The business phone number itself.")
]
AutoRead = Annotated[
    bool, typer.Option(envvar="SAYSO_SIM_AUTO_READ", help="Read messages while no phone page is in view.")
]

EnforceRates = Annotated[
    bool,
    typer.Option(
        envvar="SAYSO_SIM_ENFORCE_RATES",
        help="Refuse what is too fast for a number (130429) or a person (131056).",
    ),
]


def simulator(
    *,
    host: Host = _DEFAULT.host,
    port: Port = _DEFAULT.port,
    webhook_url: WebhookUrl = _DEFAULT.webhook_url,
    token: Token = _DEFAULT.token,
    app_secret: AppSecret = _DEFAULT.app_secret,
    verify_token: VerifyToken = _DEFAULT.verify_token,
    phone_number_id: PhoneNumberId = _DEFAULT.phone_number_id,
    waba_id: WabaId = _DEFAULT.waba_id,
    business_number: BusinessNumber = _DEFAULT.business_number,
    auto_read: AutoRead = _DEFAULT.auto_read,
    enforce_rates: EnforceRates = _DEFAULT.enforce_rates,
) -> None:
    """Run Meta's side on this machine: the Cloud API, its webhooks, and a phone in the browser."""
    config = SimulatorConfig(
        host=host,
        port=port,
        webhook_url=webhook_url,
        token=token,
        app_secret=app_secret,
        verify_token=verify_token,
        phone_number_id=phone_number_id,
        waba_id=waba_id,
        business_number=business_number,
        auto_read=auto_read,
        enforce_rates=enforce_rates,
    )
    run(config)


def run(config: SimulatorConfig) -> None:
    """Run until told to end; a taken port is said in one sentence."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(config))
    except OSError as problem:
        place = f"{config.host}:{config.port}"
        typer.echo(f"The simulator cannot listen on {place}: {problem.strerror}. Try --port.", err=True)
        raise typer.Exit(1) from None


async def serve(config: SimulatorConfig) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stop.set)
    async with Simulator(config) as running:
        typer.echo(
            f"Phone page and Cloud API at {running.base_url}  (token {config.token}, app secret "
            f"{config.app_secret}, verify token {config.verify_token}, phone number id "
            f"{config.phone_number_id}, WABA id {config.waba_id}; webhooks to {config.webhook_url})"
        )
        await stop.wait()
