"""Planting a bug: one edit in the source of one function, which fails loudly when that source has moved on."""

import __future__

import inspect
import sys
import textwrap
from typing import Any

import pytest


def plant(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *edits: tuple[str, str]) -> None:
    """Replace a function of a module, or a method of a class, by itself with ``edits`` (old, new) made."""
    function = inspect.unwrap(getattr(owner, name))
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in edits:
        assert source.count(old) == 1, f"{old!r} is {source.count(old)} times in {name}; plant the bug anew"
        source = source.replace(old, new)
    module = sys.modules[function.__module__]
    scope: dict[str, Any] = dict(vars(module))
    flags = __future__.annotations.compiler_flag
    exec(compile(source, f"<planted in {name}>", "exec", flags, dont_inherit=True), scope)  # noqa: S102 - ours
    monkeypatch.setattr(owner, name, scope[function.__name__])
