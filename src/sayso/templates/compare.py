"""A definition as Meta takes it, and how what Meta has differs from it, field by field. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sayso.templates import authentication
from sayso.templates.definitions import Button, Definition, MediaHeader, Offer, Wording
from sayso.templates.rules import VARIABLE, Mirrored

_BLANKS: Final = re.compile(r"[ \t]+$", re.MULTILINE)
#: What is compared of a text, in the order in which a person sees it.
FIELDS: Final = ("header", "offer", "body", "footer", "buttons", "cards")
#: Buttons whose label WhatsApp writes, as they are shown where they are compared.
_SHOWN: Final = {
    "COPY_CODE": "copy a code",
    "CATALOG": "view the catalog",
    "MPM": "view products",
    "CALL_PERMISSION_REQUEST": "allow calls",
    "REQUEST_CONTACT_INFO": "share contact info",
}
#: A utility template without a lifetime of its own lives 30 days (cloud-api 3.7).
_THIRTY_DAYS: Final = -1


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which what Meta has is another than what is wanted; both as a person reads them, "" for nothing."""

    field: str
    wanted: str
    has: str


def body_of(
    definition: Definition, language: str, handles: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The create call's body (cloud-api 3.2); ``handles`` stand for the uploaded examples of media headers, by file."""
    wording = definition.languages[language]
    body: dict[str, Any] = {
        "name": definition.name,
        "language": language,
        "category": definition.category,
        "parameter_format": "NAMED" if wording.named else "POSITIONAL",
        "components": components(wording, handles or {}),
    }
    return body if definition.ttl_s is None else body | {"message_send_ttl_seconds": definition.ttl_s}


def components(wording: Wording, handles: Mapping[str, str]) -> list[dict[str, Any]]:
    """The components of a template, with the examples Meta's reviewers see."""
    if wording.code is not None:
        return authentication.components(wording.code)
    parts = [_header(wording, handles), _offer(wording.offer), _body(wording)]
    if wording.footer is not None:
        parts.append({"type": "FOOTER", "text": wording.footer})
    if wording.buttons:
        parts.append({"type": "BUTTONS", "buttons": [_button(each) for each in wording.buttons]})
    if wording.cards:
        cards = [{"components": components(card, handles)} for card in wording.cards]
        parts.append({"type": "CAROUSEL", "cards": cards})
    return [part for part in parts if part]


def _offer(offer: Offer | None) -> dict[str, Any]:
    if offer is None:
        return {}
    told = {"text": offer.text, "has_expiration": offer.ends}
    return {"type": "LIMITED_TIME_OFFER", "limited_time_offer": told}


def _body(wording: Wording) -> dict[str, Any]:
    if not wording.body:
        return {}
    body: dict[str, Any] = {"type": "BODY", "text": wording.body}
    return body | {"example": _body_example(wording)} if wording.names else body


def _body_example(wording: Wording) -> dict[str, Any]:
    if isinstance(wording.examples, Mapping):
        return {"body_text_named_params": _named(wording, wording.names)}
    return {"body_text": [list(wording.examples[: len(wording.names)])]}


def _named(wording: Wording, names: Sequence[str]) -> list[dict[str, str]]:
    given = wording.examples if isinstance(wording.examples, Mapping) else {}
    return [{"param_name": name, "example": given.get(name, "")} for name in names]


def _header(wording: Wording, handles: Mapping[str, str]) -> dict[str, Any]:
    header = wording.header
    if header is None:
        return {}
    if isinstance(header, MediaHeader):
        part: dict[str, Any] = {"type": "HEADER", "format": header.kind.upper()}
        example = {"header_handle": [handles.get(header.file, "")]}
        return part if header.kind == "location" else part | {"example": example}
    part = {"type": "HEADER", "format": "TEXT", "text": header}
    if not wording.header_names:
        return part
    if wording.named:
        return part | {"example": {"header_text_named_params": _named(wording, wording.header_names)}}
    return part | {"example": {"header_text": [wording.header_example or ""]}}


#: Labels that WhatsApp writes and nobody can change; without them Meta refuses the button.
_LABELS: Final = {"CATALOG": "View catalog", "MPM": "View items"}


def _button(button: Button) -> dict[str, Any]:
    found = {"type": button.kind, "text": button.text or _LABELS.get(button.kind, "")}
    match button.kind:
        case "URL":
            example = {"example": [button.example]} if VARIABLE.search(button.url) else {}
            return found | {"url": button.url} | example
        case "PHONE_NUMBER":
            return found | {"phone_number": button.phone}
        case "COPY_CODE":
            return {"type": "COPY_CODE", "example": button.text}
        case "FLOW":
            more = {"flow_action": button.action or "navigate", "navigate_screen": button.screen}
            return found | {"flow_id": button.flow} | {key: value for key, value in more.items() if value}
        case _:
            return {key: value for key, value in found.items() if value}


def differences(wanted: Mapping[str, Any], has: Mirrored) -> list[Difference]:
    """How Meta's template differs from a create call's body; category first. Examples are not compared."""
    pairs = {
        "category": (str(wanted["category"]), has.category),
        "lifetime": (_ttl(wanted.get("message_send_ttl_seconds")), _ttl(has.ttl_s)),
        **_texts_compared(wanted["components"], has.components),
    }
    return [Difference(field, mine, theirs) for field, (mine, theirs) in pairs.items() if mine != theirs]


def drifted(wanted: Mapping[str, Any], has: Mirrored) -> list[str]:
    """The fields of the text in which Meta's template is another than what was wanted.

    Not category and lifetime, which Meta changes by itself and tells of otherwise (cloud-api 3.6).
    """
    pairs = _texts_compared(wanted["components"], has.components)
    return [field for field, (mine, theirs) in pairs.items() if mine != theirs]


def _texts_compared(
    wanted: Sequence[Mapping[str, Any]], has: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[str, str]]:
    mine, theirs = texts(wanted), texts(authentication.as_asked(wanted, has))
    return {field: (mine.get(field, ""), theirs.get(field, "")) for field in FIELDS}


def texts(parts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What a person reads of a template, by :data:`FIELDS`; blanks at the ends of lines mean nothing."""
    found: dict[str, str] = {}
    for part in parts:
        kind = str(part.get("type", "")).lower()
        if kind == "buttons":
            found[kind] = "\n".join(_label(each) for each in part.get("buttons") or ())
        elif kind == "header" and str(part.get("format", "TEXT")).upper() != "TEXT":
            found[kind] = f"({str(part['format']).lower()})"
        elif kind == "limited_time_offer":
            found["offer"] = _offered(part.get("limited_time_offer") or {})
        elif kind == "carousel":
            found["cards"] = "\n\n".join(_card(each) for each in part.get("cards") or ())
        else:
            found[kind] = _BLANKS.sub("", str(part.get("text") or authentication.words(part))).strip()
    return found


def _offered(offer: Mapping[str, Any]) -> str:
    return f"{offer.get('text', '')}{' (until …)' if offer.get('has_expiration') else ''}"


def _card(card: Mapping[str, Any]) -> str:
    told = texts(card.get("components") or ())
    return "\n".join(told[field] for field in FIELDS if told.get(field))


def _label(button: Mapping[str, Any]) -> str:
    """``[Track] https://…``; a copied code's example is not part of what was agreed."""
    kind = str(button.get("type", "")).upper()
    if kind in ("QUICK_REPLY", "URL", "PHONE_NUMBER"):
        target = button.get("url") or button.get("phone_number") or ""
    elif kind == "VOICE_CALL":
        target = "call on WhatsApp"
    elif kind == "FLOW":
        target = f"form {button.get('flow_id', '')} {button.get('navigate_screen') or ''}".strip()
    else:
        return authentication.label(button) or f"[{_SHOWN.get(kind, kind.lower())}]"
    return f"[{button.get('text', '')}] {target}".strip()


def _ttl(seconds: Any) -> str:
    return "" if seconds in (None, _THIRTY_DAYS) else f"{seconds} s"
