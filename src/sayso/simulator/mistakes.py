"""What is wrong with a body, in plain sentences: which key, what stands there, what was expected."""

import base64
import difflib
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from msgspec import inspect

_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_SHOWN_AT_MOST = 80  # characters of a value
_MET: dict[type, tuple[type[inspect.Type], ...]] = {
    bool: (inspect.BoolType,),
    int: (inspect.IntType, inspect.FloatType),
    float: (inspect.FloatType,),
    str: (inspect.StrType, inspect.BytesType),
    list: (inspect.ListType, inspect.CollectionType),
    dict: (inspect.DictType, inspect.StructType),
    type(None): (inspect.NoneType,),
}


def wrong_with(raw: Any, shape: Any, where: str = "") -> str | None:
    """Say the first thing that is wrong with decoded JSON meant to have this shape; None: nothing that is known.

    ``where`` names it, when it is no whole body.
    """
    return _wrong(raw, inspect.type_info(shape), where)


def meant(word: str, known: Iterable[str]) -> str:
    """Say what may have been meant instead of ``word``, and what there is; to be put behind a sentence."""
    names = list(known)
    there = ", ".join(f"`{each}`" for each in names) or "none"
    return f"{guess(word, names)} Known here: {there}."


def guess(word: str, known: Iterable[str]) -> str:
    """Say what may have been meant instead of ``word``, if anything is like it; to be put behind a sentence."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.5)
    return f"; did you mean `{by_lower[close[0]]}`?" if close else "."


def wrong_callback(url: str) -> str | None:
    """Say what a callback must be, behind its name, when this is none; None: webhooks can be posted there."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port that is no number
        fits = False
    if fits and not re.search(r"\s", url):
        return None
    return f"must be an address such as http://127.0.0.1:3000/webhook; it is {seen(url)}."


def seen(raw: Any) -> str:
    """Write a value as JSON, or name its kind when it is long."""
    if isinstance(raw, str | int | float | bool | None) and len(text := json.dumps(raw)) <= _SHOWN_AT_MOST:
        return text
    return _KINDS[type(raw)]


def _wrong(raw: Any, node: inspect.Type, where: str) -> str | None:
    node = _bare(node)
    for kinds, look in _LOOKS:
        if isinstance(node, kinds):
            return look(raw, node, where)
    if not isinstance(node, _MET.get(type(raw), ())):
        return f"{_name(where)} must be {_expected(node)}; it is {seen(raw)}."
    for kinds, look in _DEEPER:
        if isinstance(node, kinds):
            return look(raw, node, where)
    return _wrong_amount(raw, node, where)


def _wrong_in_list(raw: list[Any], node: Any, where: str) -> str | None:
    return _wrong_size(len(raw), node, where, "entries") or _first(
        _wrong(each, node.item_type, f"{where}[{place}]") for place, each in enumerate(raw)
    )


def _wrong_in_object(raw: dict[str, Any], node: Any, where: str) -> str | None:
    return _first(_wrong(each, node.value_type, _inside(where, key)) for key, each in raw.items())


def _wrong_text(raw: str, node: Any, where: str) -> str | None:
    if node.pattern is not None and not re.search(node.pattern, raw):
        return f"{_name(where)} must look like {node.pattern}; it is {seen(raw)}."
    return _wrong_size(len(raw), node, where, "characters")


def _wrong_bytes(raw: str, _: Any, where: str) -> str | None:
    try:
        base64.b64decode(raw, validate=True)
    except ValueError:
        return f"{_name(where)} must be bytes in base64; it is {seen(raw)}."
    return None


def _wrong_in_union(raw: Any, node: inspect.UnionType, where: str) -> str | None:
    tagged = [each for each in node.types if isinstance(each, inspect.StructType) and each.tag_field]
    if isinstance(raw, dict) and tagged:
        field = str(tagged[0].tag_field)
        by_tag = {str(each.tag): each for each in tagged}
        if field not in raw:
            return f"{_name(_inside(where, field))} is missing{meant('', by_tag)}"
        problem = _wrong_word(raw[field], tuple(by_tag), _inside(where, field))
        return problem or _wrong_in_struct(raw, by_tag[raw[field]], where)
    met: list[inspect.Type] = [each for each in node.types if isinstance(each, inspect.LiteralType)]
    met += [each for each in node.types if isinstance(_bare(each), _MET.get(type(raw), ()))]
    if not met:
        return f"{_name(where)} must be {_expected(node)}; it is {seen(raw)}."
    problems = [_wrong(raw, each, where) for each in met]
    return None if None in problems else problems[0]


