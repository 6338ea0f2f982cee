"""``sayso audit``: verify the decision log, hand it out, sign its state now."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sayso.cli.database import with_runtime
from sayso.cli.published import keys_from
from sayso.cli.reading import text_of
from sayso.cli.running import ENV_FILE, EnvFile
from sayso.cli.saying import count
from sayso.core.errors import InputInvalidError
from sayso.core.runtime import Runtime

if TYPE_CHECKING:
    from sayso.confirmations.auditing import Walk
    from sayso.core.chains import Finding

audit = typer.Typer(help="The log of decisions: verify, export, sign.", no_args_is_help=True)
out = Console(highlight=False)

_SHOWN = 20


@audit.command()
def verify(
    file: Annotated[
        Path | None, typer.Option("--from", help="An export; left out: this installation's log.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint (note) that was kept elsewhere; may be repeated.")
    ] = None,
    jwks: Annotated[str | None, typer.Option(help="With --from: file or URL of the public keys.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Walk the decision log: what was changed, removed, added or moved in it is found. Exit code 1 if so."""
    from sayso.confirmations import auditing  # noqa: PLC0415 - loaded with the database, which others need not
    from sayso.core import keys  # noqa: PLC0415

    kept = [text_of(each) for each in checkpoint or []]
    if file is None:
        _tell(with_runtime(env_file, lambda rt: auditing.verify(rt, kept)), kept=len(kept), keyless=False)
        return
    published = keys_from(jwks, env_file)
    if published is None and kept:
        raise InputInvalidError("A checkpoint is verified with public keys: name them with --jwks.")
    public = keys.public_bytes(published) if published is not None else None
    walk = auditing.verify_export(auditing.read_export(text_of(file)), public, kept)
    _tell(walk, kept=len(kept), keyless=public is None)


def _tell(walk: "Walk", *, kept: int, keyless: bool) -> None:
    if walk.findings:
        _show(walk.findings)
        raise typer.Exit(1)
    out.print(Text(f"✓ {count(walk.size, 'decision')}: the log is whole.", style="bold green"))
    for sentence in _limits(walk, kept=kept, keyless=keyless):
        out.print(Text(sentence))


def _limits(walk: "Walk", *, kept: int, keyless: bool) -> list[str]:
    """What the walk vouches for, and what nobody can tell from it."""
    if keyless:
        said = (
            "The keys of the installation are not here (--jwks names them), so no checkpoint was looked at: it is not "
            "proved that the end was not cut off, nor that the installation wrote this file."
        )
        return [said]
    beyond = walk.size - walk.vouched
    vouched = count(walk.vouched, "entry", "entries")
    lines = [f"Checkpoints vouch for {vouched}; {beyond:,} came after the last one."]
    if beyond:
        lines.append(
            "What was changed after the last checkpoint, by somebody who can write to the database, cannot be told."
        )
    if not kept:
        lines.append(
            "Checkpoints in the database vouch against whoever has the database. Against somebody who has the signing "
            "key, too, only one that was kept elsewhere does: give it with --checkpoint."
        )
    return lines


def _show(findings: "Sequence[Finding]") -> None:
    table = Table("entry", "what is wrong", title=count(len(findings), "finding"), border_style="red")
    for finding in findings[:_SHOWN]:
        where = "" if finding.seq is None else str(finding.seq)
        about = f"{finding.entry_id}: " if finding.entry_id else ""
        table.add_row(where or "log", f"{about}{finding.what}")
    out.print(table)
    if len(findings) > _SHOWN:
        out.print(f"… and {len(findings) - _SHOWN} more")
    out.print(Text("✗ The log is not as it was written.", style="bold red"))


@audit.command()
def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; left out: printed.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Hand the log out as JSON lines. It holds nothing personal; checkpoints stand at its end."""
    from sayso.confirmations import auditing  # noqa: PLC0415

    text = "\n".join(with_runtime(env_file, auditing.export)) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    out.print(f"[green]✓[/] Written to {output}", soft_wrap=True)


@audit.command()
def checkpoint(env_file: EnvFile = ENV_FILE) -> None:
    """Print the newest signed checkpoint, made now where the log has grown. Keep it where we cannot change it."""
    from sayso.confirmations import log  # noqa: PLC0415

    async def work(rt: Runtime) -> str | None:
        async with rt.db.tx() as tx:
            await log.checkpoint(tx, rt, now=True)
        async with rt.db.one() as tx:
            stored = await log.checkpoints(tx)
        return stored[-1]["note"] if stored else None

    note = with_runtime(env_file, work)
    if note is None:
        raise InputInvalidError("Nothing has been decided yet, so there is nothing to sign.")
    typer.echo(note, nl=False)
