"""A question, and what was said of it, as it stood on the phone: from what was stored when it was said. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayso.templates.filling import Given
from sayso.templates.preview import shown
from sayso.templates.rules import Mirrored

#: What stands in place of a code that has still to be typed.
HIDDEN = "••••"


@dataclass(frozen=True, slots=True)
class Bubble:
    """The words, what can be tapped below them, and the template they are of."""

    body: str
    buttons: tuple[str, ...]
    template: str | None = None
    parameters: tuple[str, ...] = ()


def bubble(content: Mapping[str, Any], mirrored: Mirrored | None, hide: str | None = None) -> Bubble:
    """What a stored message looks like. ``hide``: a code that nobody but its reader is to know yet."""
    if content["type"] == "template":
        return _template(content, mirrored, hide)
    return Bubble(_without(content["body"], hide), _tapped(content))


def _tapped(content: Mapping[str, Any]) -> tuple[str, ...]:
    if content["type"] == "list":
        return tuple(row["title"] for section in content["sections"] for row in section["rows"])
    return tuple(button["title"] for button in content.get("buttons", ()))


def _template(content: Mapping[str, Any], mirrored: Mirrored | None, hide: str | None) -> Bubble:
    """Filled as Meta has the template now; without it the parameters alone."""
    parameters = tuple(_without(each, hide) for each in content["parameters"])
    named = f"{content['name']} ({content['language']})"
    if mirrored is None:
        listed = "\n".join(f"{{{{{place}}}}} {value}" for place, value in enumerate(parameters, start=1))
        return Bubble(listed, (), named, parameters)
    filled = shown(mirrored, Given(body=parameters))
    body = "\n\n".join(filter(None, (filled.header, filled.body, filled.footer)))
    return Bubble(body, tuple(each.text for each in filled.buttons), named, parameters)


def _without(text: str, hide: str | None) -> str:
    return text.replace(hide, HIDDEN) if hide else text