def _wrong_in_struct(raw: dict[str, Any], node: inspect.StructType, where: str) -> str | None:
    fields = {field.encode_name: field for field in node.fields}
    known = [*([str(node.tag_field)] if node.tag_field else []), *fields]
    for key in raw:
        if key not in known and node.forbid_unknown_fields:
            return f"{_name(_inside(where, key))} is not known{meant(key, known)}"
    for name, field in fields.items():
        if field.required and name not in raw:
            return f"{_name(_inside(where, name))} is missing; it must be {_expected(field.type)}."
    return _first(
        _wrong(raw[name], field.type, _inside(where, name)) for name, field in fields.items() if name in raw
    )


def _wrong_word(raw: Any, known: Iterable[Any], where: str) -> str | None:
    values = list(known)
    if any(raw == each and type(raw) is type(each) for each in values):
        return None
    said = f"{_name(where)} cannot be {seen(raw)}"
    return said + meant(raw if isinstance(raw, str) else "", [str(each) for each in values])


def _wrong_size(size: int, node: Any, where: str, of: str) -> str | None:
    least, most = node.min_length or 0, node.max_length
    if size >= least and (most is None or size <= most):
        return None
    wanted = f"at least {least}" if most is None else f"{least} to {most}"
    return f"{_name(where)} must have {wanted} {of}; it has {size}."


def _wrong_amount(raw: Any, node: inspect.Type, where: str) -> str | None:
    if not isinstance(node, inspect.IntType | inspect.FloatType) or isinstance(raw, bool):
        return None
    for met, words, bound in (
        (node.ge is None or raw >= node.ge, "at least", node.ge),
        (node.le is None or raw <= node.le, "at most", node.le),
        (node.gt is None or raw > node.gt, "more than", node.gt),
        (node.lt is None or raw < node.lt, "less than", node.lt),
    ):
        if not met:
            return f"{_name(where)} must be {words} {bound:g}; it is {seen(raw)}."
    return None


def _expected(node: inspect.Type) -> str:
    node = _bare(node)
    if isinstance(node, inspect.UnionType):
        types = [each for each in node.types if not isinstance(each, inspect.NoneType)] or node.types
        words = list(dict.fromkeys(_expected(each) for each in types))
        return " or ".join(words)
    if isinstance(node, inspect.LiteralType):
        return " or ".join(f"`{each}`" for each in node.values)
    for kind in (bool, int, float, str, list, dict, type(None)):
        if isinstance(node, _MET[kind][:1]) or (kind in (list, dict) and isinstance(node, _MET[kind])):
            return _KINDS[kind]
    return "something else"


def _bare(node: inspect.Type) -> inspect.Type:
    return node.type if isinstance(node, inspect.Metadata) else node


def _name(where: str) -> str:
    return f"`{where}`" if where else "the body"


def _inside(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


_Look = Callable[[Any, Any, str], str | None]
#: What may be met by JSON of several kinds.
_LOOKS: tuple[tuple[Any, _Look], ...] = (
    (inspect.AnyType | inspect.RawType, lambda *_: None),
    (inspect.UnionType, _wrong_in_union),
    (inspect.LiteralType, lambda raw, node, where: _wrong_word(raw, node.values, where)),
)
#: What is looked at further once the kind is right.
_DEEPER: tuple[tuple[Any, _Look], ...] = (
    (inspect.StructType, _wrong_in_struct),
    (inspect.ListType | inspect.CollectionType, _wrong_in_list),
    (inspect.DictType, _wrong_in_object),
    (inspect.StrType, _wrong_text),
    (inspect.BytesType, _wrong_bytes),
)


def _first(problems: Iterable[str | None]) -> str | None:
    return next((each for each in problems if each is not None), None)
