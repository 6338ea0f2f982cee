"""``sayso simulator``: the simulator as a process of its own."""

import asyncio
import gc
import logging
import signal
from typing import Annotated, Any, Literal, NoReturn, get_args

import typer
import uvloop

from sayso.simulator.config import ConfigError, Course, SimulatorConfig, Tier
from sayso.simulator.server import Simulator
from sayso.simulator.world.snapshot import SnapshotError

_DEFAULT = SimulatorConfig()
#: Where a service on this machine takes webhooks. A simulator inside a test must not post into it.
_SERVICE = "http://127.0.0.1:8000/api/v1/whatsapp/webhook"
_IN_WORDS = f"instant, delayed ({_DEFAULT.review_after_s:g} s), or by a moderator at the desk"
CANNOT_START = 2  # as `sayso serve`


def _option(name: str, words: str, panel: str, *flags: str, **more: Any) -> Any:
    """Describe a flag; ``name`` is its environment variable without SAYSO_SIM_."""
    return typer.Option(
        *flags, envvar=f"SAYSO_SIM_{name}", show_envvar=False, rich_help_panel=panel, help=words, **more
    )


_WHERE, _WHO, _HOW, _RULES, _HOOKS = "Where", "Which account", "The run", "Meta's rules", "Webhooks"

Host = Annotated[str, _option("HOST", "Address to listen on.", _WHERE, metavar="IP")]
Port = Annotated[int, _option("PORT", "Port; 0: any free one.", _WHERE, metavar="N", min=0, max=65535)]
AllowHosts = Annotated[
    list[str] | None,
    _option(
        "ALLOW_HOST",
        "A name by which page and control may be called, too.",
        _WHERE,
        "--allow-host",
        metavar="NAME",
    ),
]
WebhookUrl = Annotated[
    str,
    _option(
        "WEBHOOK_URL",
        "Where webhooks are posted (see above); empty: nowhere.",
        _HOOKS,
        metavar="URL",
        show_default=False,  # too long for a narrow terminal
    ),
]
AppSecret = Annotated[str, _option("APP_SECRET", "Signs the webhooks.", _HOOKS, metavar="WORD")]
VerifyToken = Annotated[
    str, _option("VERIFY_TOKEN", "Of the verification handshake.", _HOOKS, metavar="WORD")
]
Batch = Annotated[
    int, _option("BATCH", "Updates in one webhook, at most.", _HOOKS, "--batch", metavar="N", min=1, max=1000)
]
WebhookVersion = Annotated[
    str, _option("WEBHOOK_VERSION", "Version of the payloads.", _HOOKS, metavar="VERSION")
]
Token = Annotated[str, _option("TOKEN", "Bearer token that calls must carry.", _WHO, metavar="WORD")]
PhoneNumberId = Annotated[str, _option("PHONE_NUMBER_ID", "Of the business number.", _WHO, metavar="ID")]
WabaId = Annotated[str, _option("WABA_ID", "Of the WhatsApp business account.", _WHO, metavar="ID")]
BusinessNumber = Annotated[
    str, _option("BUSINESS_NUMBER", "The business number itself.", _WHO, metavar="PHONE")
]
Tiers = Annotated[Tier, _option("TIER", "Messaging limit, TIER_250 to TIER_UNLIMITED.", _WHO, metavar="TIER")]
Snapshot = Annotated[
    str | None,
    _option(
        "SNAPSHOT",
        "File to go on from if it is there; written at the end.",
        _HOW,
        metavar="FILE",
    ),
]
Seed = Annotated[int | None, _option("SEED", "The same ids in every run.", _HOW, metavar="N")]
AutoRead = Annotated[bool, _option("AUTO_READ", "Read while no phone page is in view.", _HOW, metavar=" ")]
Courses = Annotated[
    Course,
    _option("COURSE", f"Which statuses are told: {', '.join(get_args(Course))}.", _HOW, metavar="COURSE"),
]
Review = Annotated[
    Literal["instant", "delayed", "moderator"],
    _option("REVIEW", f"Of templates: {_IN_WORDS}.", _RULES, metavar="HOW"),
]
RefuseAtOnce = Annotated[
    bool,
    _option(
        "REFUSE_AT_ONCE",
        "Refuse in the answer what may also come by webhook.",
        _RULES,
        "--refuse-at-once",
        metavar=" ",
    ),
]
EnforceRates = Annotated[
    bool, _option("ENFORCE_RATES", "Refuse what is too fast (130429, 131056).", _RULES, metavar=" ")
]
MarketingCap = Annotated[
    int, _option("MARKETING_CAP", "Marketing a person takes in 24 h (131049).", _RULES, metavar="N", min=0)
]


