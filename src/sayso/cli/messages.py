"""``sayso messages``: watch them go, hear why one did or did not, send dead letters again, take back, settle."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer
from rich.console import Console
from rich.live import Live

from sayso.cli.database import with_runtime
from sayso.cli.running import ENV_FILE, EnvFile
from sayso.cli.saying import moment
from sayso.core.database import Record, Tx
from sayso.core.errors import InputInvalidError, NotFoundError
from sayso.core.faults import near
from sayso.core.runtime import Runtime
from sayso.core.tokens import parse_ttl

if TYPE_CHECKING:
    from sayso.messages.dead import Settlement
    from sayso.people.service import Person

messages = typer.Typer(
    help="Watch what goes out, ask why, send again, take back, settle. Times are in UTC.",
    no_args_is_help=True,
)

#: Who retried or cancelled, on the timeline.
OPERATOR = "the operator"
_LOOK_S = 1.0
#: Longer than any message is kept; a calendar begins somewhere.
_AGES: Final = timedelta(days=36_525)

MessageId = Annotated[str, typer.Argument(help="A message's id (msg_…).")]


@messages.command()
def tail(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay, and show what is new.")] = False,
    lines: Annotated[int, typer.Option("-n", min=1, max=500, help="How many messages.")] = 20,
    state: Annotated[
        str | None,
        typer.Option(help="Only those in this state, such as failed, or queued (held and scheduled, too)."),
    ] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Show the newest messages; with --follow a table that renews itself, until Ctrl-C."""
    if state is not None and state not in _states():
        meant = near(state, _states()) or "."
        raise InputInvalidError(f"There is no state {state!r}; there are: {', '.join(_states())}{meant}")

    async def work(rt: Runtime) -> None:
        console = Console(highlight=False)
        if not follow:
            _show(console, *await _newest(rt, lines, state), none=f"No message is {state or 'there yet'}")
            return
        if not console.is_terminal:
            await _as_lines(rt, lines, state)
        from sayso.cli import lines as drawn  # noqa: PLC0415

        most = min(lines, drawn.that_fit(console))
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(drawn.messages(console, *await _newest(rt, most, state)), refresh=True)
                await asyncio.sleep(_LOOK_S)

    try:
        with_runtime(env_file, work)
    except KeyboardInterrupt:
        raise typer.Exit from None


@messages.command()
def why(message_id: MessageId, env_file: EnvFile = ENV_FILE) -> None:
    """Tell the whole story of one message, and what can be done about it."""

    async def work(rt: Runtime) -> None:
        from sayso.cli import lines  # noqa: PLC0415 - loaded with the database, which other commands need not
        from sayso.messages import story  # noqa: PLC0415

        async with rt.db.tx() as tx:
            told = await story.tell(tx, rt, message_id)
        if told is None:
            raise NotFoundError(f"No message {message_id!r}.")
        lines.story(Console(highlight=False), told)

    with_runtime(env_file, work)


