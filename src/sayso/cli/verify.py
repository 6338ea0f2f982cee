"""``sayso verify``: whether a receipt is genuine, and what it proves. It needs no service, only the public keys."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sayso.cli.published import keys_from
from sayso.cli.reading import json_of, text_of
from sayso.cli.running import ENV_FILE, EnvFile
from sayso.client import verify as receipts
from sayso.client.verify import Check, Receipt, Verdict
from sayso.core.errors import InputInvalidError

out = Console(highlight=False)

_MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}


def verify(
    receipt: Annotated[Path, typer.Argument(help="A receipt: the JWS, or the JSON form.")],
    *,
    action: Annotated[
        Path | None,
        typer.Option(
            help="JSON of the action that is to be the confirmed one: action_type, action_description, "
            "action_details, and action where one was given."
        ),
    ] = None,
    jwks: Annotated[
        str | None, typer.Option(help="File or URL of the public keys; left out: this installation's.")
    ] = None,
    audience: Annotated[str | None, typer.Option(help="The assistant it must be for (client_id).")] = None,
    issuer: Annotated[str | None, typer.Option(help="Who must have signed it.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Verify a receipt, and say what it proves. Exit code 0: it holds; 1: it does not; 2: it cannot be looked at."""
    published = keys_from(jwks, env_file)
    if published is None:
        raise InputInvalidError(
            "There are no keys here to verify with. Name them with --jwks: a file, or the address of the installation "
            "that signed, https://…/.well-known/jwks.json."
        )
    try:
        found = receipts.read(text_of(receipt))
    except receipts.UnreadableError as error:
        raise InputInvalidError(f"{receipt} is no receipt: {error}.") from error
    given = _action_of(action) if action else None
    verdict = receipts.check(found, published, action=given, audience=audience, issuer=issuer)
    show(verdict, found)
    if not verdict.proven:
        raise typer.Exit(1)


def _action_of(file: Path) -> dict[str, Any]:
    """The action a file holds: what is none must not pass for one that was not given."""
    given = json_of(file)
    if not isinstance(given, dict):
        raise InputInvalidError(
            f"{file} holds no action: give it whole, as it was asked about, with action_type and the rest."
        )
    return given


def show(verdict: Verdict, found: Receipt) -> None:
    """Each check in a line, then what the receipt says."""
    out.print(grid(verdict.checks))
    out.print()
    if not verdict.proven:
        out.print(Text("✗ The receipt does not hold.", style="bold red"))
        return
    out.print(Text("What it says", style="bold"))
    for sentence in [*verdict.claims["words"], *_contents(found.beside)]:
        out.print(Padding(Text(sentence), (0, 0, 0, 2)))
    out.print()
    out.print(Text(f"✓ The receipt holds: {verdict.claims['outcome']}.", style="bold green"))


def grid(checks: Sequence[Check]) -> Table:
    """Checks, one below the other; what is long goes on below itself."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        mark, style = _MARKS[check.ok]
        table.add_row(Text(mark, style=style), Text(check.name, style="bold"), Text(check.said))
    return table


def _contents(beside: Mapping[str, Any] | None) -> list[str]:
    """What the JSON form shows besides, for people."""
    if beside is None or beside["opened"] is None:
        return []
    lines = [f"{name}: {_text(value)}" for name, value in beside["action"].items()]
    for each in filter(None, beside["opened"]["approvals"]):
        told = {name: each[name]["value"] for name in ("person", "said") if name in each}
        lines += [f"asked on WhatsApp: {told['person']}"] if "person" in told else []
        lines += [f"answered in these words: “{told['said']}”"] if "said" in told else []
    return lines


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
