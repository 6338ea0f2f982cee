"""``sayso templates``: your definitions, what Meta has, and how to make the two one."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sayso.cli.bubble import bubble
from sayso.cli.database import token_settings, with_runtime
from sayso.cli.running import ENV_FILE, EnvFile
from sayso.cli.saying import count
from sayso.core.runtime import Runtime
from sayso.core.settings import Settings
from sayso.templates import library
from sayso.templates.compare import Difference, body_of, differences
from sayso.templates.filling import Given, check
from sayso.templates.library import Finding, Library
from sayso.templates.preview import as_mirrored, examples, shown
from sayso.templates.rows import Row
from sayso.templates.rules import Mirrored, fallbacks

if TYPE_CHECKING:
    from sayso.templates.registry import Pushed, Registry

templates = typer.Typer(
    help="Message templates: your files, Meta's copy, and the difference.", no_args_is_help=True
)
console = Console(highlight=False)
T = TypeVar("T")

Names = Annotated[list[str] | None, typer.Argument(help="Templates; all of them when none is named.")]
Folder = Annotated[
    Path | None, typer.Option("--dir", help="Your definitions; default SAYSO_TEMPLATES_DIR or ./templates.")
]

_DID = {
    "created": ("[green]+[/]", "created"),
    "edited": ("[yellow]~[/]", "edited"),
    "unchanged": ("[dim]=[/]", "[dim]as it was[/]"),
    "refused": ("[red]✗[/]", "[red]refused[/]"),
    "skipped": ("[yellow]-[/]", "[yellow]left alone[/]"),
}
_WOULD = {"created": "would be created", "edited": "would be edited"}
_STATUS = {"APPROVED": "green", "PENDING": "yellow", "IN_APPEAL": "yellow", "PAUSED": "yellow"}
_QUALITY = {"GREEN": "green", "YELLOW": "yellow", "RED": "red"}


@templates.command()
def lint(names: Names = None, folder: Folder = None, env_file: EnvFile = ENV_FILE) -> None:
    """Check definitions against Meta's published limits, without asking it: every fault of every file."""
    found = _library(folder, env_file).only(names or [])
    _show_findings(found.findings)
    if found.errors:
        raise typer.Exit(1)
    texts = sum(len(kept.definition.languages) for kept in found.kept.values())
    console.print(
        f"[green]✓[/] {count(len(found.kept), 'template')}, {count(texts, 'text')}: within Meta's published limits"
    )
    console.print(
        "[dim]Checked: names, languages, lengths, variables, examples, buttons, files.\n"
        "Not checked: what Meta's review says of the words, what example files show,\n"
        "whether a form's id exists.[/]"
    )


