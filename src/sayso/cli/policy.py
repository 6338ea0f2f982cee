"""``sayso policy``: whether the policy's file is one, and what it says of an action."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sayso.cli.database import token_settings
from sayso.cli.reading import json_of
from sayso.cli.running import ENV_FILE, EnvFile
from sayso.cli.saying import count
from sayso.client.unreached import why
from sayso.core.errors import InputInvalidError

if TYPE_CHECKING:
    from sayso.confirmations.policy import Policy, Rule

policy = typer.Typer(help="How safely, by whom and how soon actions are confirmed.", no_args_is_help=True)
out = Console(highlight=False)

File = Annotated[Path | None, typer.Option("--file", help="A policy; left out: SAYSO_POLICY_FILE.")]


@policy.command()
def check(file: File = None, env_file: EnvFile = ENV_FILE) -> None:
    """Check a policy's file; every fault is told with its line and key. Exit code 1 if there is any."""
    found, path = _read(file, env_file)
    kinds = count(len(found.action), "type of action", "types of actions")
    out.print(Text(f"✓ {path}: version {found.stamp}, {kinds} besides the default.", style="green"))


@policy.command()
def explain(
    action: Annotated[Path, typer.Argument(help="JSON of a request: action_type, action …")],
    file: File = None,
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Say what the policy asks of an action, and which of its rules decide without asking anybody."""
    from sayso.confirmations import policy as rules  # noqa: PLC0415 - loaded with the API's models, which others need not

    found, _ = _read(file, env_file)
    given = _request(action)
    rule = rules.resolve(found, rules.Wish(action_type=given["action_type"]))
    ruled = rules.ruling(found, given["action_type"], given.get("action"))
    if ruled.decided is not None:
        does = "confirmed" if ruled.decided.then == "allow" else "declined"
        out.print(Text(f"{given['action_type']} is {does} at once by the rule “{ruled.decided.name}”."))
    else:
        out.print(_demands(given["action_type"], rule))
    for each in ruled.dry:
        out.print(Text(f"The rule “{each.name}” would {each.then} it; it is a dry run.", style="yellow"))


def _demands(action_type: str, rule: "Rule") -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    table.add_row("action", action_type)
    for name, said in _said(rule):
        table.add_row(name, said)
    return table


def _said(rule: "Rule") -> list[tuple[str, str]]:
    """What holds, a line each; what does not, has none."""
    typed = {
        "code": "the person types a code from the text",
        "number": "the person types a number you show them",
    }
    lines = [
        (
            "tier",
            f"{rule.tier}: {typed[rule.challenge]}" if rule.challenge else f"{rule.tier}: a tap or a word",
        )
    ]
    lines.append(
        ("asked", ", ".join(rule.approvers) if rule.approvers else "whom the assistant names, or its user")
    )
    lines.append(("needed", f"{rule.need}" if rule.approvers else "one yes"))
    lines += [(f"after {step.after}", f"{step.to} is asked, when {step.when}") for step in rule.escalation]
    lines.append(("open for", f"{rule.timeout_minutes:g} minutes"))
    times = {
        "reminder": rule.remind_s and f"{rule.remind_s // 60} minutes before the end{_by(rule)}",
        "undo": rule.undo_s and f"{rule.undo_s} seconds",
        "extend": rule.extends_left and f"{rule.extends_left} times {rule.extend_s // 60} minutes",
        "claim": rule.use_by_s and f"within {rule.use_by_s // 60} minutes of the decision",
        "reason": rule.ask_reason and "asked for after a no",
        "fields": rule.unseen_fields and "it can be confirmed by who has not seen every field",
        "reactions": rule.reactions and "👍 and 👎 on the question decide",
    }
    return lines + [(name, str(said)) for name, said in times.items() if said]


def _by(rule: "Rule") -> str:
    return ", outside the 24-hour window by the template" if rule.remind_by_template else ""


def _read(file: Path | None, env_file: Path) -> "tuple[Policy, Path]":
    from sayso.confirmations import policy_file  # noqa: PLC0415 - as above

    path = file or token_settings(env_file).sayso_policy_file
    if path is None:
        raise InputInvalidError("There is no policy: set SAYSO_POLICY_FILE, or name a file with --file.")
    try:
        found, findings = policy_file.read(path)
    except OSError as error:
        raise InputInvalidError(f"{path} cannot be read: {why(error)}.") from error
    if found is None:
        for each in findings:
            out.print(Text(str(each), style="red"), soft_wrap=True)
        raise typer.Exit(1)
    return found, path


def _request(file: Path) -> dict[str, Any]:
    given = json_of(file)
    if not isinstance(given, dict) or not isinstance(given.get("action_type"), str):
        raise InputInvalidError(
            f'{file} has no action_type; write {{"action_type": "payment", "action": {{…}}}}.'
        )
    return given
