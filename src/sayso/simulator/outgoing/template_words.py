"""Variables filled with the words of parameters when a template is sent (cloud-api.md 2.6)."""

import re
from collections.abc import Iterator
from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import missing, object_at, whole_number
from sayso.simulator.outgoing.template_components import Parameters
from sayso.simulator.templates.variables import VARIABLE, variables

_FORBIDDEN = re.compile(r"[\n\r\t]| {5}")  # newline, tab, more than 4 consecutive spaces
#: Parameter kinds with words to fall back on, and what they hold; a date in its parts is an older form, and
#: ``amount1000`` is what a library makes of the name when it puts it in snake case.
_SHAPES = {
    "currency": ("fallback_value", "code", "amount_1000", "amount1000"),
    "date_time": (
        "fallback_value",
        "day_of_week",
        "day_of_month",
        "year",
        "month",
        "hour",
        "minute",
        "calendar",
        "timestamp",
    ),
}


def filled(text: str, kind: str, parameters: Parameters, limit: int, *, named: bool) -> str:
    """Put the parameters in place of a text's variables: 132000 for their number, 132005 when it gets too long."""
    names = variables(text)
    if len(parameters) != len(names):
        raise GraphError(
            132000,
            f"{kind}: number of localizable_params ({len(parameters)}) does not match the expected number of "
            f"params ({len(names)})",
        )
    if not names:
        return text
    values = dict(_values(kind, parameters, names, named=named))
    if len(values) != len(names):
        raise GraphError(132012, f"{kind}: every parameter_name of {sorted(names)} must be given once")
    found = VARIABLE.sub(lambda variable: values[variable[1]], text)
    if len(found) > limit:
        raise GraphError(132005, f"{kind}: {len(found)} characters once filled, at most {limit}")
    return found


def words_of(parameter: dict[str, Any], where: str) -> str:
    """Return the words of a parameter; currency and date_time show their fallback."""
    kind = str(parameter.get("type") or "").lower()
    if kind == "text":
        return _checked(parameter.get("text"), where, f"{where}['text']")
    if kind not in _SHAPES:
        raise GraphError(132012, f"{where}: type {kind!r} where the template has text")
    inner = f"{where}['{kind}']"
    holder = object_at(parameter, kind, inner, _SHAPES[kind])
    if kind == "currency":
        _check_amount(holder, inner)
    return _checked(holder.get("fallback_value"), f"{inner}['fallback_value']", f"{inner}['fallback_value']")


def _checked(words: Any, where: str, place: str) -> str:
    if words is None:
        raise missing(place)
    if not isinstance(words, str):
        raise GraphError(132012, f"{where}: its value must be a string")
    check_words(words, where)
    return words


def _check_amount(currency: dict[str, Any], where: str) -> None:
    """Refuse an amount of money without its currency or its thousandths (2.6)."""
    amount = currency.get("amount_1000", currency.get("amount1000"))
    for key, given in (("code", currency.get("code")), ("amount_1000", amount)):
        if given is None:
            raise missing(f"{where}['{key}']")
    if not isinstance(currency["code"], str) or not currency["code"].strip():
        raise GraphError(132012, f"{where}['code'] must be the code of a currency, such as USD")
    if whole_number(amount) is None:
        raise GraphError(132012, f"{where}['amount_1000'] must be a whole number, the amount times 1000")


def check_words(words: str, where: str) -> None:
    """Refuse empty words and those with newlines, tabs or more than four spaces in a row (132018)."""
    if not words.strip():
        raise GraphError(132018, f"{where}: its text must not be empty")
    if _FORBIDDEN.search(words):
        raise GraphError(
            132018,
            f"{where}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        )


def _values(
    kind: str, parameters: Parameters, names: tuple[str, ...], *, named: bool
) -> Iterator[tuple[str, str]]:
    """Pair names and words: NAMED by ``parameter_name``, POSITIONAL by order, which is that of the numbers."""
    ordered = names if named else sorted(names, key=int)
    for place, (parameter, name) in enumerate(zip(parameters, ordered, strict=True)):
        where = f"{kind}['parameters'][{place}]"
        called = parameter.get("parameter_name")
        if named and called not in names:
            raise GraphError(132012, f"{where}: parameter_name {called!r} is not one of {sorted(names)}")
        if not named and called is not None:
            raise GraphError(132012, f"{where}: the template is POSITIONAL and takes no parameter_name")
        yield str(called) if named else name, words_of(parameter, where)
