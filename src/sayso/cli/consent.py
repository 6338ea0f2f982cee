"""``sayso consent``: record what people said, take in files, hand the ledger out, verify it, set the policy."""

import getpass
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table

from sayso.cli.database import with_runtime
from sayso.consent.rules import ALL, CATEGORIES, SCOPES
from sayso.core.database import Tx
from sayso.core.errors import InputInvalidError
from sayso.core.runtime import Runtime
from sayso.core.settings import consent_key, load_token_settings
from sayso.people.service import Person

if TYPE_CHECKING:
    from sayso.consent.chain import Walk
    from sayso.consent.portable import Imported, Rejected
    from sayso.core.chains import Finding

consent = typer.Typer(help="Opt-ins and opt-outs: record, import, export, verify.", no_args_is_help=True)
out = Console(highlight=False)

#: Rows of a file that are written in one transaction, and findings that are shown.
_AT_ONCE = 500
_SHOWN = 20
_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")  # cloud-api 4.7

Who = Annotated[str, typer.Argument(help="A number with + and country code, or a WhatsApp user id.")]
Scope = Annotated[list[str], typer.Option(help=f"all, or any of: {', '.join(SCOPES)}.")]
EnvFile = Annotated[Path, typer.Option(help="Where settings are read from.")]
ENV_FILE = Path(".env")


