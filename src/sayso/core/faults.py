"""What is wrong with an input, in a sentence: what is expected and what was given; said here for every route."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from sayso.core.errors import Fault, InputInvalidError

_MOST_SHOWN: Final = 40
#: So many faults get a guess at what was meant: a body that holds only mistakes is not worth the time.
_MOST_GUESSED: Final = 10
_SHORTEST_GUESSED: Final = 3
_LONGEST_GUESSED: Final = 100
#: From here on two words are alike: `arrived` is not yet `failed`.
_ALIKE: Final = 0.65

_TEXT: Final = "text"
_WHOLE: Final = "a whole number"
_NUMBER: Final = "a number"
_FLAG: Final = "true or false"
_LIST: Final = "a list"
_OBJECT: Final = "an object"
_TIME: Final = "a time with its zone, such as 2027-03-14T09:30:00Z"

#: What the validator of requests (pydantic) expected, by the type of its complaint.
_EXPECTED: Final = {
    **dict.fromkeys(("string_type", "string_sub_type"), _TEXT),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    "finite_number": "a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), _FLAG),
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), _LIST),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), _OBJECT),
    **dict.fromkeys(
        (
            "datetime_type",
            "datetime_parsing",
            "datetime_from_date_parsing",
            "datetime_object_invalid",
            "timezone_offset",
        ),
        _TIME,
    ),
    "timezone_aware": _TIME,
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_pattern_mismatch": "of the form {pattern}",
}
#: How a check of several fields at once begins, where it names the one that has to change: ``options: …``.
_ABOUT: Final = re.compile(r"(?P<name>[a-z_]+): (?P<rest>.+)", re.DOTALL)
#: Complaints that need another sentence than "must be …, not …".
_SENTENCES: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "json_invalid": "is not JSON: {error}",
    "model_attributes_type": "must be a JSON object; send it with `Content-Type: application/json`",
    "string_unicode": "holds half of a surrogate pair, which is no character",
    "string_too_short": "must have at least {min_length} characters, not {length}",
    "string_too_long": "may have at most {max_length} characters, not {length}",
    "too_short": "must hold at least {min_length}, not {length}",
    "too_long": "may hold at most {max_length}, not {length}",
    "value_error": "{error}",
    "assertion_error": "{error}",
}
#: What the reader of content (msgspec) expected, by the name it has for it.
_NAMES: Final = {
    "str": _TEXT,
    "int": _WHOLE,
    "float": _NUMBER,
    "bool": _FLAG,
    "array": _LIST,
    "object": _OBJECT,
    "null": "null",
}
_MISREAD: Final = re.compile(r"Expected `(?P<kinds>[^`]+)`(?P<bound>.*?)(?:, got `[^`]+`)?")
#: The steps a validator takes through the alternatives of a field; nothing of the request's is called so.
_BRANCH: Final = re.compile(r"(list|dict|tuple|set)\[.*\]", re.DOTALL)
#: What may be chosen, as the validator lists it: ``'a', 'b' or 'c'``.
_CHOICE: Final = re.compile(r"'([^']*)'")

#: The names of the fields that there are at a place of a request.
Fields = Callable[[Sequence[Any]], Collection[str]]


def of_validation(
    errors: Sequence[Mapping[str, Any]], *, inside: int = 0, fields: Fields = lambda _place: ()
) -> list[Fault]:
    """What pydantic found, each once, by JSON Pointer; ``inside``: steps of its places that are not of the request.

    Where a field may be one of several things, what it must be is said together, and nothing of a thing that it
    evidently is not. ``fields``: those there are at a place, for a guess at what was meant.
    """
    expected: dict[str, list[str]] = {}
    said: list[tuple[str, str]] = []
    given: dict[str, Any] = {}
    guessed = len(errors) <= _MOST_GUESSED
    for error in errors:
        unknown, place = error["type"] == "extra_forbidden", error["loc"][inside:]
        at = pointer(place if unknown else _own(place))
        given[at] = error.get("input")
        noun = _noun(error, place)
        if noun is None:
            meant = near(str(place[-1]), fields(place[:-1])) if unknown and guessed else ""
            said.append(_placed(at, f"{_sentence(error)}{meant}", fields))
            continue
        said += [(at, "")] if at not in expected else []
        expected.setdefault(at, []).append(noun.format_map(_whole(error.get("ctx", {}))))
    places = [at for at, _ in said]
    return [
        Fault(detail or _unlike(expected[at], given[at], guessed=guessed), at)
        for at, detail in said
        if not any(other.startswith(f"{at}/") for other in places)
    ]


def _noun(error: Mapping[str, Any], place: Sequence[Any]) -> str | None:
    """What was expected; None where another sentence is needed."""
    if error["type"] == "model_attributes_type" and place:
        return _OBJECT  # inside a body: how the body was sent is not what is wrong
    return _EXPECTED.get(error["type"])


def _placed(at: str, sentence: str, fields: Fields) -> tuple[str, str]:
    """A sentence about the whole request that names one of its fields, at that field."""
    found = None if at else _ABOUT.fullmatch(sentence)
    if found and found["name"] in fields(()):
        return pointer([found["name"]]), found["rest"]
    return at, sentence


def _whole(bounds: Mapping[str, Any]) -> dict[str, Any]:
    """Bounds as people write them: 60, not 60.0."""
    return {
        name: int(bound) if isinstance(bound, float) and bound.is_integer() else bound
        for name, bound in bounds.items()
    }


def _unlike(expected: Sequence[str], given: Any, *, guessed: bool) -> str:
    choices = [choice for each in expected for choice in _CHOICE.findall(each)]
    return f"{unlike(expected, given)}{near(given, choices) if guessed else ''}"


def near(word: Any, known: Iterable[str]) -> str:
    """What may have been meant by a word that is not known, to be put behind a sentence; empty if it is like none."""
    if not isinstance(word, str) or not _SHORTEST_GUESSED <= len(word) <= _LONGEST_GUESSED:
        return ""
    by_lower, lower = {each.lower(): each for each in known}, word.lower()
    close = get_close_matches(lower, by_lower, n=1, cutoff=_ALIKE)
    holding = close or [each for each in by_lower if lower in each]
    return f"; do you mean {by_lower[holding[0]]}?" if len(holding) == 1 else ""


def of_reading(complaint: str, given: Any, choices: Sequence[str] = ()) -> str:
    """What msgspec said of a value, such as ``Expected `str`, got `int```; ``choices``: what it may be, where few."""
    found = _MISREAD.fullmatch(complaint)
    if found:
        kinds = [_NAMES.get(kind, kind) for kind in found["kinds"].split(" | ")]
        return unlike([f"{kind}{found['bound']}" for kind in kinds], given)
    if choices:
        return unlike([repr(choice) for choice in choices], given) + near(given, choices)
    return f"{complaint[:1].lower()}{complaint[1:]}"


def unlike(expected: Sequence[str], given: Any) -> str:
    """What a value must be, and what it is."""
    return f"must be {' or '.join(dict.fromkeys(expected))}, not {shown(given)}"


def shown(given: Any) -> str:
    """What was given, briefly: no more of a text than tells which one it was."""
    if isinstance(given, (list, tuple)):
        return "a list"
    if isinstance(given, Mapping):
        return "an object"
    if isinstance(given, str):
        cut = given[:_MOST_SHOWN] + "…" * (len(given) > _MOST_SHOWN)
        return printable(json.dumps(cut, ensure_ascii=False))
    if given is None or isinstance(given, (bool, int, float)):
        said = json.dumps(given)
        return said[:_MOST_SHOWN] + "…" * (len(said) > _MOST_SHOWN)
    return "something else"


def wrong(at: str, detail: str) -> InputInvalidError:
    """The one thing that is wrong with a request, at a JSON Pointer."""
    found = [Fault(detail, at)]
    return InputInvalidError(summary(found), faults=found)


def pointer(path: Sequence[Any]) -> str:
    """A JSON Pointer (RFC 6901). The caller chose the names in it: halves of characters are shown as such."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return printable("".join(f"/{part}" for part in parts))


def printable(text: str) -> str:
    """The same text, with a mark for each half of a character, which no answer can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def summary(faults: Sequence[Fault]) -> str:
    """The detail of a problem: each field with what is wrong with it."""
    return "; ".join(f"{fault.pointer.lstrip('/') or 'body'}: {fault.detail}" for fault in faults)


def _sentence(error: Mapping[str, Any]) -> str:
    given, kind = error.get("input"), str(error["type"])
    if isinstance(given, str) and kind in ("too_short", "too_long"):
        kind = f"string_{kind}"  # so the validator calls it where the text may also be null
    wording = _SENTENCES.get(kind)
    if wording is None:
        return f"is not what this route takes: {shown(given)}"
    if kind == "string_too_short" and error["ctx"]["min_length"] == 1:
        return "must not be empty"
    length = len(given) if isinstance(given, (str, list, tuple)) else 0
    return wording.format_map({"length": f"{length:,}", **error.get("ctx", {})})


def _own(place: Sequence[Any]) -> list[Any]:
    return [step for step in place if not (isinstance(step, str) and _BRANCH.fullmatch(step))]
