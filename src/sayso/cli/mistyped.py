"""Values of flags that cannot be, in the words of this project; those of a library are not for people."""

import json
from typing import Any, get_args

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from typer.core import TyperGroup

from sayso.simulator.mistakes import meant

_WORDING = {
    "int_parsing": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
MISTYPED = 2


class Commands(TyperGroup):
    """The commands; a value that cannot be is one sentence and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as wrong:
            if not isinstance(wrong.__cause__, ValidationError) or wrong.param is None:
                raise
            problem = wrong.__cause__.errors()[0]
            known = get_args(wrong.param.type_descriptor.annotation)
            typer.echo(f"{wrong.param.opts[-1]} {_said(problem, known)}", err=True)
            raise typer.Exit(MISTYPED) from wrong


def _said(problem: ErrorDetails, known: tuple[Any, ...]) -> str:
    """Say what is wrong with a value; ``known`` are those there are, if it must be one of a few."""
    given = json.dumps(problem["input"])
    wording = _WORDING.get(problem["type"])
    if wording is not None:
        given = given if problem["type"] == "int_parsing" else problem["input"]
        return f"{wording.format(**problem.get('ctx', {}))}; it is {given}."
    if known and isinstance(problem["input"], str):
        return f"cannot be {given}{meant(problem['input'], known)}"
    return f"cannot be {given}: {problem['msg'].removeprefix('Value error, ')}"