@consent.command()
def grant(
    who: Who,
    *,
    wording: Annotated[str, typer.Option(help="What the person agreed to, word for word.")],
    evidence: Annotated[list[str], typer.Option(help="What proves it; may be given several times.")],
    scope: Scope = [ALL],  # noqa: B006 - typer copies it
    method: Annotated[str, typer.Option(help="web_form, phone, paper, in_person …")] = "other",
    captured_at: Annotated[str | None, typer.Option(help="When, in ISO 8601; left out: now.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Record a person's opt-in, with its proof."""
    from sayso.inbound import recording  # noqa: PLC0415

    async def work(rt: Runtime) -> str:
        async with rt.db.tx() as tx:
            told = recording.Told(
                person=await _person(tx, rt, who),
                client_id=recording.OURSELVES,
                actor=_actor(),
                captured_at=_moment(rt, captured_at),
                method=method,
                scope=_scopes(scope),
                personal={"wording": wording, "evidence": evidence},
            )
            back = await recording.grant(tx, rt, told)
        if back.stale:
            return "[yellow]Recorded, and changes nothing:[/] the person opted out later than this opt-in was given."
        return (
            f"[green]✓[/] Opted in: {who}, {', '.join(scope)} (entry {back.entry.id if back.entry else '-'})"
        )

    out.print(with_runtime(env_file, work), soft_wrap=True)


@consent.command()
def revoke(
    who: Who,
    reason: Annotated[str, typer.Option(help="How it is known that the person wants this.")],
    scope: Scope = [ALL],  # noqa: B006 - typer copies it
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Opt a person out: what waits to go to them is taken back, what is open is closed."""
    from sayso.inbound import recording  # noqa: PLC0415

    async def work(rt: Runtime) -> str:
        async with rt.db.tx() as tx:
            told = recording.Told(
                person=await _person(tx, rt, who),
                client_id=recording.OURSELVES,
                actor=_actor(),
                captured_at=rt.now(),
                method="other",
                scope=_scopes(scope),
                personal={"reason": reason},
            )
            left = await recording.revoke(tx, rt, told)
        if not left.news:
            return f"{who} was out already (entry {left.entry.id})."
        return (
            f"[green]✓[/] Opted out: {who}, {', '.join(scope)} (entry {left.entry.id}); "
            f"{left.suppressed} messages taken back, {left.ended} open questions closed"
        )

    out.print(with_runtime(env_file, work), soft_wrap=True)


@consent.command()
def correct(
    entry: Annotated[str, typer.Argument(help="The entry's id (con_…), as an export shows it.")],
    reason: Annotated[str, typer.Option(help="Why it was wrong; it is kept.")],
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Strike out an entry that was recorded by mistake: it stays, and no longer counts."""
    from sayso.consent import amending  # noqa: PLC0415

    async def work(rt: Runtime) -> str:
        async with rt.db.tx() as tx:
            struck = await amending.correct(tx, rt, entry, actor=_actor(), reason=reason)
        return f"[green]✓[/] {entry} no longer counts (entry {struck.id})"

    out.print(with_runtime(env_file, work), soft_wrap=True)


@consent.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="CSV with a head row, a JSON array, or JSON lines.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, and write nothing.")] = False,  # noqa: FBT002 - a flag of the command line
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Take in opt-ins that were given elsewhere. Those without wording, evidence and time are marked unverified.

    Columns: recipient, captured_at, wording, evidence, scope, expires_at, and whatever else is known of the proof.
    """
    from sayso.consent.portable import Imported, Rejected, read_import  # noqa: PLC0415
    from sayso.core.runtime import wall_clock  # noqa: PLC0415

    rows = read_import(_read(file), name=file.name, now=wall_clock())
    wrong = [row for row in rows if isinstance(row, Rejected)] + [
        Rejected(row.number, why) for row in rows if isinstance(row, Imported) and (why := _not_a_person(row))
    ]
    if wrong:
        _show_rejected(wrong, len(rows))
        raise typer.Exit(1)
    good = [row for row in rows if isinstance(row, Imported)]
    unverified = sum(not row.verified for row in good)
    note = f", {unverified} of them unverified: these permit no marketing" if unverified else ""
    if dry_run:
        out.print(
            f"[green]✓[/] {len(good)} opt-ins could be taken in{note}. Nothing was written.", soft_wrap=True
        )
        return
    written, known = with_runtime(env_file, lambda rt: write(rt, good))
    again = f"; {known} were there already" if known else ""
    out.print(f"[green]✓[/] {written} opt-ins taken in{note}{again}", soft_wrap=True)


async def write(rt: Runtime, rows: "Sequence[Imported]") -> tuple[int, int]:
    """Write opt-ins of a file down; how many, and how many stood there already."""
    from sayso.inbound import recording  # noqa: PLC0415

    written = known = 0
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("Taking in", total=len(rows))
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            async with rt.db.tx() as tx:
                whom = [(await _person(tx, rt, row.recipient), row) for row in some]
                new, old = await recording.take_in(tx, rt, whom, actor=_actor())
            written, known = written + new, known + old
            progress.advance(task, len(some))
    return written, known


def _not_a_person(row: "Imported") -> str | None:
    from sayso.people import rules  # noqa: PLC0415

    try:
        if not _BSUID.fullmatch(row.recipient):
            rules.phone(row.recipient, pointer="/recipient")
    except InputInvalidError as error:
        return error.detail
    return None


def _show_rejected(wrong: "Sequence[Rejected]", total: int) -> None:
    table = Table("row", "what is wrong", title=f"{len(wrong)} of {total} rows cannot be taken in")
    for row in wrong[:_SHOWN]:
        table.add_row(str(row.number), row.why)
    out.print(table)
    out.print("[red]✗[/] Nothing was written. Mend the file and import it again.", soft_wrap=True)


@consent.command()
def export(
    who: Annotated[str | None, typer.Argument(help="One person; left out: the whole ledger.")] = None,
    form: Annotated[str, typer.Option("--format", help="json (can be verified) or csv.")] = "json",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; left out: printed.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Hand the ledger out, or one person's part of it."""
    if form not in ("json", "csv"):
        raise InputInvalidError("--format is json or csv.")
    from sayso.inbound.consent_routes import Wanted, export_file  # noqa: PLC0415

    async def work(rt: Runtime) -> str:
        whose = None
        if who is not None:
            async with rt.db.one() as tx:
                person = await _known(tx, who)
            whose = person.ids if person else ()
        return "".join([piece async for piece in export_file(rt, Wanted(whose), form)])

    text = with_runtime(env_file, work)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", newline="")
        out.print(f"[green]✓[/] Written to {output}", soft_wrap=True)


@consent.command()
def verify(
    file: Annotated[
        Path | None, typer.Option(help="An export (JSON); left out: this installation's ledger.")
    ] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Walk the chain of the ledger: whatever was changed, removed, moved or added in it is found. Exit code 1 if so."""
    walk, sealed = _verify_file(file, env_file) if file else (with_runtime(env_file, verify_database), True)
    if walk.findings:
        _show_findings(walk.findings)
        raise typer.Exit(1)
    erased = f", {walk.erased} of them erased" if walk.erased else ""
    whole = {
        "all": "The chain is whole",
        "person": "The person's chain is whole",
        "some": "Every entry is as it was written",
    }
    seal = (
        ""
        if sealed
        else "\nThe key of the installation is not here, so the seals were not looked at: it is not proved that no "
        "entry was cut out of the file, nor that this installation wrote it."
    )
    said = f"{walk.entries} entries{erased}. {whole[walk.extent]}.{seal}"
    out.print(Panel(said, title="[green]✓ verified", border_style="green", expand=False))


async def verify_database(rt: Runtime) -> "Walk":
    """Walk the ledger of a database; most of it without holding anything up."""
    from sayso.consent import chain, ledger  # noqa: PLC0415

    walk = chain.Walk()
    async with rt.db.one() as tx:
        head = await ledger.head_of(tx)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("Verifying", total=head.seq if head else None)
        async for page in ledger.pages(rt, up_to=ledger.NO_END):
            for line in page:
                walk.step(line)
            progress.update(task, completed=walk.entries)
    async with rt.db.tx() as tx:
        end = await ledger.head_of(tx, lock=True)  # nothing is appended from here on
        async for line in ledger.lines(tx, after=walk.last_seq):
            walk.step(line)
    walk.end(end, ledger.key(rt))
    return walk


def _verify_file(file: Path, env_file: Path) -> "tuple[Walk, bool]":
    from sayso.consent import chain, portable  # noqa: PLC0415

    found = portable.read_export(_read(file))
    settings = load_token_settings(env_file)
    here = settings.sayso_consent_key is not None or (settings.sayso_data_dir / "consent-key").exists()
    key = consent_key(settings) if here else None
    walk = chain.verify(found.lines, head=found.head, key=key, extent=found.extent)
    if key is not None:
        walk.whole(found.head, found.seal, key)
    return walk, here


def _show_findings(findings: "Sequence[Finding]") -> None:
    table = Table(
        "entry",
        "id",
        "what is wrong",
        title=f"{len(findings)} finding{'s' if len(findings) > 1 else ''}",
        border_style="red",
    )
    for finding in findings[:_SHOWN]:
        table.add_row(str(finding.seq or "end"), finding.entry_id or "", finding.what)
    out.print(table)
    if len(findings) > _SHOWN:
        out.print(f"… and {len(findings) - _SHOWN} more", soft_wrap=True)
    out.print("[bold red]✗ The ledger is not as it was written.[/]", soft_wrap=True)


@consent.command()
def policy(
    category: Annotated[str | None, typer.Argument(help=f"One of {', '.join(CATEGORIES)}.")] = None,
    required: Annotated[
        bool | None,
        typer.Option("--opt-in/--no-opt-in", help="Whether what we begin needs an opt-in."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Show which categories need an opt-in, or switch one, with the reason."""
    from sayso.consent import service  # noqa: PLC0415

    if category is not None and (
        category not in CATEGORIES or required is None or not (reason or "").strip()
    ):
        raise InputInvalidError(
            f"Give a category ({', '.join(CATEGORIES)}), --opt-in or --no-opt-in, and a --reason."
        )

    async def work(rt: Runtime) -> list[service.Policy]:
        async with rt.db.tx() as tx:
            if category is not None and required is not None and reason is not None:
                await service.set_policy(
                    tx, rt, category, opt_in_required=required, reason=reason, actor=_actor()
                )
            return list((await service.policies(tx)).values())

    table = Table("category", "opt-in needed", "why", "by", "since")
    for each in with_runtime(env_file, work):
        needed = "[green]yes[/]" if each.opt_in_required else "[yellow]no[/]"
        since = f"{each.at:%Y-%m-%d %H:%M} UTC" if each.at else ""
        table.add_row(each.category, needed, each.reason, each.actor, since)
    out.print(table)


def _actor() -> str:
    return f"terminal/{getpass.getuser()}"


async def _person(tx: Tx, rt: Runtime, who: str) -> Person:
    from sayso.people import rules, service  # noqa: PLC0415
    from sayso.whatsapp.updates import Identity  # noqa: PLC0415

    if _BSUID.fullmatch(who):
        return await service.meet(tx, rt, Identity(bsuid=who), learned_from="operator")
    return await service.by_phone(tx, rt, rules.phone(who, pointer="/recipient"), learned_from="operator")


async def _known(tx: Tx, who: str) -> Person | None:
    from sayso.people import meeting, rules  # noqa: PLC0415

    given = {"bsuid": who} if _BSUID.fullmatch(who) else {"phone": rules.phone(who, pointer="/recipient")}
    return await meeting.find(tx, given)


def _scopes(given: Sequence[str]) -> tuple[str, ...]:
    strange = [each for each in given if each not in (ALL, *SCOPES)]
    if strange:
        raise InputInvalidError(
            f"There is no scope {', '.join(strange)}; there are: all, {', '.join(SCOPES)}."
        )
    return tuple(dict.fromkeys(given))


def _moment(rt: Runtime, text: str | None) -> datetime:
    now = rt.now()
    try:
        at = datetime.fromisoformat(text) if text else now
    except ValueError as error:
        raise InputInvalidError(f"{text!r} is not a time in ISO 8601: {error}.") from error
    at = at if at.tzinfo else at.replace(tzinfo=now.tzinfo)
    if at > now:
        raise InputInvalidError(f"{text} lies in the future.")
    return at


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalidError(f"{file} cannot be read: {error}.") from error
