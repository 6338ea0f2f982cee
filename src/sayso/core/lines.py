"""On which line of a file of TOML or JSON something stands, for whoever has to mend it. Pure."""

import re
from collections.abc import Sequence
from typing import Final

_TABLE: Final = re.compile(r"\s*\[{1,2}([^\[\]]+)\]")
_ITEM: Final = re.compile(r"\s*\[\[([^\[\]]+)\]\]")


def standing(file: str, line: int, said: str) -> str:
    """``policy.toml:12: …``, as compilers write it; line 0 is the whole file."""
    return f"{file}:{line}: {said}" if line else f"{file}: {said}"


def line_in(error: str, text: str) -> int:
    """The line that a parser of TOML or JSON names in its complaint about a text; 0 when it names none."""
    found = re.search(r"line (\d+)", error)
    if found:
        return int(found[1])
    return len(text.splitlines()) if "end of document" in error else 0


def line_of(text: str, at: Sequence[str | int]) -> int:
    """The line (from 1) that a place in a file of TOML or JSON stands on, or the nearest one above it.

    TOML's parser tells no lines, so the keys are looked for one after the other, each below the one before.
    """
    lines, line = text.splitlines(), 0
    for depth, key in enumerate(at):
        path = [str(each) for each in at[: depth + 1] if not isinstance(each, int)]
        if isinstance(key, int):
            line = _nth_item(lines, line, path, key)
            continue
        found = _key_line(lines, line, path)
        line = line if found is None else found
    return line + 1 if at else 0


def _key_line(lines: Sequence[str], start: int, path: Sequence[str]) -> int | None:
    """Where ``[a.b.key]`` or ``key =`` (``"key":`` in JSON) stands, from ``start`` on."""
    dotted = ".".join(path)
    key = re.compile(rf'[\s{{,]*"?{re.escape(path[-1])}"?\s*[=:]')
    inner = None
    for number in range(start, len(lines)):
        table = _TABLE.match(lines[number])
        if table:
            header = _dotted(table[1])
            if header == dotted or header.startswith(dotted + "."):
                return number
        elif inner is None and key.match(lines[number]):
            inner = number
    return inner


def _nth_item(lines: Sequence[str], start: int, path: Sequence[str], place: int) -> int:
    """The line of a list's item, where each stands on a line or under a header of its own; else the list's."""
    dotted = ".".join(path)
    headed = [
        n for n in range(start, len(lines)) if (item := _ITEM.match(lines[n])) and _dotted(item[1]) == dotted
    ]
    opened = [n for n in range(start, len(lines)) if lines[n].strip().startswith("{")]
    beside = [n for n in opened if _indent(lines[n]) == _indent(lines[opened[0]])]
    for items in (headed, beside):
        if place < len(items) and items[0] <= start + 1:
            return items[place]
    return start


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _dotted(header: str) -> str:
    return header.replace(" ", "").replace('"', "")
