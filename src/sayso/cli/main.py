"""Every command, by name."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from sayso.cli.audit import audit
from sayso.cli.consent import consent
from sayso.cli.demo import demo
from sayso.cli.keys import keys
from sayso.cli.listen import listen
from sayso.cli.messages import messages
from sayso.cli.mistyped import Commands
from sayso.cli.people import people
from sayso.cli.policy import policy
from sayso.cli.serve import serve
from sayso.cli.templates import templates
from sayso.cli.token import token
from sayso.cli.verify import verify
from sayso.core.errors import SaysoError
from sayso.simulator.command import simulator

app = typer.Typer(
    name="sayso",
    cls=Commands,
    help="Your AI assistant acts only on your say-so, over WhatsApp.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command()(demo)
app.command()(serve)
app.command()(token)
app.command()(simulator)
app.command()(listen)
app.command()(verify)
app.add_typer(messages, name="messages")
app.add_typer(consent, name="consent")
app.add_typer(people, name="people")
app.add_typer(templates, name="templates")
app.add_typer(audit, name="audit")
app.add_typer(keys, name="keys")
app.add_typer(policy, name="policy")


def _tell_version(value: bool) -> None:  # noqa: FBT001  # as a callback is called
    if value:
        typer.echo(f"sayso {version('sayso')}")
        raise typer.Exit


@app.callback()
def _sayso(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Take what is said before a command."""


def main() -> None:
    """Run a command; an error of ours is a sentence and exit code 2, not a traceback."""
    try:
        app()
    except SaysoError as error:
        sys.stderr.write(f"sayso: {error.detail}\n")
        sys.exit(2)
