"""``sayso demo``: everything on this machine, and the main job done in front of you."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx2
import typer
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from sayso.cli.saying import moment, ourselves
from sayso.cli.token import issue
from sayso.client import Confirmation, Sayso, verify
from sayso.client.unreached import why
from sayso.core import embedded
from sayso.core.settings import TokenSettings, jwt_secret, load_token_settings

USER, CLIENT, PHONE, NAME = "alice", "my-assistant", "+15550001111", "Alice"
ASKED = (
    "email_send",
    "send the weekly report to 14 people",
    "by e-mail, with the sales figures attached",
)
_MEMBERS = ("action_type", "action_description", "action_details")
WORDING = "I agree that AI Assistant asks me for confirmations and notifies me on WhatsApp. STOP ends it."
#: The simulator's defaults, as the service's settings.
SIMULATED = {
    "WHATSAPP_ACCESS_TOKEN": "sim-token",
    "WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
    "WHATSAPP_BUSINESS_ACCOUNT_ID": "200000000000001",
    "WHATSAPP_VERIFY_TOKEN": "sim-verify",
    "WHATSAPP_WEBHOOK_SECRET": "sim-secret",
}
_START_WITHIN_S = 60.0
_ANSWER_WITHIN_S = 20.0
_TOKEN_LIVES = timedelta(hours=12)

console = Console(highlight=False)
_Result = TypeVar("_Result")


class StepError(Exception):
    """A step of the demonstration did not do what it should."""


def demo(
    *,
    auto: Annotated[
        bool, typer.Option("--auto", help="Tap Confirm by itself, print the decision, end.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The service's port.")] = 8000,
    simulator_port: Annotated[int, typer.Option(min=1, max=65535, help="The simulator's port.")] = 8001,
) -> None:
    """Start PostgreSQL, the simulator and the service, and ask one confirmation. Needs no account."""
    _end_what_was_started_when_told_to_go()
    stage = Stage(load_token_settings(), port, simulator_port)
    try:
        with contextlib.closing(stage):
            _perform(stage, auto=auto)
    except KeyboardInterrupt:
        console.print("\nStopped.")
    except StepError as error:
        console.print(f"[bold red]✗ {stage.step}[/]: {error}", soft_wrap=True)
        stage.show_logs()
        raise typer.Exit(1) from error


@dataclass
class Stage:
    """The processes of a demonstration, and where it has got to."""

    settings: TokenSettings
    port: int
    simulator_port: int
    step: str = "Start"
    _processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Of the service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def phone_url(self) -> str:
        """Of the simulator: the phone's page."""
        return f"http://127.0.0.1:{self.simulator_port}"

    @property
    def data_dir(self) -> Path:
        """The demonstration's own data, apart from a real account's."""
        return self.settings.sayso_data_dir / "demo"

    @property
    def env_file(self) -> Path:
        """The service's settings: a token that is replaced there is taken up, as in an installation's ``.env``."""
        return self.data_dir / "demo.env"

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Start a process of ours; its log goes to a file."""
        with self.log(name).open("wb") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "sayso", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the demonstration, which ends them in order
            )

    def log(self, name: str) -> Path:
        """Where a process's log is."""
        return self.data_dir / f"{name}.log"

    def check_alive(self) -> None:
        """Raise :class:`StepError` when a process of ours has ended."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise StepError(f"the {name} ended with exit code {process.returncode}")

    def show_logs(self) -> None:
        """Print the end of every log."""
        for name in self._processes:
            lines = self.log(name).read_text("utf-8", "replace").splitlines()[-8:]
            console.print(
                Panel("\n".join(lines) or "(empty)", title=f"{name}: {self.log(name)}"), markup=False
            )

    def close(self) -> None:
        """End the processes, the service first, so that it can finish what it has in hand."""
        for name in reversed(self._processes):
            process = self._processes[name]
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _end_what_was_started_when_told_to_go() -> None:
    """A terminal that is closed tells us alone: service and simulator would run on, and hold their ports."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, lambda given, _: sys.exit(128 + given))


