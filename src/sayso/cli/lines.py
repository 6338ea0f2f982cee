"""Messages as a terminal shows them: one line each where it is wide enough, two where it is not."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sayso.cli.saying import count, moment
from sayso.core.database import Record
from sayso.messages.story import Story, who
from sayso.people.service import Person

COLOURS: Final = {
    "failed": "red",
    "expired": "red",
    "suppressed": "yellow",
    "unknown": "magenta",
    "read": "green",
}
#: From so many columns on a message has one line.
_WIDE: Final = 160
_TIME, _ID, _STATE = 19, 30, 10
_INDENT: Final = 4


def messages(console: Console, rows: Sequence[Record], persons: Mapping[str, Person]) -> RenderableType:
    """Messages, each with when it was accepted, to whom it goes, as what, and why it is where it is."""
    head = f"{'time (UTC)':<{_TIME}}  {'message':<{_ID}}  {'state':<{_STATE}}"
    wide = _is_wide(console)
    parts: list[RenderableType] = [Text(f"{head}  to, as, why" if wide else head, style="bold")]
    for row in rows:
        line = Text.assemble(
            f"{moment(row['created_at'], zone=False)}  {row['id']:<{_ID}}  ",
            (f"{row['state']:<{_STATE}}", COLOURS.get(row["state"], "")),
        )
        said = about(row, persons[row["person_id"]])
        if wide:
            parts.append(line.append(f"  {said}"))
        else:
            parts += [line, Padding(Text(said), (0, 0, 0, _INDENT))]
    return Group(*parts)


def that_fit(console: Console) -> int:
    """How many messages a terminal has room for at once."""
    return max(1, (console.height - 2) // (1 if _is_wide(console) else 3))


def _is_wide(console: Console) -> bool:
    return not console.is_terminal or console.width >= _WIDE


def about(row: Record, person: Person) -> str:
    """To whom, as what, how often tried, and why it is in its state or what it waits for."""
    template = row["template_name"] if row["type"] == "template" or row["form"] == "template" else None
    said = [
        f"to {who(person)}",
        f"{row['purpose']} as template {template} ({row['template_language']})"
        if template
        else f"{row['purpose']} as {row['type']}",
        count(row["attempt"], "attempt") if row["attempt"] > 1 else "",
        f"to go out at {moment(row['send_at'])}" if _is_scheduled(row) else "",
        row["held"] or row["reason"] or "",
    ]
    return " · ".join(filter(None, said))


def _is_scheduled(row: Record) -> bool:
    return row["send_at"] is not None and row["state"] == "queued" and not row["attempt"]


def story(console: Console, told: Story) -> None:
    """The story of a message: what is known of it, what happened, what comes next."""
    _columns(console, [(Text(what, style="bold"), sentence) for what, sentence in told.facts], width=10)
    console.print()
    console.print(Text("time (UTC)", style="bold"))
    _columns(console, list(_steps(told)), width=_TIME + 2 + _STATE)
    console.print()
    _columns(console, [(Text("next", style="bold"), told.next)], width=10)


def _steps(told: Story) -> Iterator[tuple[Text, str]]:
    """What happened. Meta's clock is not ours: no step is shown as earlier than the one it follows."""
    latest = datetime.min.replace(tzinfo=UTC)
    for at, state, said in told.steps:
        latest = max(latest, at)
        yield Text.assemble(f"{moment(latest, zone=False)}  ", (state, COLOURS.get(state, "cyan"))), said


def _columns(console: Console, rows: Sequence[tuple[Text, str]], *, width: int) -> None:
    """Heads, and beside each what is said: on a terminal it goes on below itself, elsewhere it is one line."""
    if not console.is_terminal:
        for head, said in rows:
            head.pad_right(width + 1 - len(head))
            console.print(head.append(said), soft_wrap=True)
        return
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=width, no_wrap=True)
    table.add_column(overflow="fold")
    for head, said in rows:
        table.add_row(head, Text(said))
    console.print(table)
