"""Planting a bug: one edit in the source of one function, which fails loudly when that source has moved on."""

import __future__

import ast
import inspect
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

#: The sources as they were when the tests began: somebody may be writing while they run.
_SOURCES = {
    name: Path(module.__file__).read_text(encoding="utf-8")
    for name, module in sorted(sys.modules.items())
    if name.startswith("sayso.") and module.__file__
}


def plant(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *edits: tuple[str, str]) -> None:
    """Replace a function of a module, or a method of a class, by itself with ``edits`` (old, new) made."""
    function = inspect.unwrap(getattr(owner, name))
    source = _source(function)
    for old, new in edits:
        assert source.count(old) == 1, f"{old!r} is {source.count(old)} times in {name}; plant the bug anew"
        source = source.replace(old, new)
    scope: dict[str, Any] = dict(vars(sys.modules[function.__module__]))
    flags = __future__.annotations.compiler_flag
    exec(compile(source, f"<planted in {name}>", "exec", flags, dont_inherit=True), scope)  # noqa: S102 - ours
    monkeypatch.setattr(owner, name, scope[function.__name__])


def _source(function: Any) -> str:
    text = _SOURCES[function.__module__]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function.__name__:
            return textwrap.dedent(ast.get_source_segment(text, node, padded=True) or "")
    raise AssertionError(f"{function.__name__} is not in {function.__module__}")
