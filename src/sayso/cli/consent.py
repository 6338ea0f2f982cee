"""``sayso consent``: record what people said, take in files, hand the ledger out, verify it, set the policy."""

import getpass
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table

from sayso.cli.database import has_key, token_settings, with_runtime
from sayso.cli.reading import all_worded, text_of, worded
from sayso.cli.running import ENV_FILE, EnvFile
from sayso.cli.saying import count, moment
from sayso.consent.rules import ALL, CATEGORIES, SCOPES
from sayso.core.database import Tx
from sayso.core.errors import InputInvalidError
from sayso.core.faults import near
from sayso.core.moments import sound
from sayso.core.runtime import Runtime
from sayso.core.settings import consent_key
from sayso.people.service import Person

if TYPE_CHECKING:
    from sayso.consent.chain import Walk
    from sayso.consent.portable import Imported, Rejected
    from sayso.core.chains import Finding

consent = typer.Typer(
    help="Opt-ins and opt-outs: record, import, export, verify. Times are in UTC.", no_args_is_help=True
)
out = Console(highlight=False)

#: Findings that are shown.
_SHOWN = 20

Who = Annotated[str, typer.Argument(help="A number with + and country code, or a WhatsApp user id.")]
Scope = Annotated[list[str], typer.Option(help=f"all, or any of: {', '.join(SCOPES)}.")]


