"""Kinds of actions, from files: which fields of an action are shown, in which order, under which names.

Every field of an action becomes a line; how many of them fit is the question's matter, which counts the others.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sayso.confirmations import phrases
from sayso.confirmations.cleaning import clean, quoted
from sayso.core.errors import SettingError
from sayso.core.faults import of_validation, summary
from sayso.core.files import stamp

_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_DEEPEST: Final = 8
_NOTHING: Final = "—"
_LONGEST_NAME: Final = 40

Path_ = tuple[str, ...]


class FieldLine(BaseModel):
    """A line: its name in ``labels``, and the fields it shows, as ``{amount} {currency}`` or ``{to.name}``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]
    show: Annotated[str, Field(min_length=3, pattern=r"\{[^{}]+\}")]

    @property
    def paths(self) -> list[Path_]:
        """The fields it shows."""
        return [tuple(each.split(".")) for each in _PLACE.findall(self.show)]


class Kind(BaseModel):
    """How actions of these types are shown. Fields that no line names follow, each under its own name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    types: Annotated[list[str], Field(min_length=1)]
    fields: list[FieldLine] = []
    labels: dict[str, dict[str, str]] = {}

    def label(self, name: str, spoken: str) -> str:
        """What a line is called in a language, or in English, or as it is."""
        for language in (spoken, phrases.DEFAULT):
            if name in self.labels.get(language, {}):
                return self.labels[language][name]
        return clean(name)


@dataclass(frozen=True, slots=True)
class Line:
    """A field as it is read. ``named``: the kind names it, so it is never left out."""

    text: str
    named: bool


_read_before: dict[Path, tuple[tuple[tuple[str, tuple[int, int, int]], ...], Mapping[str, Kind]]] = {}


def kind(action_type: str, folder: Path | None = None) -> Kind:
    """The kind of a type of action; raises :class:`SettingError` for a file of the folder that is wrong."""
    kinds = {**_shipped(), **(_own(folder) if folder is not None else {})}
    return kinds.get(action_type) or kinds["*"]


def lines(kind_: Kind, action: Any, spoken: str) -> list[Line]:
    """Every field of an action as a line: those that the kind names first, then the others, by their names."""
    if not isinstance(action, Mapping):
        return [Line(quoted(_said(action, spoken)), named=True)]
    shown: list[Line] = []
    used: set[Path_] = set()
    for field in kind_.fields:
        values = {path: value for path in field.paths if (value := _at(action, path)) is not _ABSENT}
        if values:
            used.update(values)
            text = _PLACE.sub(lambda found: _value(values, found[1], spoken), field.show)  # noqa: B023 - used at once
            shown.append(Line(f"{kind_.label(field.label, spoken)}: {quoted(text)}", named=True))
    for path, value in _leaves(action):
        if not any(path[: len(each)] == each for each in used):
            shown.append(Line(f"{_own_name(path)}: {quoted(_said(value, spoken))}", named=False))
    return shown


_ABSENT: Final = object()


def _at(action: Any, path: Path_) -> Any:
    for step in path:
        if not isinstance(action, Mapping) or step not in action:
            return _ABSENT
        action = action[step]
    return action


def _value(values: Mapping[Path_, Any], place: str, spoken: str) -> str:
    path = tuple(place.split("."))
    return _said(values[path], spoken) if path in values else ""


def _own_name(path: Path_) -> str:
    """A field's own name. The assistant chose it, so it is quoted where it is more than a word or two."""
    name = clean(" · ".join(each.replace("_", " ") for each in path))
    plain = 0 < len(name) <= _LONGEST_NAME and all(c.isalnum() or c in " ·-" for c in name)
    return name if plain else quoted(name)


def _leaves(action: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every field with its path, in the order of their names; what is too deep stays one."""
    if not path or (len(path) < _DEEPEST and isinstance(action, Mapping) and action):
        for name in sorted(action):
            yield from _leaves(action[name], (*path, name))
    else:
        yield path, action


def _said(value: Any, spoken: str) -> str:
    """A value in words."""
    match value:
        case bool():
            return phrases.phrase("yes" if value else "no", spoken)
        case str():
            return value if clean(value) else _NOTHING
        case list() if value and not any(isinstance(each, (list, dict)) for each in value):
            return ", ".join(_said(each, spoken) for each in value)
        case None | [] | {}:
            return _NOTHING
        case _:
            return json.dumps(value, ensure_ascii=False, sort_keys=True)


@cache
def _shipped() -> Mapping[str, Kind]:
    found: dict[str, Kind] = {}
    for resource in files("sayso.confirmations").joinpath("shipped").iterdir():
        if resource.name.endswith(".toml"):
            _add(found, resource.read_text("utf-8"), resource.name)
    return found


def _own(folder: Path) -> Mapping[str, Kind]:
    """The kinds of the operator's folder; read again when a file has changed."""
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    stamps = tuple((path.name, stamp(path)) for path in paths)
    known = _read_before.get(folder)
    if known is None or known[0] != stamps:
        found: dict[str, Kind] = {}
        for path in paths:
            _add(found, _text(path), str(path))
        _read_before[folder] = known = (stamps, found)
    return known[1]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read: {error}.") from error


def _add(found: dict[str, Kind], text: str, file: str) -> None:
    try:
        read = Kind.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise SettingError(
            f"{file} is no kind of action: {summary(of_validation(error.errors()))}."
        ) from error
    except ValueError as error:
        raise SettingError(f"{file} is not TOML: {error}.") from error
    twice: Sequence[str] = [each for each in read.types if each in found]
    if twice:
        raise SettingError(f"{file}: the type {twice[0]} has a kind already.")
    found.update(dict.fromkeys(read.types, read))
