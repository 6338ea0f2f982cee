"""``sayso listen``: follow the feed in the terminal, and hand each event on to a program that is being written."""

import contextlib
import json
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer
from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from sayso.cli.running import ENV_FILE, EnvFile, chosen
from sayso.cli.token import has_key, issue, settings_of
from sayso.client.unreached import why
from sayso.core.api import PREFIX
from sayso.core.errors import InputInvalidError, SaysoError, SettingError
from sayso.core.settings import load_settings
from sayso.events.signing import Keys, headers, secret_bytes

console = Console(highlight=False)

_FORWARD_WITHIN_S = 15.0
#: A comment comes every 15 seconds: a stream that is silent for as long is not there any more.
_SILENT_S = 40.0
_LONGEST_PAUSE_S = 10.0
_TTL = timedelta(days=30)


class _CutError(Exception):
    """The stream ended, or could not be had; it may be asked for again."""


class _RefusedError(Exception):
    """The service gives no stream to whoever asks so; ``about_token``: to whoever has this token."""

    def __init__(self, detail: str, *, about_token: bool) -> None:
        super().__init__(detail)
        self.about_token = about_token


def listen(
    client: Annotated[
        str | None, typer.Option(help="The assistant whose events are followed (a token's `client_id`).")
    ] = None,
    *,
    forward_to: Annotated[
        str | None, typer.Option(help="Where each event is posted, signed as an endpoint would get it.")
    ] = None,
    types: Annotated[
        str, typer.Option(help="Types with commas, such as confirmation.*; all by default.")
    ] = "",
    after: Annotated[
        str, typer.Option(help="Where to begin: now, start, or the `next` of an answer of GET /events.")
    ] = "now",
    secret: Annotated[
        str | None, typer.Option(help="Sign with this secret (whsec_…); by default one is made and printed.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="A bearer token of your own, in place of --client.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where the service is; by default the one of this folder.")
    ] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Show what happens as it happens; with --forward-to, hand it on. Ctrl-C ends it."""
    service = _address("--url", url) if url else _service(env_file)
    if forward_to:
        _address("--forward-to", forward_to)
    token, hint = (token, "") if token is not None else _made(env_file, client, service)
    keys = Keys(_secret(secret), bytes(32))
    console.print(f"[dim]Following {service}; Ctrl-C ends it.[/]", soft_wrap=True)
    if forward_to:
        console.print(f"[dim]Posting to {forward_to}, signed with[/] {keys.shown_secret}", soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt), httpx2.Client(follow_redirects=False) as http:
        query = {"types": types} if types else {}
        for event in follow(http, service, token, query, "" if after == "start" else after, hint=hint):
            console.print(line(event, forward(http, forward_to, keys, event) if forward_to else None))


def _made(env_file: Path, client: str | None, service: str) -> tuple[str, str]:
    """A token for an assistant's events, and what to do if the service does not take it."""
    if client is None:
        raise InputInvalidError("Say whose events: --client with the assistant's name, or --token.")
    settings = settings_of(env_file)
    elsewhere = (
        "Run this in the folder that the service runs in, name its settings with --env-file, or give a token of it "
        "with --token."
    )
    place = settings.sayso_data_dir.absolute()
    if not has_key(settings):
        raise InputInvalidError(f"There is no key to make a token with in {place}. {elsewhere}")
    token = issue(settings, user="listen", client=client, ttl=_TTL, scopes=("events:read",))
    return (
        token,
        f"The token was made with the settings of {place}; the service at {service} has others. {elsewhere}",
    )


def follow(
    http: httpx2.Client, service: str, token: str, query: dict[str, str], after: str, *, hint: str = ""
) -> Iterator[str]:
    """Events as JSON, one after the other, for ever; whatever breaks is taken up where it was.

    A refusal raises :class:`SaysoError`, in the words of the service; ``hint``: what it cannot know about the token.
    """
    place, pause = after, 0.0
    while True:
        try:
            for cursor, data in _stream(http, service, token, query, place):
                place = cursor
                if data:
                    pause = 0.0
                    yield data
        except _CutError as cut:
            if pause == 0:
                console.print(f"[yellow]{cut}[/] [dim]It is taken up where it was.[/]", soft_wrap=True)
        except _RefusedError as refused:
            raise SaysoError(f"{refused} {hint}".rstrip() if refused.about_token else str(refused)) from None
        time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
        pause = min(max(2 * pause, 0.5), _LONGEST_PAUSE_S)


def _stream(
    http: httpx2.Client, service: str, token: str, query: dict[str, str], place: str
) -> Iterator[tuple[str, str]]:
    """One stream: the cursor and the data of each block, without data where only the place has moved."""
    sent = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    timeout = httpx2.Timeout(10.0, read=_SILENT_S)
    asked = {**query, "after": place} if place else query
    try:
        with http.stream(
            "GET", f"{service}{PREFIX}/events/stream", params=asked, headers=sent, timeout=timeout
        ) as answer:
            _must_be_well(answer)
            found: dict[str, str] = {}
            for text in answer.iter_lines():
                if text:
                    name, _, value = text.partition(": ")
                    found[name] = value
                elif found:
                    yield found.get("id", place), found.get("data", "")
                    found = {}
    except httpx2.HTTPError as error:
        raise _CutError(f"{service} does not answer: {why(error)}.") from error


def _must_be_well(answer: httpx2.Response) -> None:
    """A refusal ends the command, in the words of the service; a fault of the moment does not."""
    if answer.is_success:
        return
    answer.read()
    if answer.is_server_error:
        raise _CutError(f"The service answered {answer.status_code}.")
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"{answer.url} answered {answer.status_code}; is that where the service is?"
    raise _RefusedError(detail, about_token=answer.status_code == httpx2.codes.UNAUTHORIZED)


def forward(http: httpx2.Client, url: str, keys: Keys, data: str) -> str:
    """Post an event once, as a delivery would; what came of it, in few words that begin with ✗ when it failed."""
    body = data.encode()
    began = time.monotonic()
    signed = headers(json.loads(data)["id"], int(time.time()), body, [keys], ["v1"])
    try:
        answer = http.post(
            url,
            content=body,
            headers={"content-type": "application/json", **signed},
            timeout=_FORWARD_WITHIN_S,
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return f"✗ {why(error)}"
    took = f"{answer.status_code} {int((time.monotonic() - began) * 1000)} ms"
    return f"→ {took}" if answer.is_success else f"✗ {took}"


def line(data: str, became: str | None) -> Group:
    """An event in one line; with what it says below when it is handed on to nobody."""
    event: dict[str, Any] = json.loads(data)
    said = Text.assemble(
        (event["timestamp"][11:19], "dim"), " ", (event["type"], "bold"), " ", event["subject"]
    )
    if became is None:
        shown = Text(json.dumps(event["data"], ensure_ascii=False), "dim")
        return Group(said, Padding(shown, (0, 0, 0, 9)))
    return Group(said.append(f" {became}", "red" if became.startswith("✗") else "green"))


def _secret(given: str | None) -> bytes:
    if given is None:
        return random.SystemRandom().randbytes(32)
    try:
        return secret_bytes(given)
    except ValueError as error:
        raise InputInvalidError(f"--secret: {error}.") from error


def _address(option: str, given: str) -> str:
    """An address that can be called; raises :class:`InputInvalidError` for any other text."""
    if not given.startswith(("http://", "https://")):
        raise InputInvalidError(f"{option} takes an address such as http://127.0.0.1:8000, not {given!r}.")
    return given.rstrip("/")


def _service(env_file: Path) -> str:
    """Where the service of this folder listens, or where its settings say."""
    note = chosen(env_file)
    try:
        settings = load_settings(env_file) if note is None else load_settings(note.env_file, given=note.given)
    except SettingError:
        return "http://127.0.0.1:8000"
    return f"http://{settings.sayso_host}:{settings.sayso_port}"