@consent.command()
def grant(
    who: Who,
    *,
    wording: Annotated[str, typer.Option(help="What the person agreed to, word for word.", callback=worded)],
    evidence: Annotated[
        list[str], typer.Option(help="What proves it; may be given several times.", callback=all_worded)
    ],
    scope: Scope = [ALL],  # noqa: B006 - typer copies it
    method: Annotated[str, typer.Option(help="web_form, phone, paper, in_person …")] = "other",
    captured_at: Annotated[
        str | None, typer.Option(help="When, such as 2026-03-31T09:30:00Z; left out: now.")
    ] = None,
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

    out.print(with_runtime(env_file, work, seals=True), soft_wrap=True)


@consent.command()
def revoke(
    who: Who,
    reason: Annotated[str, typer.Option(help="How it is known that the person wants this.", callback=worded)],
    scope: Scope = [ALL],  # noqa: B006 - typer copies it
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Opt a person out: what waits to go to them is taken back, what is open is closed."""
    from sayso.inbound import leaving, recording  # noqa: PLC0415

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
        under_way = await leaving.quiet(rt, told.person, told.scope)
        still = f". [yellow]{count(under_way, 'message')} may still be on the way[/]" if under_way else ""
        if not left.news:
            return f"{who} was out already (entry {left.entry.id}){still}."
        return (
            f"[green]✓[/] Opted out: {who}, {', '.join(scope)} (entry {left.entry.id}); "
            f"{count(left.suppressed, 'message')} taken back, {count(left.ended, 'open question')} closed{still}"
        )

    out.print(with_runtime(env_file, work, seals=True), soft_wrap=True)


@consent.command()
def correct(
    entry: Annotated[str, typer.Argument(help="The entry's id (con_…), as an export shows it.")],
    reason: Annotated[str, typer.Option(help="Why it was wrong; it is kept.", callback=worded)],
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Strike out an entry that was recorded by mistake: it stays, and no longer counts."""
    from sayso.consent import amending  # noqa: PLC0415

    async def work(rt: Runtime) -> str:
        async with rt.db.tx() as tx:
            struck = await amending.correct(tx, rt, entry, actor=_actor(), reason=reason)
        return f"[green]✓[/] {entry} no longer counts (entry {struck.id})"

    out.print(with_runtime(env_file, work, seals=True), soft_wrap=True)


@consent.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="CSV with a head row, a JSON array, or JSON lines.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, and write nothing.")] = False,  # noqa: FBT002 - a flag of the command line
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Take in opt-ins that were given elsewhere. Those without wording, evidence and time are marked unverified.

    Columns: recipient, captured_at, wording, evidence, scope, expires_at, and whatever else is known of the proof.
    """
    from sayso.consent.portable import read_import  # noqa: PLC0415
    from sayso.core.runtime import wall_clock  # noqa: PLC0415
    from sayso.inbound import importing  # noqa: PLC0415

    rows = read_import(text_of(file), name=file.name, now=wall_clock())
    good, wrong = importing.checked(rows)
    if wrong:
        _show_rejected(wrong, len(rows))
        raise typer.Exit(1)
    unverified = sum(not row.verified for row in good)
    note = f", {unverified:,} unverified, which permit no marketing" if unverified else ""
    if dry_run:
        out.print(
            f"[green]✓[/] {count(len(good), 'opt-in')} could be taken in{note}. Nothing was written.",
            soft_wrap=True,
        )
        return
    written, known = with_runtime(env_file, lambda rt: write(rt, good), seals=True)
    again = f"; {known:,} stood there already" if known else ""
    said = f"{count(written, 'opt-in')} taken in{note if written else ''}{again}"
    out.print(f"[green]✓[/] {said}", soft_wrap=True)


async def write(rt: Runtime, rows: "Sequence[Imported]") -> tuple[int, int]:
    """Write opt-ins of a file down; how many, and how many stood there already."""
    from sayso.inbound import importing  # noqa: PLC0415

    written = known = 0
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("Taking in", total=len(rows))
        async for part in importing.write(rt, rows, actor=_actor()):
            new = sum(each.state == "recorded" for each in part)
            written, known = written + new, known + len(part) - new
            progress.advance(task, len(part))
    return written, known


def _show_rejected(wrong: "Sequence[Rejected]", total: int) -> None:
    table = Table("row", "what is wrong", title=f"{len(wrong)} of {count(total, 'row')} cannot be taken in")
    for row in wrong[:_SHOWN]:
        table.add_row(str(row.number), row.why)
    out.print(table)
    out.print("[red]✗[/] Nothing was written. Mend the file and import it again.", soft_wrap=True)


@consent.command()
def export(
    who: Annotated[
        str | None,
        typer.Argument(help="One person, by number or WhatsApp user id; left out: the whole ledger."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="json (can be verified) or csv.")] = "json",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; left out: printed.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Hand the ledger out, or one person's part of it."""
    if form not in ("json", "csv"):
        raise InputInvalidError("--format is json or csv.")
    from sayso.inbound.exporting import Wanted, export_file  # noqa: PLC0415

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
    walk, sealed = _verify_file(file, env_file) if file else with_runtime(env_file, _verify_here)
    if walk.findings:
        _show_findings(walk.findings)
        raise typer.Exit(1)
    erased = f", {walk.erased:,} of them erased" if walk.erased else ""
    whole = f"{count(walk.entries, 'entry', 'entries')}{erased}. {_WHOLE[walk.extent]}."
    if sealed:
        out.print(Panel(whole, title="[green]✓ verified", border_style="green", expand=False))
    else:
        said = f"{whole}\n{_UNSEALED.format(cut='out of the file' if file else 'off the end of the ledger')}"
        out.print(
            Panel(said, title="[yellow]verified, but for the seal", border_style="yellow", expand=False)
        )


_WHOLE = {
    "all": "The chain is whole",
    "person": "The person's chain is whole",
    "some": "Every entry is as it was written",
}
_UNSEALED = (
    "The key that seals is not here (SAYSO_CONSENT_KEY, or the file consent-key in the data directory). Without it "
    "it is not proved that no entry was cut {cut}, nor that this installation wrote it."
)


async def _verify_here(rt: Runtime) -> "tuple[Walk, bool]":
    sealed = has_key(rt.settings)
    return await verify_database(rt, sealed=sealed), sealed


async def verify_database(rt: Runtime, *, sealed: bool = True) -> "Walk":
    """Walk the ledger of a database; most of it without holding anything up. Not ``sealed``: without the key."""
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
    walk.end(end, ledger.key(rt) if sealed else None)
    return walk


