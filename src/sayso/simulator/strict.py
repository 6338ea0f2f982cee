"""Shapes in which every key counts, and reading plain data into them (docs/simulator-control.md)."""

from typing import Any

import msgspec

from sayso.simulator.mistakes import wrong_with


class ControlError(ValueError):
    """What is asked of the simulator and cannot be done as written; the words say why."""


class Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A body in which every key counts."""


def converted(raw: Any, shape: Any) -> Any:
    """Check decoded JSON against a shape; the refusal names the key and what may have been meant."""
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as problem:
        raise ControlError(wrong_with(raw, shape) or str(problem)) from problem
