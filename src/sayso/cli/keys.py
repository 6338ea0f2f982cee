"""``sayso keys``: the keys that sign receipts and checkpoints."""

from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from sayso.cli.database import token_settings
from sayso.cli.running import ENV_FILE, EnvFile
from sayso.core import keys as signing
from sayso.core.errors import InputInvalidError
from sayso.core.runtime import wall_clock
from sayso.core.settings import TokenSettings

keys = typer.Typer(help="Keys that sign receipts: list, rotate.", no_args_is_help=True)
out = Console(highlight=False)


@keys.command("list")
def list_keys(env_file: EnvFile = ENV_FILE) -> None:
    """List the keys: which one signs, and which are published for what they signed before."""
    settings = _with_keys(env_file)
    held = signing.load(settings, now=wall_clock)
    table = Table("key", "made (UTC)", "does", box=None, header_style="bold")
    for key in held.jwks:
        does = "signs" if key["kid"] == held.kid else "verifies"
        table.add_row(key["kid"], str(key.get("created_at", ""))[:19].replace("T", " "), does)
    out.print(table)


@keys.command()
def rotate(env_file: EnvFile = ENV_FILE) -> None:
    """Sign with a new key from now on; running services take it up at their next decision.

    The private part of the old key is destroyed. Its public part stays published: older receipts go on verifying.
    """
    settings = _with_keys(env_file)
    held = signing.rotate(settings, now=wall_clock)
    out.print(f"[green]✓[/] {held.kid} signs from now on.", soft_wrap=True)
    out.print(
        f"Copy {signing.path_of(settings)} to every machine that works on the same database, and to the backup.",
        soft_wrap=True,
    )


def _with_keys(env_file: Path) -> TokenSettings:
    settings = token_settings(env_file)
    path = signing.path_of(settings).absolute()
    if not path.exists():
        raise InputInvalidError(f"There are no keys in {path} yet; a service makes them when it starts.")
    return settings