@messages.command()
def dead(
    *,
    code: Annotated[int | None, typer.Option(help="Only with this error code of Meta's.")] = None,
    since: Annotated[str | None, typer.Option(help="Only of the last 30m, 12h, 7d.")] = None,
    lines: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many.")] = 50,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """List what did not get through: failed, expired, or unknown when the time for a status is over."""

    async def work(rt: Runtime) -> None:
        from sayso.messages import dead as letters  # noqa: PLC0415

        which = letters.Which(None, code=code, since=_since(rt, since))
        async with rt.db.tx() as tx:
            rows = await letters.letters(tx, which, before=None, limit=lines)
            persons = await _persons(tx, rows)
        _show(Console(highlight=False), rows[::-1], persons, none="Nothing failed, expired or is unknown")

    with_runtime(env_file, work)


@messages.command()
def retry(
    *,
    message_id: Annotated[str | None, typer.Argument(help="A message's id (msg_…).")] = None,
    code: Annotated[int | None, typer.Option(help="All that failed with this code of Meta's.")] = None,
    since: Annotated[str | None, typer.Option(help="All of the last 30m, 12h, 7d.")] = None,
    sender: Annotated[str | None, typer.Option(help="Only from this phone number id.")] = None,
    template: Annotated[str | None, typer.Option(help="Only with this template.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which would go.")] = False,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Send one dead letter again, or many of a kind, the oldest first, at most 1,000 at once."""
    if message_id is None and code is None and since is None:
        raise InputInvalidError("Say which: a message's id, --code or --since.")

    async def work(rt: Runtime) -> None:
        from sayso.messages import dead as letters  # noqa: PLC0415

        if message_id is not None and not dry_run:
            await _retry_one(rt, message_id)
            return
        ids = None if message_id is None else [message_id]
        which = letters.Which(None, code, sender, template, _since(rt, since), None, ids)
        async with rt.db.tx() as tx:
            done = await letters.retry_many(tx, rt, which, by=OPERATOR, dry_run=dry_run)
        verb = "would be sent again" if dry_run else "sent again"
        for going in done.going:
            typer.echo(f"{going}  {verb}")
        for refused, reason in done.refused:
            typer.echo(f"{refused}  not sent again: {reason}")
        more = "; there are more: run it once more" if done.more else ""
        typer.echo(f"{len(done.going)} {verb}, {len(done.refused)} not{more}.")

    with_runtime(env_file, work)


async def _retry_one(rt: Runtime, message_id: str) -> None:
    from sayso.messages import dead as letters  # noqa: PLC0415

    async with rt.db.tx() as tx:
        row = await letters.locked(tx, message_id)
        if row is None:
            raise NotFoundError(f"No message {message_id!r}.")
        going = await letters.retry(tx, rt, row, by=OPERATOR)
    typer.echo(f"{message_id}  {'sent again' if going else 'is on its way already: ' + row['state']}")


@messages.command()
def cancel(message_id: MessageId, env_file: EnvFile = ENV_FILE) -> None:
    """Take back a message that is queued, held or scheduled. What may be on its way cannot be called back."""

    async def work(rt: Runtime) -> str:
        from sayso.confirmations import moving  # noqa: PLC0415
        from sayso.messages import dead as letters  # noqa: PLC0415

        async with rt.db.tx() as tx:
            row = await letters.locked(tx, message_id)
            if row is None:
                raise NotFoundError(f"No message {message_id!r}.")
            return await letters.cancel(tx, rt, row, by=OPERATOR, on_failed=moving.prompt_failed)

    typer.echo(f"{message_id}  {with_runtime(env_file, work)}")


@messages.command()
def settle(
    message_id: MessageId,
    *,
    said: Annotated[
        str,
        typer.Option(
            "--as",
            help="delivered, failed, or retry, which sends it again: the person may get it twice.",
        ),
    ],
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Say what became of an unknown message, one of which Meta's answer was lost."""
    as_ = _settlement(said)

    async def work(rt: Runtime) -> str:
        from sayso.confirmations import moving  # noqa: PLC0415
        from sayso.messages import dead as letters  # noqa: PLC0415

        async with rt.db.tx() as tx:
            row = await letters.locked(tx, message_id)
            if row is None:
                raise NotFoundError(f"No message {message_id!r}.")
            return await letters.settle(tx, rt, row, as_, by=OPERATOR, on_failed=moving.prompt_failed)

    typer.echo(f"{message_id}  {with_runtime(env_file, work)}")


def _settlement(said: str) -> "Settlement":
    from sayso.messages.dead import Settlement  # noqa: PLC0415

    known: dict[str, Settlement] = {each: each for each in get_args(Settlement)}
    if said not in known:
        meant = near(said, known) or "."
        raise InputInvalidError(f"There is no settling as {said!r}; there are: {', '.join(known)}{meant}")
    return known[said]


def _states() -> tuple[str, ...]:
    from sayso.messages.views import State  # noqa: PLC0415

    return get_args(State)


def _show(console: Console, rows: Sequence[Record], persons: "Mapping[str, Person]", *, none: str) -> None:
    from sayso.cli import lines  # noqa: PLC0415

    if rows:
        console.print(lines.messages(console, rows, persons), soft_wrap=not console.is_terminal)
    else:
        typer.echo(f"{none}.")


async def _as_lines(rt: Runtime, lines: int, state: str | None) -> None:
    """For a pipe: a line whenever one of the newest messages has come to another state. It ends with the process."""
    from sayso.cli.lines import about  # noqa: PLC0415

    seen: dict[str, str] = {}
    while True:
        rows, persons = await _newest(rt, lines, state)
        for row in rows:
            if seen.get(row["id"]) != row["state"]:
                said = about(row, persons[row["person_id"]])
                typer.echo(f"{moment(rt.now())}  {row['id']}  {row['state']}  {said}")
        seen = {row["id"]: row["state"] for row in rows}
        await asyncio.sleep(_LOOK_S)


async def _newest(
    rt: Runtime, lines: int, state: str | None
) -> "tuple[Sequence[Record], Mapping[str, Person]]":
    from sayso.messages import service  # noqa: PLC0415

    async with rt.db.one() as tx:
        rows = (await service.newest(tx, state=state, limit=lines))[::-1]
        return rows, await _persons(tx, rows)


async def _persons(tx: Tx, rows: Sequence[Record]) -> "Mapping[str, Person]":
    from sayso.people import service  # noqa: PLC0415

    return await service.get_many(tx, [row["person_id"] for row in rows])


def _since(rt: Runtime, said: str | None) -> datetime | None:
    return rt.now() - min(parse_ttl(said), _AGES) if said else None
