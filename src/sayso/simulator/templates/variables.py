"""Variables in a template's texts: ``{{1}}`` or ``{{name}}``, their rules and their examples (cloud-api.md 3.2)."""

import re
from functools import lru_cache
from typing import Any, Literal

from sayso.simulator.templates.refusals import TOO_MANY_VARIABLES, VARIABLE_AT_THE_EDGE, refused

#: What stands between double braces, whatever it is; the rules below say what may.
VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_NAME = re.compile(r"[a-z_]+")
_SIDE_BY_SIDE = re.compile(r"\}\}\s*\{\{")
#: A word; of scripts written without spaces, each letter is one.
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
#: So many words a body needs per variable: 2n + 1 for n of them, as template editors commonly put Meta's ratio.
WORDS_PER_VARIABLE = 2


@lru_cache(maxsize=10_000)
def variables(text: str) -> tuple[str, ...]:
    """List the variables of a text, each once, in the order they come."""
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def check_names(text: str, form: str, where: str, subcode: int | None) -> tuple[str, ...]:
    """Return a text's variables; refuse those that do not suit the parameter format (3.2)."""
    found = variables(text)
    rest = VARIABLE.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise refused(
            f"{where}: a variable is written {{{{1}}}} or {{{{name}}}}; braces are left over.", subcode
        )
    if form == "NAMED":
        _check_named(text, found, where, subcode)
    elif sorted(found) != sorted(str(place) for place in range(1, len(found) + 1)):
        raise refused(
            f"{where}: POSITIONAL variables are numbered {{{{1}}}}, {{{{2}}}} ... without a gap; there are "
            f"{_listed(found)}.",
            subcode,
        )
    return found


def _check_named(text: str, found: tuple[str, ...], where: str, subcode: int | None) -> None:
    for name in found:
        if not _NAME.fullmatch(name):
            raise refused(
                f"{where}: a NAMED variable is made of lower-case letters and underscores; {{{{{name}}}}} is not.",
                subcode,
            )
    if len(VARIABLE.findall(text)) != len(found):
        raise refused(f"{where}: the names of variables must be unique; they are {_listed(found)}.", subcode)


def check_places(text: str, where: str, subcode: int) -> None:
    """Refuse variables side by side, at the start or end, or too many for so few words (3.2)."""
    if not variables(text):
        return
    if text.lstrip().startswith("{{") or text.rstrip().endswith("}}"):
        raise refused(f"{where} must not start or end with a variable.", VARIABLE_AT_THE_EDGE)
    if _SIDE_BY_SIDE.search(text):
        raise refused(f"{where}: two variables must not stand side by side.", subcode)
    count, words = len(variables(text)), count_words(text)
    if words < WORDS_PER_VARIABLE * count + 1:
        raise refused(
            f"{where} has too many variables for its length: {count} of them with {words} words around; reduce the "
            "number of variables or write a longer text.",
            TOO_MANY_VARIABLES,
        )


def check_examples(
    component: dict[str, Any],
    kind: Literal["header", "body"],
    names: tuple[str, ...],
    form: str,
    subcode: int,
) -> None:
    """Refuse a text whose variables have no examples, one for each (3.2)."""
    if not names:
        return
    example = component.get("example")
    example = example if isinstance(example, dict) else {}
    key = f"{kind}_text_named_params" if form == "NAMED" else f"{kind}_text"
    given = example.get(key)
    found = _named_examples(given) if form == "NAMED" else _positional_examples(given, kind)
    wanted = sorted(names) if form == "NAMED" else len(names)
    if (sorted(found) if isinstance(found, dict) else len(found)) != wanted:
        raise refused(
            f"component {kind.upper()} needs an example for each variable ({_listed(names)}) in example.{key}.",
            subcode,
        )


def _positional_examples(given: Any, kind: str) -> list[str]:
    """Read ``["Ana"]`` of a header or ``[["Ana","x"]]`` of a body; a body's plain list is taken too, as by Meta."""
    if kind == "body" and isinstance(given, list) and given and isinstance(given[0], list):
        given = given[0]
    if isinstance(given, str):
        given = [given]
    return (
        [each for each in given if isinstance(each, str) and each.strip()] if isinstance(given, list) else []
    )


def _named_examples(given: Any) -> dict[str, str]:
    """Read ``[{"param_name":"action","example":"Deploy"}]``."""
    entries = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return {str(each.get("param_name")): each["example"] for each in entries if each.get("example")}


def count_words(text: str) -> int:
    """Count the words of a text beside its variables."""
    return len(_WORD.findall(VARIABLE.sub(" ", text)))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)