def _verify_file(file: Path, env_file: Path) -> "tuple[Walk, bool]":
    from sayso.consent import chain, portable  # noqa: PLC0415

    found = portable.read_export(text_of(file))
    settings = token_settings(env_file)
    key = consent_key(settings) if has_key(settings) else None
    walk = chain.verify(found.lines, head=found.head, key=key, extent=found.extent)
    if key is not None:
        walk.whole(found.head, found.seal, key)
    return walk, key is not None


def _show_findings(findings: "Sequence[Finding]") -> None:
    table = Table(
        "entry",
        "id",
        "what is wrong",
        title=count(len(findings), "finding"),
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
    """Show which categories need an opt-in; with a category, --opt-in or --no-opt-in and a --reason, switch it."""
    from sayso.consent import service  # noqa: PLC0415

    switch = _switch(category, required, reason)

    async def work(rt: Runtime) -> list[service.Policy]:
        async with rt.db.tx() as tx:
            if switch is not None:
                name, needed, why = switch
                await service.set_policy(tx, rt, name, opt_in_required=needed, reason=why, actor=_actor())
            return [
                each for each in (await service.policies(tx)).values() if category in (None, each.category)
            ]

    table = Table("category", "opt-in", "why", "by", "since (UTC)")
    for each in with_runtime(env_file, work):
        needed = "[green]needed[/]" if each.opt_in_required else "[yellow]not needed[/]"
        since = moment(each.at, zone=False) if each.at else ""
        table.add_row(each.category, needed, each.reason, each.actor, since)
    out.print(table)


def _switch(category: str | None, required: bool | None, reason: str | None) -> tuple[str, bool, str] | None:  # noqa: FBT001 - as the command line gives it
    """The switch that is asked for, or None; raises :class:`InputInvalidError` naming the one thing that is missing."""
    if category is not None and category not in CATEGORIES:
        meant = near(category, CATEGORIES) or "."
        raise InputInvalidError(
            f"There is no category {category!r}; there are: {', '.join(CATEGORIES)}{meant}"
        )
    if required is None and reason is None:
        return None
    if category is None:
        raise InputInvalidError(f"Which category? Name one of: {', '.join(CATEGORIES)}.")
    if required is None:
        raise InputInvalidError("Say --opt-in or --no-opt-in, too.")
    if not (reason or "").strip():
        raise InputInvalidError("Say why, with --reason: it is kept beside the switch.")
    return category, required, str(reason)


def _actor() -> str:
    return f"terminal/{getpass.getuser()}"


async def _person(tx: Tx, rt: Runtime, who: str) -> Person:
    from sayso.inbound import importing  # noqa: PLC0415

    return await importing.person_of(tx, rt, who)


async def _known(tx: Tx, who: str) -> Person | None:
    from sayso.people import meeting, rules  # noqa: PLC0415

    if rules.is_bsuid(who):
        return await meeting.find(tx, {rules.user_id_kind(who): who})
    given = {"phone": rules.phone(who, pointer="/recipient")}
    return await meeting.find(tx, given)


def _scopes(given: Sequence[str]) -> tuple[str, ...]:
    strange = [each for each in given if each not in (ALL, *SCOPES)]
    if strange:
        meant = near(strange[0], (ALL, *SCOPES)) or "."
        raise InputInvalidError(
            f"There is no scope {', '.join(strange)}; there are: all, {', '.join(SCOPES)}{meant}"
        )
    return tuple(dict.fromkeys(given))


def _moment(rt: Runtime, text: str | None) -> datetime:
    now = rt.now()
    try:
        at = datetime.fromisoformat(text) if text else now
        at = sound(at if at.tzinfo else at.replace(tzinfo=now.tzinfo))
    except ValueError as error:
        raise InputInvalidError(f"{text!r} is not a time in ISO 8601: {error}.") from error
    if at > now:
        raise InputInvalidError(f"{text} lies in the future.")
    return at
