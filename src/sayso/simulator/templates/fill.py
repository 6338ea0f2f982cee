"""Templates and their parameters: which exist, what they show, what Meta refuses (cloud-api.md 2.6, 3)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import array_at, as_object, choice_at, missing, object_at, text_at, within
from sayso.simulator.world.content import Button, Content
from sayso.simulator.world.templates import Template

TEMPLATE_NAME = 512  # 2.8
PAYLOAD = 256  # 2.6
HEADER_TEXT = 60  # 2.6
BODY_TEXT, BODY_TEXT_ALONE = 1024, 32_768  # 2.6: with other components, without
_VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
_FORBIDDEN = re.compile(r"[\n\r\t]| {5}")  # 2.6: newline, tab, more than 4 consecutive spaces
_COMPONENTS = ("header", "body", "button", "carousel", "limited_time_offer")
#: Parameter kinds that stand for words, and where the words are (2.6).
_WORDS = {"text": None, "currency": "currency", "date_time": "date_time"}


Find = Callable[[str, str], Template | None]


def content_of(given: dict[str, Any], find: Find) -> Content:
    """Fill the named template with the given components; raise 132xxx as Meta does (2.6, 5.3)."""
    template = _find(given, find)
    by_kind = dict(_parameters(given, template))
    body_limit = BODY_TEXT if len(template.components) > 1 else BODY_TEXT_ALONE
    return Content(
        header=_fill(template, "header", by_kind.get("header", []), HEADER_TEXT),
        body=_fill(template, "body", by_kind.get("body", []), body_limit),
        footer=template.part("FOOTER").get("text", ""),
        buttons=tuple(_quick_replies(given, template)),
        answers_as="button",
        template=template.name,
        template_id=template.id,
        category=template.category.lower(),
    )


def _find(given: dict[str, Any], find: Find) -> Template:
    name = text_at(given, "name", "template['name']", limit=TEMPLATE_NAME)
    language = object_at(given, "language", "template['language']", ("code", "policy"))
    code = text_at(language, "code", "template['language']['code']", limit=16)
    template = find(name, code)
    if template is None:
        raise GraphError(132001, f"template name ({name}) does not exist in {code}")
    if template.status == "PAUSED":
        raise GraphError(132015, f"template name ({name}) is paused in {code}")
    if template.status == "DISABLED":
        raise GraphError(132016, f"template name ({name}) is disabled in {code}")
    if template.status != "APPROVED":
        raise GraphError(132001, f"template name ({name}) is {template.status} in {code}, not APPROVED")
    return template


def _components(given: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Walk (kind, place, component); kinds are taken in either case, null and empty lists are nothing."""
    if given.get("components") is None:
        return
    for index, each in enumerate(array_at(given, "components", "template['components']")):
        where = f"template['components'][{index}]"
        component = dict(as_object(each, where))
        component["type"] = str(component.get("type") or "").lower()
        yield choice_at(component, "type", f"{where}['type']", _COMPONENTS), where, component


def _parameters(given: dict[str, Any], template: Template) -> Iterator[tuple[str, list[Any]]]:
    """Walk the header's and the body's parameters; other components without buttons are not simulated."""
    for kind, where, component in _components(given):
        if kind in ("carousel", "limited_time_offer"):
            raise GraphError(132018, f"Param {where}: the template {template.name} has no {kind}.")
        if kind != "button":
            yield kind, component.get("parameters") or []


def _fill(template: Template, kind: str, parameters: list[Any], limit: int) -> str:
    """Put the parameters in place of the variables of a component's text."""
    text = str(template.part(kind.upper()).get("text", ""))
    names = list(dict.fromkeys(_VARIABLE.findall(text)))
    if len(parameters) != len(names):
        raise GraphError(
            132000,
            f"{kind}: number of localizable_params ({len(parameters)}) does not match the expected number of "
            f"params ({len(names)})",
        )
    values = dict(_values(template, kind, parameters, names))
    filled = _VARIABLE.sub(lambda found: values[found[1]], text)
    if len(filled) > limit:
        raise GraphError(132005, f"{kind}: {len(filled)} characters once filled, at most {limit}")
    return filled


def _values(
    template: Template, kind: str, parameters: list[Any], names: list[str]
) -> Iterator[tuple[str, str]]:
    named = template.parameter_format == "NAMED"
    for index, (given, name) in enumerate(zip(parameters, names, strict=True)):
        where = f"{kind}['parameters'][{index}]"
        parameter = as_object(given, where)
        called = parameter.get("parameter_name")
        if named and called not in names:
            raise GraphError(132012, f"{where}: parameter_name {called!r} is not one of {names}")
        if not named and called is not None:
            raise GraphError(132012, f"{where}: {template.name} is POSITIONAL and takes no parameter_name")
        yield str(called) if named else name, _words(parameter, where)


def _words(parameter: dict[str, Any], where: str) -> str:
    """Return the words of a parameter; currency and date_time show their fallback (2.6)."""
    kind = str(parameter.get("type") or "").lower()
    if kind not in _WORDS:
        raise GraphError(132012, f"{where}: type {kind!r} where the template has text")
    inner = _WORDS[kind]
    holder = parameter if inner is None else object_at(parameter, inner, f"{where}['{inner}']")
    words = holder.get("text" if inner is None else "fallback_value")
    if words is None:
        raise missing(f"{where}['text']")
    if not isinstance(words, str):
        raise GraphError(132012, f"{where}: its value must be a string")
    if not words.strip():
        raise GraphError(132018, f"{where}: its text must not be empty")
    if _FORBIDDEN.search(words):
        raise GraphError(
            132018,
            f"{where}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        )
    return words


def _quick_replies(given: dict[str, Any], template: Template) -> Iterator[Button]:
    """Walk the buttons; without a payload the tap reports the button's words (2.6)."""
    payloads = dict(_payloads(given, template))
    for index, button in enumerate(template.part("BUTTONS").get("buttons", [])):
        yield Button(button["text"], payloads.get(index, button["text"]))


def _payloads(given: dict[str, Any], template: Template) -> Iterator[tuple[int, str]]:
    count = len(template.part("BUTTONS").get("buttons", []))
    for kind, where, component in _components(given):
        if kind != "button":
            continue
        if str(component.get("sub_type") or "").lower() != "quick_reply":
            raise GraphError(132018, f"{where}: sub_type must be quick_reply, as the template's buttons are")
        index = _index(component, where, count)
        for parameter in component.get("parameters") or []:
            payload = as_object(parameter, where).get("payload")
            if not isinstance(payload, str) or not payload:
                raise GraphError(
                    132012, f"{where}: a quick_reply parameter is of type payload, with a payload"
                )
            yield index, within(payload, f"{where}['payload']", PAYLOAD)


def _index(component: dict[str, Any], where: str, count: int) -> int:
    """Return the 0-based index, which comes as a string or an integer (2.6)."""
    raw = component.get("index")
    if raw is None:
        raise missing(f"{where}['index']")
    if not str(raw).isdecimal() or int(str(raw)) >= count:
        raise GraphError(132018, f"{where}: index {raw!r} is not one of the template's {count} buttons")
    return int(str(raw))
