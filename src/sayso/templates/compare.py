"""A definition as Meta takes it, and how what Meta has differs from it, field by field. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sayso.templates.definitions import Button, Definition, MediaHeader, Wording
from sayso.templates.rules import VARIABLE, Mirrored

_BLANKS: Final = re.compile(r"[ \t]+$", re.MULTILINE)
#: A utility template without a lifetime of its own lives 30 days (cloud-api 3.7).
_THIRTY_DAYS: Final = -1


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which what Meta has is another than what is wanted; both as a person reads them, "" for nothing."""

    field: str
    wanted: str
    has: str


def body_of(definition: Definition, language: str, handle: str | None = None) -> dict[str, Any]:
    """The create call's body (cloud-api 3.2); ``handle`` stands for the uploaded example of a media header."""
    wording = definition.languages[language]
    body: dict[str, Any] = {
        "name": definition.name,
        "language": language,
        "category": definition.category,
        "parameter_format": "NAMED" if wording.named else "POSITIONAL",
        "components": components(wording, handle),
    }
    return body if definition.ttl_s is None else body | {"message_send_ttl_seconds": definition.ttl_s}


def components(wording: Wording, handle: str | None = None) -> list[dict[str, Any]]:
    """The components of a template, with the examples Meta's reviewers see."""
    body: dict[str, Any] = {"type": "BODY", "text": wording.body}
    if wording.names:
        body["example"] = _body_example(wording)
    parts = [_header(wording, handle), body]
    if wording.footer is not None:
        parts.append({"type": "FOOTER", "text": wording.footer})
    if wording.buttons:
        parts.append({"type": "BUTTONS", "buttons": [_button(each) for each in wording.buttons]})
    return [part for part in parts if part]


def _body_example(wording: Wording) -> dict[str, Any]:
    if isinstance(wording.examples, Mapping):
        return {"body_text_named_params": _named(wording, wording.names)}
    return {"body_text": [list(wording.examples[: len(wording.names)])]}


def _named(wording: Wording, names: Sequence[str]) -> list[dict[str, str]]:
    given = wording.examples if isinstance(wording.examples, Mapping) else {}
    return [{"param_name": name, "example": given.get(name, "")} for name in names]


def _header(wording: Wording, handle: str | None) -> dict[str, Any]:
    header = wording.header
    if header is None:
        return {}
    if isinstance(header, MediaHeader):
        part: dict[str, Any] = {"type": "HEADER", "format": header.kind.upper()}
        return part if header.kind == "location" else part | {"example": {"header_handle": [handle or ""]}}
    part = {"type": "HEADER", "format": "TEXT", "text": header}
    if not wording.header_names:
        return part
    if wording.named:
        return part | {"example": {"header_text_named_params": _named(wording, wording.header_names)}}
    return part | {"example": {"header_text": [wording.header_example or ""]}}


def _button(button: Button) -> dict[str, Any]:
    match button.kind:
        case "URL":
            found = {"type": "URL", "text": button.text, "url": button.url}
            return found | {"example": [button.example]} if VARIABLE.search(button.url) else found
        case "PHONE_NUMBER":
            return {"type": "PHONE_NUMBER", "text": button.text, "phone_number": button.phone}
        case "COPY_CODE":
            return {"type": "COPY_CODE", "example": button.text}
        case kind:
            return {"type": kind, "text": button.text}


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
    mine, theirs = texts(wanted), texts(has)
    fields = ("header", "body", "footer", "buttons")
    return {field: (mine.get(field, ""), theirs.get(field, "")) for field in fields}


def texts(parts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Header, body, footer and buttons as a person reads them; blanks at the ends of lines mean nothing."""
    found: dict[str, str] = {}
    for part in parts:
        kind = str(part.get("type", "")).lower()
        if kind == "buttons":
            found[kind] = "\n".join(_label(each) for each in part.get("buttons") or ())
        elif kind == "header" and str(part.get("format", "TEXT")).upper() != "TEXT":
            found[kind] = f"({str(part['format']).lower()})"
        else:
            found[kind] = _BLANKS.sub("", str(part.get("text", ""))).strip()
    return found


def _label(button: Mapping[str, Any]) -> str:
    """``[Track] https://…``; a copied code's example is not part of what was agreed."""
    kind = str(button.get("type", "")).upper()
    if kind == "COPY_CODE":
        return "[copy a code]"
    target = button.get("url") or button.get("phone_number") or ""
    return f"[{button.get('text', '')}] {target}".strip()


def _ttl(seconds: Any) -> str:
    return "" if seconds in (None, _THIRTY_DAYS) else f"{seconds} s"