def _perform(stage: Stage, *, auto: bool) -> None:
    _start_both(stage)
    with _step(stage, "Simulator: a phone, and Meta's Cloud API") as done:
        _until(stage, lambda: _get(f"{stage.phone_url}/_sim/state"), _START_WITHIN_S)
        done(stage.phone_url)
    with _step(stage, "Service: PostgreSQL, API, webhook, workers") as done:
        _until(stage, lambda: _get(f"{stage.url}/readyz"), _START_WITHIN_S)
        done(stage.url)
    token = issue(stage.settings, user=USER, client=CLIENT, ttl=_TOKEN_LIVES)
    with Sayso(stage.url, token) as sayso:
        with _step(stage, f"{NAME} ({PHONE}) is linked to the assistant's user, and says hello") as done:
            _guard(lambda: sayso.link(USER, PHONE, name=NAME))
            _inbound(stage, {"from": PHONE, "text": "Hi!", "name": NAME})
            done()
        with _step(stage, f"{NAME}'s opt-in is recorded, with her words and the proof of them") as done:
            _guard(lambda: sayso.opt_in(WORDING, evidence="sayso demo: nobody is asked without an opt-in"))
            done()
        asked = _ask(stage, sayso)
        if auto:
            _tap_confirm(stage, asked)
        else:
            _invite(stage)
        decided = _decision(stage, sayso, asked)
        _prove(stage, sayso, decided)
    if auto:
        if not decided.confirmed:
            raise StepError(f"the outcome is {decided.outcome}, not confirmed")
        return
    page = f"{stage.url}/dashboard/confirmations/{decided.id}"
    console.print(f"\nThe whole story of it:\n  [cyan]{page}[/]", soft_wrap=True)
    console.print("\nEverything keeps running: ask more, tap more. [bold]Ctrl-C[/] ends it.")
    while True:
        time.sleep(1)
        stage.check_alive()


def _clear(stage: Stage) -> None:
    """Begin with an empty database: the phone begins empty, too, and questions of last time would not be on it."""
    running = (stage.data_dir / "postgres" / "postmaster.pid").exists()
    if running and not embedded.start(stage.data_dir).release():
        raise StepError(f"another demonstration uses {stage.data_dir}; end it first")
    shutil.rmtree(stage.data_dir, ignore_errors=True)


def _write_settings(stage: Stage) -> None:
    """What the service runs with, in a file as an installation has it."""
    settings = {
        **SIMULATED,
        "WHATSAPP_BASE_URL": stage.phone_url,
        "SAYSO_DATA_DIR": "'{}'".format(str(stage.data_dir.absolute()).replace("'", "\\'")),
    }
    stage.data_dir.mkdir(parents=True)
    stage.env_file.touch(mode=0o600)
    stage.env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")


def _start_both(stage: Stage) -> None:
    """Start them side by side: each takes a second or two to load."""
    for port, option in ((stage.simulator_port, "--simulator-port"), (stage.port, "--port")):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise StepError(
                    f"port {port} is taken (by another demonstration?); end that, or choose another with {option}"
                ) from error
    _clear(stage)
    _write_settings(stage)
    hook = f"{stage.url}/api/v1/whatsapp/webhook"
    command = ["simulator", "--port", str(stage.simulator_port), "--webhook-url", hook]
    stage.start("simulator", command, os.environ)
    command = ["serve", "--port", str(stage.port), "--host", "127.0.0.1", "--env-file", str(stage.env_file)]
    stage.start("service", command, _environment(stage))


def _ask(stage: Stage, sayso: Sayso) -> Confirmation:
    with _step(stage, "The assistant asks") as done:
        asked = _guard(lambda: sayso.ask(*ASKED))
        done(asked.id)
        return asked


def _tap_confirm(stage: Stage, asked: Confirmation) -> None:
    with _step(stage, f"{NAME} taps Confirm on her phone") as done:

        def prompt() -> str | None:
            found = _get(f"{stage.phone_url}/_sim/messages")
            wamids = [m["wamid"] for m in found["messages"] if asked.id in str(m)] if found else []
            return wamids[-1] if wamids else None

        wamid = _until(stage, prompt, _ANSWER_WITHIN_S)
        _inbound(stage, {"from": PHONE, "tap": {"message_id": wamid, "button": 0}})
        done()


def _decision(stage: Stage, sayso: Sayso, asked: Confirmation) -> Confirmation:
    with _step(stage, "The assistant holds one decision") as done:
        decided = asked
        while not decided.decided:
            stage.check_alive()
            decided = _guard(lambda: sayso.confirmation(asked.id, wait_s=20))
        when = f" at {moment(decided.decided_at)}" if decided.decided_at else ""
        done(f"[bold green]{decided.outcome}[/]{when}")
        return decided


