"""Definitions on disk: ours, and those in the user's folder, which replace ours of the same name."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sayso.core import faults
from sayso.core.errors import Fault, InputInvalidError
from sayso.core.lines import line_in, line_of, standing
from sayso.templates.definitions import Definition, Problem
from sayso.templates.lint import lint
from sayso.templates.reading import read

SHIPPED: Final = "shipped"
_LARGEST: Final = 200_000
#: A parser has no second error to tell: what follows the first is a guess.
_REST: Final = "nothing else of this file could be checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a file, at a line (0: the whole file)."""

    file: str
    line: int
    problem: Problem

    def __str__(self) -> str:
        """``templates/order.toml:12: languages.en.body: …``, as compilers write it."""
        keys = ".".join(str(each) for each in self.problem.at)
        return standing(
            self.file, self.line, f"{keys}: {self.problem.detail}" if keys else self.problem.detail
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """A definition and where it comes from; ``folder`` is where the example files of its headers are."""

    definition: Definition
    file: str
    folder: Path | None
    shipped: bool = False


@dataclass(slots=True)
class Library:
    """Every definition by name, and what is wrong with the files."""

    kept: dict[str, Kept] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """What must be mended before a push."""
        return [each for each in self.findings if each.problem.severity == "error"]

    def only(self, names: Sequence[str]) -> "Library":
        """The named ones (all when none is named); raises for a name without a definition."""
        if not names:
            return self
        wrong = {Path(each.file).stem for each in self.findings}
        unknown = [name for name in names if name not in self.kept and name not in wrong]
        if unknown:
            there = ", ".join(self.kept) or "none"
            raise InputInvalidError(f"There is no definition {', '.join(unknown)}; there are: {there}.")
        findings = [each for each in self.findings if Path(each.file).stem in names]
        return Library({name: self.kept[name] for name in names if name in self.kept}, findings)


def load(folder: Path | None) -> Library:
    """Read ours, then the folder's ``*.toml`` and ``*.json``; a folder that is not there holds none."""
    library = Library()
    for resource in sorted(files(__package__).joinpath(SHIPPED).iterdir(), key=lambda each: each.name):
        if resource.name.endswith(".toml"):
            _add(library, resource.name, resource.read_text("utf-8"), f"sayso/{resource.name}", None)
    if folder is not None and folder.is_dir():
        for path in sorted(each for each in folder.iterdir() if each.suffix in (".toml", ".json")):
            _add_file(library, path)
    library.findings.sort(key=lambda each: (each.file, each.line))
    return library


def _add_file(library: Library, path: Path) -> None:
    twin = library.kept.get(path.stem)
    if twin is not None and not twin.shipped:
        problem = Problem((), f"the template {path.stem} is defined twice; the other file is {twin.file}.")
        library.findings.append(Finding(str(path), 0, problem))
        return
    try:
        text = path.read_text("utf-8") if path.stat().st_size <= _LARGEST else None
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem((), f"the file cannot be read as text: {error}")
        library.findings.append(Finding(str(path), 0, problem))
        return
    if text is None:
        problem = Problem((), f"the file has more than {_LARGEST:,} bytes, which no definition needs.")
        library.findings.append(Finding(str(path), 0, problem))
        return
    _add(library, path.name, text, str(path), path.parent)


def _add(library: Library, file_name: str, text: str, shown: str, folder: Path | None) -> None:
    name, _, suffix = file_name.rpartition(".")
    try:
        data = json.loads(text) if suffix == "json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        library.findings.append(
            Finding(shown, line_in(str(error), text), Problem((), f"not {suffix.upper()}: {error}; {_REST}"))
        )
        return
    definition, problems = read(name, data)
    if definition is not None:
        problems = [*problems, *lint(definition), *_absent(definition, folder)]
        library.kept[name] = Kept(definition, shown, folder, shipped=folder is None)
    library.findings += [Finding(shown, line_of(text, each.at), each) for each in problems]


def _absent(definition: Definition, folder: Path | None) -> list[Problem]:
    """Example files that are named and not there."""
    return [
        Problem((*at, "header"), f"there is no file {header.file} beside the definition.")
        for code, wording in definition.languages.items()
        for at, header in wording.media(("languages", code))
        if header.file and not (folder is not None and (folder / header.file).is_file())
    ]


def checked(name: str, data: Mapping[str, Any], folder: Path | None) -> Definition:
    """A definition from a request's body; raises :class:`InputInvalidError` with everything that is wrong with it.

    Example files of its headers are looked for in ``folder``.
    """
    definition, problems = read(name, data)
    problems = [*problems, *([*lint(definition), *_absent(definition, folder)] if definition else ())]
    wrong = [
        Fault(faults.printable(each.detail), faults.pointer(each.at))
        for each in problems
        if each.severity == "error"
    ]
    if definition is None or wrong:
        raise InputInvalidError("; ".join(fault.detail for fault in wrong), faults=wrong)
    return definition