@templates.command()
def preview(
    name: Annotated[str, typer.Argument(help="The template.")],
    *,
    language: Annotated[list[str] | None, typer.Option(help="Only these languages.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter: 1=Ana, or customer=Ana.")
    ] = None,
    header: Annotated[str | None, typer.Option(help="The header's parameter.")] = None,
    link: Annotated[list[str] | None, typer.Option(help="What a link button's address ends with.")] = None,
    code: Annotated[str | None, typer.Option(help="The code a button copies.")] = None,
    folder: Folder = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Show a template as it appears on the phone, filled with its examples or with yours."""
    found = _library(folder, env_file).only([name])
    _stop_at(found.errors)
    definition = found.kept[name].definition
    chosen = _languages(definition.languages, language or [])
    bubbles, wrong = [], []
    for each in chosen:
        at = as_mirrored(definition, each)
        given = examples(definition, each)
        given = replace(
            given,
            body=_body(at, given, _pairs(values or [])),
            header=header or given.header,
            url_suffixes=link or given.url_suffixes,
            coupon_code=code or given.coupon_code,
        )
        wrong += [f"{each}: {fault.detail}" for fault in check(at, given)]
        bubbles.append(bubble(shown(at, given), title=f"{name} · {each}"))
    console.print(Columns(bubbles, padding=(0, 1)))
    for detail in dict.fromkeys(wrong):
        console.print(f"[red]✗[/] {detail}", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


@templates.command()
def sync(env_file: EnvFile = ENV_FILE) -> None:
    """Compare the mirror with Meta now, and show what Meta has."""

    async def work(rt: Runtime, registry: "Registry") -> tuple[int, list[Row]]:
        synced = await registry.sync(rt)
        return synced.changed, await _rows(rt)

    changed, rows = _with_meta(env_file, None, work)
    table = Table("template", "language", "status", "category", "quality", "", box=None, header_style="dim")
    for row in rows:
        at = row.mirrored
        notes = [at.reason or "", f"changed at Meta: {', '.join(row.drift)}" if row.drift else ""]
        status = f"[{_STATUS.get(at.status, 'red')}]{at.status.lower()}[/]"
        quality = f"[{_QUALITY.get(at.quality or '', 'dim')}]{(at.quality or '-').lower()}[/]"
        table.add_row(
            at.name, at.language, status, at.category.lower(), quality, "; ".join(filter(None, notes))
        )
    console.print(table)
    told = (
        f"{changed} changed since the last comparison"
        if changed
        else "nothing changed since the last comparison"
    )
    console.print(f"[green]✓[/] {count(len(rows), 'text')} at Meta, {told}")


@templates.command()
def diff(
    names: Names = None,
    *,
    check_only: Annotated[bool, typer.Option("--check", help="Exit with 1 when anything differs.")] = False,
    folder: Folder = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Show field by field what differs between your files and Meta."""
    found = _library(folder, env_file).only(names or [])
    _stop_at(found.errors)

    async def work(rt: Runtime, registry: "Registry") -> list[Row]:
        await registry.sync(rt)
        return await _rows(rt)

    there = {row.key: row for row in _with_meta(env_file, folder, work)}
    differing = 0
    for name, kept in found.kept.items():
        for language in kept.definition.languages:
            row = there.pop((name, language), None)
            wanted = body_of(kept.definition, language)
            fields = differences(wanted, row.mirrored) if row else []
            differing += _show_difference(name, language, row, fields)
    if not names:
        for name, language in there:
            console.print(f"[dim]?  {name} ({language}): only at Meta; no file defines it[/]")
    if differing:
        differ = "1 of your texts differs" if differing == 1 else f"{differing} of your texts differ"
        console.print(f"\n{differ}; `sayso templates push` makes Meta's like yours")
    else:
        console.print("[green]✓[/] Meta has what your files say")
    if differing and check_only:
        raise typer.Exit(1)


@templates.command()
def push(
    names: Names = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    folder: Folder = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Create at Meta what is missing and edit what differs; Meta then reviews it."""
    found = _library(folder, env_file).only(names or [])
    _stop_at(found.errors)

    async def work(rt: Runtime, registry: "Registry") -> "list[Pushed]":
        return await registry.push(rt, list(found.kept.values()), dry_run=dry_run)

    done = _with_meta(env_file, folder, work)
    _show_pushed(done, dry_run=dry_run)
    if any(each.did == "refused" for each in done):
        raise typer.Exit(1)


@templates.command()
def unpause(
    name: Annotated[str, typer.Argument(help="The template.")],
    language: Annotated[str | None, typer.Option(help="Only this language.")] = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Take back a pause of Meta's pacing; a pause for quality ends by itself."""

    async def work(rt: Runtime, registry: "Registry") -> dict[str, str | None]:
        await registry.sync(rt)
        return await registry.unpause(rt, name, language)

    told = _with_meta(env_file, None, work)
    for each, why in told.items():
        console.print(f"[red]✗[/] {name} ({each}): {why}" if why else f"[green]✓[/] {name} ({each})")
    if not told:
        console.print(f"{name} is not paused")
    if any(told.values()):
        raise typer.Exit(1)


def _show_pushed(done: "Sequence[Pushed]", *, dry_run: bool) -> None:
    table = Table.grid(padding=(0, 2))
    for each in done:
        mark, word = _DID[each.did]
        word = _WOULD.get(each.did, word) if dry_run else word
        status = (
            f"[{_STATUS.get(each.status or '', 'red')}]{(each.status or '').lower()}[/]"
            if each.status
            else ""
        )
        fields = ", ".join(each.fields)
        table.add_row(mark, each.name, each.language, word, status, f"[dim]{fields}[/]")
    console.print(table)
    for detail in dict.fromkeys(each.detail for each in done if each.detail):
        where = ", ".join(f"{each.name} ({each.language})" for each in done if each.detail == detail)
        console.print(f"[red]✗[/] {where}: {detail}", soft_wrap=True)
    counts = Counter(each.did for each in done)
    words = {did: (_WOULD.get(did, word) if dry_run else word) for did, (_, word) in _DID.items()}
    said = ", ".join(f"{count} {words[did]}" for did, count in counts.items())
    console.print(f"\n{said or 'nothing to do'}" + ("; nothing was changed" if dry_run else ""))
    if any(each.status == "PENDING" for each in done):
        console.print(
            "[dim]Meta reviews what is pending, usually in minutes; the service hears of it by webhook.[/]"
        )


def _show_difference(name: str, language: str, row: Row | None, fields: Sequence[Difference]) -> int:
    """Print one text's state; 1 when it differs."""
    where = f"{name} ({language})"
    if row is None:
        console.print(f"[green]+  {where}: not at Meta yet[/]")
        return 1
    status = row.mirrored.status
    state = f"[{_STATUS.get(status, 'red')}]{status.lower()}[/]"
    if not fields:
        console.print(f"[dim]=  {where}[/] {state}")
        return 0
    console.print(f"[yellow]~  {where}[/] {state}")
    for each in fields:
        console.print(f"     [bold]{each.field}[/]")
        _show_lines(each.has, each.wanted)
    return 1


def _show_lines(has: str, wanted: str) -> None:
    """The lines that differ: Meta's in red, ours in green, those in common once."""
    import difflib  # noqa: PLC0415

    for line in difflib.ndiff(has.splitlines(), wanted.splitlines()):
        style = {"-": "red", "+": "green", " ": "dim"}.get(line[:1])
        if style:
            console.print(Text(f"       {line}", style=style))


def _show_findings(findings: Sequence[Finding]) -> None:
    for each in findings:
        style = "red" if each.problem.severity == "error" else "yellow"
        console.print(Text(str(each), style=style), soft_wrap=True)


def _stop_at(errors: Sequence[Finding]) -> None:
    """What is wrong with the files is mended before anything else."""
    if errors:
        _show_findings(errors)
        raise typer.Exit(1)


def _library(folder: Path | None, env_file: Path) -> Library:
    return library.load(folder or token_settings(env_file, say=False).sayso_templates_dir)


def _languages(there: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The languages to show: for each wanted one the nearest there is, without any all of them."""
    codes = list(there)
    near = [fallbacks([each], codes) for each in wanted] if wanted else [[each] for each in codes]
    return list(dict.fromkeys(each[0] for each in near if each))


def _pairs(values: Sequence[str]) -> dict[str, str]:
    """What ``--set`` says: parameters by number or name."""
    for each in values:
        if not each.partition("=")[0].strip() or "=" not in each:
            raise typer.BadParameter(
                f"{each} says no value; write 1=Ana, or customer=Ana", param_hint="--set"
            )
    return {name.strip(): value for name, _, value in (each.partition("=") for each in values)}


def _body(at: Mirrored, given: Given, pairs: Mapping[str, str]) -> Sequence[str] | Mapping[str, str]:
    """The examples of a text's variables, with what was given in their place."""
    if isinstance(given.body, Mapping) and at.named:
        return {**given.body, **pairs}
    there = [str(number) for number in range(1, len(given.body) + 1)]
    unknown = [name for name in pairs if name not in there]
    if unknown:
        detail = f"there is no parameter {', '.join(unknown)}; there are: {', '.join(there) or 'none'}"
        raise typer.BadParameter(detail, param_hint="--set")
    return [pairs.get(number, value) for number, value in zip(there, given.body, strict=True)]


async def _rows(rt: Runtime) -> list[Row]:
    from sayso.templates import mirror  # noqa: PLC0415

    async with rt.db.one() as tx:
        return [row for row in await mirror.listed(tx, rt) if row.mirrored.status != "DELETED"]


def _with_meta(env_file: Path, folder: Path | None, work: "Callable[[Runtime, Registry], Awaitable[T]]") -> T:
    """Run ``work`` with the database and a line to Meta: the same as the service does, beside it if it runs."""

    async def run(rt: Runtime) -> T:
        from sayso.app import management  # noqa: PLC0415 - the service's libraries take a second to load
        from sayso.messages import service as messages  # noqa: PLC0415
        from sayso.senders.budget import CallBudget  # noqa: PLC0415
        from sayso.templates.registry import Registry  # noqa: PLC0415
        from sayso.whatsapp.credentials import Credentials  # noqa: PLC0415
        from sayso.whatsapp.wire import graph_session  # noqa: PLC0415

        async with graph_session(4) as session:
            meta = management(session, rt.settings, Credentials.of(rt.settings), CallBudget(rt))
            registry = Registry(meta, messages.release, folder or rt.settings.sayso_templates_dir)
            return await work(rt, registry)

    return with_runtime(env_file, run, kind=Settings)