def _prove(stage: Stage, sayso: Sayso, decided: Confirmation) -> None:
    with _step(stage, "The decision has a receipt, which verifies with the public keys alone") as done:
        receipt, published = _guard(lambda: (sayso.receipt(decided.id), sayso.keys()))
        verdict = verify.check(
            receipt, published, action=dict(zip(_MEMBERS, ASKED, strict=True)), audience=CLIENT
        )
        if not verdict.proven:
            raise StepError(" ".join(verdict.reasons))
        file, keys = stage.data_dir / "receipt.json", stage.data_dir / "jwks.json"
        for path, content in ((file, receipt.beside), (keys, published)):
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        done()
    for sentence in (*verdict.claims["words"], f"{ourselves()} verify {file} --jwks {keys}"):
        console.print(Padding(Text(sentence, style="dim"), (0, 0, 0, 2)))


def _invite(stage: Stage) -> None:
    sayso = ourselves()
    console.print(
        Panel(
            f"Open [bold cyan]{stage.phone_url}[/] and answer as {NAME}: tap [bold]Confirm[/], or type Y, N, CANCEL.\n"
            f"API and documentation: [cyan]{stage.url}/docs[/]\n"
            f"Dashboard: [cyan]{stage.url}/dashboard[/] (the token below opens it)\n\n"
            f"To call it yourself, with the curl calls of README.md, in another terminal:\n"
            f"  export TOKEN=$({sayso} token --user {USER} --client {CLIENT})\n"
            f"To see what went out, and why:\n"
            f"  {sayso} messages tail",
            title="Your turn",
            border_style="green",
        )
    )


def _environment(stage: Stage) -> dict[str, str]:
    """The reader's own, without what would lead to another account or other data; the installation's token key."""
    apart = (
        "WHATSAPP_",
        "DATABASE_URL",
        "SAYSO_DATA_DIR",
        "SAYSO_CONSENT_KEY",
        "SAYSO_ACCESS_",
        "SAYSO_MORE_",
    )
    return {
        **{name: value for name, value in os.environ.items() if not name.upper().startswith(apart)},
        "SAYSO_JWT_SECRET": jwt_secret(stage.settings).decode(),
        "SAYSO_JWT_ISSUER": stage.settings.sayso_jwt_issuer,
        "SAYSO_JWT_AUDIENCE": stage.settings.sayso_jwt_audience,
    }


@contextlib.contextmanager
def _step(stage: Stage, what: str) -> Iterator[Callable[..., None]]:
    """Name the step while it runs, and say how it ended."""
    stage.step = what
    began = time.monotonic()

    def done(result: str = "") -> None:
        tail = f"  {result}" if result else ""
        console.print(f"[green]✓[/] {what}[dim] ({time.monotonic() - began:.1f} s)[/]{tail}", soft_wrap=True)

    with console.status(f"{what} …"):
        yield done


def _until(stage: Stage, look: Callable[[], _Result | None], seconds: float) -> _Result:
    """What ``look`` finds, looked for until it does; raises :class:`StepError` when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        stage.check_alive()
        if found is not None:
            return found
        time.sleep(0.05)
    raise StepError(f"nothing after {seconds:.0f} s")


def _get(url: str) -> Any | None:
    """The JSON at an address; None while nobody, or somebody unwell, answers there."""
    try:
        answer = httpx2.get(url, timeout=5)
        return answer.json() if answer.status_code == httpx2.codes.OK else None
    except (httpx2.TransportError, ValueError):
        return None


def _inbound(stage: Stage, what: dict[str, Any]) -> None:
    """Let the person do something on the simulated phone."""
    try:
        answer = httpx2.post(f"{stage.phone_url}/_sim/inbound", json=what, timeout=5)
    except httpx2.TransportError as error:
        raise StepError(f"the simulator does not answer: {why(error)}") from error
    if answer.status_code != httpx2.codes.OK:
        raise StepError(f"the simulator refused {what}: {answer.text}")


def _guard(call: Callable[[], _Result]) -> _Result:
    try:
        return call()
    except Exception as error:
        raise StepError(str(error)) from error
