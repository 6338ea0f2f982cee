"""Pages from templates: everything escaped, whatever cannot be seen made visible, under headers that allow little."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from sayso.core.tokens import Actor
from sayso.dashboard import words

_HERE: Final = Path(__file__).parent
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: Everything a page needs is its own: no inline code, no other site, no framing.
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
#: Nothing a page shows is kept on the way, or by the browser once its reader has left.
_PRIVATE: Final = {**_HEADERS, "cache-control": "no-store"}


def _finalised(value: Any) -> Any:
    """The last word on everything a template prints: no text passes by here."""
    if value is None:
        return "—"
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_finalised,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "clock": words.clock,
    "moment": words.moment,
    "span": words.span,
    "times": words.times,
    "place": words.place,
    "pretty": _pretty,
}
_TEMPLATES.globals |= {
    "standing": words.standing,
    "of_message": words.of_message,
    "of_delivery": words.of_delivery,
    "of_execution": words.of_execution,
    "how": words.how,
    "verdict": words.verdict,
    "effect": words.effect,
    "of_approver": words.of_approver,
    "outcome": words.outcome,
    "because": words.because,
    "lost": words.lost,
    "frozen": words.frozen,
    "SOURCES": words.SOURCES,
}
#: What a page is headed with that is none of those asked for.
_HEADINGS: Final[dict[int, str]] = {
    HTTPStatus.NOT_FOUND: "Not here",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now",
}
#: Read once: a page of the service is as old as the service.
_FILES: Final = {path.name: path for path in (_HERE / "static").iterdir() if path.suffix in _TYPES}


def page(template: str, code: int = 200, /, **told: Any) -> Response:
    """A page; ``reader`` among what is told is who has signed in, or None."""
    text = _TEMPLATES.get_template(template).render(**told)
    return Response(text, code, _PRIVATE, media_type="text/html")


def lost(reader: Actor | None, said: str, code: int = HTTPStatus.NOT_FOUND) -> Response:
    """A page that says what is not there, or not now."""
    return page("lost.html", code, reader=reader, said=said, heading=_HEADINGS.get(code, "Not possible"))


def download(body: bytes | str, name: str, media_type: str) -> Response:
    """A file to keep."""
    headers = {**_PRIVATE, "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, headers=headers, media_type=media_type)


def file(name: str) -> Response | None:
    """A style sheet, script or picture of the pages."""
    path = _FILES.get(name)
    if path is None:
        return None
    headers = {**_HEADERS, "cache-control": "public, max-age=300"}
    return Response(path.read_bytes(), headers=headers, media_type=_TYPES[path.suffix])
