"""``sayso messages``: watch messages go, hear why one did or did not, send dead letters again."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sayso.cli.database import with_runtime
from sayso.core.database import Record
from sayso.core.errors import InputInvalidError, NotFoundError
from sayso.core.runtime import Runtime
from sayso.core.tokens import parse_ttl

messages = typer.Typer(help="What goes out, why or why not, and once more.", no_args_is_help=True)

#: Who retried, on the timeline.
OPERATOR = "the operator"
_LOOK_S = 1.0
_WIDE = 240
_COLOURS = {"failed": "red", "expired": "red", "suppressed": "yellow", "unknown": "magenta", "read": "green"}

MessageId = Annotated[str, typer.Argument(help="A message's id (msg_…).")]
EnvFile = Annotated[Path, typer.Option(help="Where settings are read from.")]


@messages.command()
def tail(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay, and show what is new.")] = False,
    lines: Annotated[int, typer.Option("-n", min=1, max=500, help="How many messages.")] = 20,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    env_file: EnvFile = Path(".env"),
) -> None:
    """Show the newest messages; with --follow a table that renews itself, until Ctrl-C."""

    async def work(rt: Runtime) -> None:
        console = _console()
        if not follow:
            console.print(_table(await _newest(rt, lines, state)))
            return
        if not console.is_terminal:
            await _as_lines(rt, lines, state)
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(_table(await _newest(rt, lines, state)), refresh=True)
                await asyncio.sleep(_LOOK_S)

    try:
        with_runtime(env_file, work)
    except KeyboardInterrupt:
        raise typer.Exit from None


@messages.command()
def why(message_id: MessageId, env_file: EnvFile = Path(".env")) -> None:
    """Tell the whole story of one message, and what can be done about it."""

    async def work(rt: Runtime) -> None:
        from sayso.messages import story  # noqa: PLC0415 - loaded with the database, which other commands need not

        async with rt.db.tx() as tx:
            told = await story.tell(tx, rt, message_id)
        if told is None:
            raise NotFoundError(f"No message {message_id!r}.")
        console = Console(highlight=False, soft_wrap=True)
        for what, sentence in told.facts:
            console.print(Text.assemble((f"{what:<10}", "bold"), sentence))
        console.print()
        for at, step, sentence in told.steps:
            console.print(
                Text.assemble(
                    f"{at:%H:%M:%S.%f}"[:-3], "  ", (f"{step:<11}", _COLOURS.get(step, "cyan")), sentence
                )
            )
        console.print()
        console.print(Text.assemble(("next      ", "bold"), told.next))

    with_runtime(env_file, work)


@messages.command()
def dead(
    *,
    code: Annotated[int | None, typer.Option(help="Only with this error code of Meta's.")] = None,
    since: Annotated[str | None, typer.Option(help="Only of the last 30m, 12h, 7d.")] = None,
    lines: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many.")] = 50,
    env_file: EnvFile = Path(".env"),
) -> None:
    """List what did not get through: failed, expired, unknown."""

    async def work(rt: Runtime) -> None:
        from sayso.messages import dead as letters  # noqa: PLC0415

        which = letters.Which(None, code=code, since=_since(rt, since))
        async with rt.db.tx() as tx:
            rows = await letters.letters(tx, which, before=None, limit=lines)
        _console().print(_table(rows[::-1]))

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
    env_file: EnvFile = Path(".env"),
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


def _console() -> Console:
    """As wide as the terminal; wide enough for whole lines where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


async def _as_lines(rt: Runtime, lines: int, state: str | None) -> None:
    """For a pipe: a line whenever one of the newest messages has come to another state. It ends with the process."""
    seen: dict[str, str] = {}
    while True:
        rows = await _newest(rt, lines, state)
        for row in rows:
            if seen.get(row["id"]) != row["state"]:
                why = row["held"] or row["reason"] or ""
                typer.echo(
                    f"{rt.now():%Y-%m-%d %H:%M:%S}  {row['id']}  {row['purpose']}  {row['state']}  {why}"
                )
        seen = {row["id"]: row["state"] for row in rows}
        await asyncio.sleep(_LOOK_S)


async def _newest(rt: Runtime, lines: int, state: str | None) -> Sequence[Record]:
    from sayso.messages import service  # noqa: PLC0415

    async with rt.db.one() as tx:
        return (await service.newest(tx, state=state, limit=lines))[::-1]


def _table(rows: Sequence[Record]) -> Table:
    table = Table(box=None, header_style="bold")
    for column in ("created", "message", "what", "state", "attempts", "why"):
        table.add_column(column, no_wrap=column != "why")
    for row in rows:
        what = f"{row['purpose']} · {row['type']}"
        reason = row["held"] or row["reason"] or ""
        state = Text(row["state"], style=_COLOURS.get(row["state"], ""))
        table.add_row(
            f"{row['created_at']:%m-%d %H:%M:%S}", row["id"], what, state, str(row["attempt"]), Text(reason)
        )
    return table


def _since(rt: Runtime, said: str | None) -> datetime | None:
    span: timedelta | None = parse_ttl(said) if said else None
    return None if span is None else rt.now() - span