def simulator(
    *,
    host: Host = _DEFAULT.host,
    port: Port = _DEFAULT.port,
    allow_hosts: AllowHosts = None,
    webhook_url: WebhookUrl = _SERVICE,
    app_secret: AppSecret = _DEFAULT.app_secret,
    verify_token: VerifyToken = _DEFAULT.verify_token,
    batch_at_most: Batch = _DEFAULT.batch_at_most,
    webhook_version: WebhookVersion = _DEFAULT.webhook_version,
    token: Token = _DEFAULT.token,
    phone_number_id: PhoneNumberId = _DEFAULT.phone_number_id,
    waba_id: WabaId = _DEFAULT.waba_id,
    business_number: BusinessNumber = _DEFAULT.business_number,
    tier: Tiers = _DEFAULT.tier,
    snapshot: Snapshot = None,
    seed: Seed = None,
    auto_read: AutoRead = _DEFAULT.auto_read,
    course: Courses = _DEFAULT.course,
    review: Review = _DEFAULT.review,
    refuse_at_once: RefuseAtOnce = _DEFAULT.refuse_at_once,
    enforce_rates: EnforceRates = _DEFAULT.enforce_rates,
    marketing_cap: MarketingCap = _DEFAULT.marketing_cap,
) -> None:
    """Run Meta's side on this machine: the Cloud API, its webhooks, and a phone in the browser.

    Webhooks go to http://127.0.0.1:8000/api/v1/whatsapp/webhook unless --webhook-url says otherwise.

    Every flag can be given by the environment, too: --webhook-url as SAYSO_SIM_WEBHOOK_URL.
    """
    named_as_fields: dict[str, Any] = {**locals(), "allow_hosts": tuple(allow_hosts or ())}
    try:
        config = SimulatorConfig(**named_as_fields)
    except ConfigError as problem:
        _give_up(f"--{problem.field.replace('_', '-')} {problem.words}")
    run(config)


def run(config: SimulatorConfig) -> None:
    """Run until told to end; a taken port, or a file that is no snapshot, is said in one sentence (exit code 2)."""
    collect_less()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(config))
    except SnapshotError as problem:
        _give_up(f"The simulator cannot go on from {config.snapshot}: {problem}.")
    except OSError as problem:
        if problem.filename is not None:
            _give_up(f"The simulator cannot use {problem.filename}: {problem.strerror}.")
        place = f"{config.host}:{config.port}"
        _give_up(f"The simulator cannot listen on {place}: {problem.strerror}. Try --port.")


def collect_less() -> None:
    """Look for cycles seldom: among tens of thousands of kept messages there are none, and looking costs a tenth."""
    gc.set_threshold(50_000, 20, 100)


async def serve(config: SimulatorConfig) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stop.set)
    async with Simulator(config) as running:
        typer.echo(greeting(running))
        await stop.wait()


def greeting(running: Simulator) -> str:
    """Say where everything is, with a line to try it; what a snapshot brought back counts, not the flags."""
    world = running.world
    number = world.number
    token = next(iter(world.accounts.tokens), running.config.token)
    app = world.accounts.apps.get(running.config.app_id)
    secret = app.secret if app else "none"
    told = app.subscription.callback_url if app and app.subscription else "nobody yet"
    return f"""\
Meta's side of WhatsApp, on this machine:
  Phones          {running.base_url}/
  Desk            {running.base_url}/desk
  Cloud API       {running.base_url}   instead of https://graph.facebook.com
  Control         {running.base_url}/_sim
  Token           {token}
  Number          +{number.digits}, phone number id {number.phone_number_id}, WABA id {number.waba_id}
  Webhooks        to {told}
                  app secret {secret}, verify token {running.config.verify_token}
  Templates       reviewed {_review(running.config)}
Try it, and look at the phone of Ana:
  curl {running.base_url}/v25.0/{number.phone_number_id}/messages \\
    -H "Authorization: Bearer {token}" -H "Content-Type: application/json" \\
    -d '{{"messaging_product":"whatsapp","to":"+15550001111","type":"template",
         "template":{{"name":"hello_world","language":{{"code":"en_US"}}}}}}'"""


def _review(config: SimulatorConfig) -> str:
    if config.review == "moderator":
        return "by you, at the Desk"
    when = "at once" if config.review == "instant" else f"after {config.review_after_s:g} s"
    return f"{when}; --review moderator to do it yourself"


def _give_up(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(CANNOT_START)
