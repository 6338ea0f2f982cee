"""The ``components`` of a template send, taken apart before they are held against the template (cloud-api.md 2.6)."""

from dataclasses import dataclass, field
from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import array_at, as_object, choice_at, missing, whole_number

#: Every kind there is, in either case; a footer takes no parameters, a tap target only changes how a client looks.
KINDS = ("header", "body", "footer", "button", "carousel", "limited_time_offer", "tap_target_configuration")
CARD_KINDS = ("header", "body", "button")
#: What a component and a parameter hold, whatever their kind: anything else is misspelt (5.3, 100).
_COMPONENT_KEYS = frozenset({"type", "parameters", "sub_type", "index", "cards"})
_PARAMETER_KEYS = frozenset(
    {
        "type",
        "parameter_name",
        "text",
        "currency",
        "date_time",
        "image",
        "video",
        "gif",
        "document",
        "location",
        "product",
        "payload",
        "coupon_code",
        "action",
        "limited_time_offer",
        "tap_target_configuration",
    }
)

Parameters = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SentButton:
    """Parameters for the button at an index, as ``sub_type``; ``where`` is their place in Meta's notation."""

    sub_type: str
    parameters: Parameters
    where: str


@dataclass(slots=True)
class Sent:
    """What was given for each component; ``none`` of a kind is an empty list."""

    header: Parameters = field(default_factory=list)
    body: Parameters = field(default_factory=list)
    offer: Parameters = field(default_factory=list)
    buttons: dict[int, SentButton] = field(default_factory=dict)
    cards: list[Any] | None = None
    kinds: set[str] = field(default_factory=set)


def read_sent(holder: dict[str, Any], where: str, known: tuple[str, ...] = KINDS) -> Sent:
    """Read ``holder["components"]``; null, an empty array and none at all are the same."""
    sent = Sent()
    if holder.get("components") is None:
        return sent
    for place, each in enumerate(array_at(holder, "components", where)):
        at = f"{where}[{place}]"
        component = as_object(each, at, _COMPONENT_KEYS)
        kind = choice_at(component, "type", f"{at}['type']", known)
        if kind == "button":
            _add_button(sent, component, at)
            continue
        if kind in sent.kinds:
            raise GraphError(132018, f"{at}: there is a second component of type {kind}.")
        sent.kinds.add(kind)
        _add(sent, kind, component, at)
    return sent


def _add(sent: Sent, kind: str, component: dict[str, Any], at: str) -> None:
    if kind == "carousel":
        given = component.get("cards") is not None
        sent.cards = array_at(component, "cards", f"{at}['cards']") if given else []
        return
    parameters = _parameters(component, at)
    match kind:
        case "header":
            sent.header = parameters
        case "body":
            sent.body = parameters
        case "limited_time_offer":
            sent.offer = parameters
        case "footer" if parameters:
            raise GraphError(132018, f"{at}: a footer takes no parameters.")


def _add_button(sent: Sent, component: dict[str, Any], at: str) -> None:
    raw = component.get("index")
    if raw is None:
        raise missing(f"{at}['index']")
    index = whole_number(raw)
    if index is None or index < 0:
        raise GraphError(132018, f"{at}: index {raw!r} is not a number from 0, as a string or an integer.")
    if component.get("sub_type") is None:
        raise missing(f"{at}['sub_type']")
    if index in sent.buttons:
        raise GraphError(132018, f"{at}: there is a second component for the button at index {index}.")
    sub_type = str(component["sub_type"]).lower()
    sent.buttons[index] = SentButton(sub_type, _parameters(component, at), at)


def _parameters(component: dict[str, Any], at: str) -> Parameters:
    if component.get("parameters") is None:
        return []
    given = array_at(component, "parameters", f"{at}['parameters']")
    return [
        as_object(each, f"{at}['parameters'][{place}]", _PARAMETER_KEYS) for place, each in enumerate(given)
    ]
