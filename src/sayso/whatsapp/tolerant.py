"""Reads JSON that a strict parser refuses, so that one odd item never costs the others.

Two tools. ``load`` turns bytes into plain objects whose strings PostgreSQL can hold. ``members`` and
``elements`` cut an object or an array into the exact bytes of its parts without reading the parts, by
following strings and brackets only; deep nesting, NaN, lone surrogates or broken UTF-8 inside one part
therefore stay inside that part.
"""

import json
import re
from math import isfinite
from typing import Any

import msgspec

MAX_DEPTH = 64
"""Deepest nesting that ``load`` reads. Meta's payloads reach 12."""

MAX_STEPS = 400_000
"""Brackets and commas that one ``Budget`` lets us follow: some 0.2 s of work at the very most."""

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_SPACE = b" \t\r\n"
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
# From anywhere outside a string to the next bracket (inside a part), or bracket or comma (beside it).
_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+([\[\]{}])", re.DOTALL)
_BORDER = re.compile(rb'(?:[^"\[\]{},]++|' + _STRING + rb")*+([\[\]{},])", re.DOTALL)
_MEMBER = re.compile(rb"\s*+(" + _STRING + rb")\s*+:", re.DOTALL)
_LONGEST_INTEGER = 4_300  # digits; Python refuses to read more


class UnloadableError(Exception):
    """These bytes cannot be read as JSON even with tolerance; the text says why."""


class Budget:
    """How many steps may still be taken for one body; shared by all its parts."""

    __slots__ = ("left",)

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.left = steps


def safe_text(text: str) -> str:
    """Replace what PostgreSQL text cannot hold (NUL, lone surrogates) by U+FFFD."""
    return _UNSAFE.sub("\ufffd", text)


def load(raw: bytes) -> Any:
    """Read JSON into plain objects; every string in them is safe for PostgreSQL text.

    Strict first; what that refuses is read again with NaN and infinities as None, integers beyond 4,300 digits
    as text, broken UTF-8 and lone surrogates as U+FFFD. Raises UnloadableError.
    """
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _too_deep(raw):
        raise UnloadableError(f"nested deeper than {MAX_DEPTH}")
    try:
        value = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return _clean(_load_loosely(raw))
    # The escape of NUL is the only unsafe thing that a strict reading lets through.
    return _clean(value) if b"\\u0000" in raw else value


def elements(raw: bytes, budget: Budget) -> list[bytes] | None:
    """Cut an array into the bytes of its elements; None when it is no array or the budget is spent."""
    pieces = _pieces(raw, b"[", b"]", budget)
    return None if pieces is None else [piece.strip(_SPACE) for piece in pieces]


def members(raw: bytes, budget: Budget) -> dict[str, bytes] | None:
    """Cut an object into the bytes of its members, the last of equal keys winning; None as in elements."""
    pieces = _pieces(raw, b"{", b"}", budget)
    if pieces is None:
        return None
    found = {}
    for piece in pieces:
        match = _MEMBER.match(piece)
        if match is None:
            return None
        found[_key(match[1])] = piece[match.end() :].strip(_SPACE)
    return found


def _pieces(raw: bytes, opener: bytes, closer: bytes, budget: Budget) -> list[bytes] | None:
    raw = raw.strip(_SPACE)
    if raw[:1] != opener or raw[-1:] != closer:
        return None
    pieces: list[bytes] = []
    depth, start, at = 1, 1, 1
    while depth:
        step = (_BORDER if depth == 1 else _BRACKET).match(raw, at)
        budget.left -= 1
        if step is None or budget.left < 0:
            return None
        at, token = step.end(), step[1]
        if token == b",":
            pieces.append(raw[start : at - 1])
            start = at
        else:
            depth += 1 if token in b"[{" else -1
    if at != len(raw):
        return None
    last = raw[start : at - 1]
    if pieces or last.strip(_SPACE):
        pieces.append(last)
    return pieces


def _key(quoted: bytes) -> str:
    try:
        return str(load(quoted))
    except UnloadableError:
        return safe_text(quoted.decode("utf-8", "replace"))


def _too_deep(raw: bytes) -> bool:
    depth, at = 0, 0
    while depth <= MAX_DEPTH:
        step = _BRACKET.match(raw, at)
        if step is None:
            return False
        at = step.end()
        depth += 1 if step[1] in b"[{" else -1
    return True


def _load_loosely(raw: bytes) -> Any:
    try:
        return json.loads(
            raw.decode("utf-8", "replace"),
            strict=False,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_nothing,
        )
    except (ValueError, RecursionError) as error:
        raise UnloadableError("not JSON") from error


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def _number(digits: str) -> float | None:
    number = float(digits)
    return number if isfinite(number) else None


def _nothing(_name: str) -> None:
    return None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {safe_text(key): _clean(each) for key, each in value.items()}
    return value
