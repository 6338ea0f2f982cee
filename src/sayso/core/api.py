"""What every route shares: strict input, problem details, cursors, the runtime at hand."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sayso.core.database import UNAVAILABLE
from sayso.core.errors import (
    BodyTooLargeError,
    DatabaseUnavailableError,
    Fault,
    InputInvalidError,
    NotFoundError,
    SaysoError,
)
from sayso.core.runtime import Runtime

log = structlog.get_logger("sayso.api")

PREFIX = "/api/v1/whatsapp"
RETRY_AFTER_S = 1
#: Many times what any route takes; what exactly is too long, each route says itself.
LARGEST_BODY = 256 * 1024

_TEXT = {"type": "string"}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "retryable"],
    "properties": {
        **dict.fromkeys(("type", "title", "detail", "code", "instance"), _TEXT),
        "status": {"type": "integer"},
        "retryable": {"type": "boolean"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"detail": _TEXT, "pointer": _TEXT}},
        },
    },
}
#: How every route's errors are described.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Problem details (RFC 9457); `code` is stable.",
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }
}


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(
            "contains a NUL character or half of a surrogate pair, which cannot be shown or stored"
        )
    return text


#: Text from a caller: whatever Unicode, but storable.
Text = Annotated[str, AfterValidator(_storable)]


class Input(BaseModel):
    """A request body: unknown fields are refused, not ignored, so that a typo is heard of."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


async def runtime(request: Request) -> Runtime:
    """The process's runtime. A coroutine, since FastAPI sends plain functions to a thread and back."""
    rt: Runtime = request.app.state.rt
    return rt


Rt = Annotated[Runtime, Depends(runtime)]


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON by msgspec; personal data is never cached on the way."""
    return Response(
        msgspec.json.encode(body),
        status,
        {"cache-control": "no-store", **(headers or {})},
        media_type="application/json",
    )


def problem(error: SaysoError, *, instance: str = "") -> Response:
    """RFC 9457 problem details, plus ``code``, ``retryable`` and, for input, ``errors`` with JSON Pointers."""
    body: dict[str, Any] = {
        "type": f"urn:sayso:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "retryable": error.retryable,
    }
    if instance:
        body["instance"] = instance
    if error.faults:
        body["errors"] = [{"detail": fault.detail, "pointer": fault.pointer} for fault in error.faults]
    headers = {"cache-control": "no-store"}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if error.retryable:
        headers["retry-after"] = str(RETRY_AFTER_S)
    return Response(msgspec.json.encode(body), error.status, headers, media_type="application/problem+json")


class Bounded:
    """Counts a body as it comes, so that no caller, with a token or without, can fill our memory.

    ``larger``: paths that take more bytes than the others, since they keep them on the disk.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and end it where it has become too large."""
        size, most = 0, self._larger.get(scope.get("path", ""), LARGEST_BODY)

        async def counting() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{most:,}")
            return message

        await self._app(scope, counting if scope["type"] == "http" else receive, send)


def speak_problem_json(app: FastAPI) -> None:
    """Turn every error into problem details, here and nowhere else."""
    for kind in (SaysoError, RequestValidationError, HTTPException, *UNAVAILABLE, Exception):
        app.add_exception_handler(kind, _as_problem)


async def _as_problem(request: Request, error: Exception) -> Response:
    where = request.url.path
    if isinstance(error, SaysoError):
        return problem(error, instance=where)
    if isinstance(error, RequestValidationError):
        return problem(_input_invalid(error.errors()), instance=where)
    if isinstance(error, HTTPException):
        return _http_problem(error, where)
    if isinstance(error, UNAVAILABLE):
        log.warning("api.database_unavailable", route=where, error=repr(error))
        away = DatabaseUnavailableError("The database does not answer; nothing was done. Try again.")
        return problem(away, instance=where)
    log.error("api.failed", route=where, exc_info=error)
    return problem(SaysoError("Something went wrong; the log has the cause."), instance=where)


def _http_problem(error: HTTPException, where: str) -> Response:
    """What the framework itself refuses: no such route, a method it does not have."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(NotFoundError("No such route."), instance=where)
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem(BodyTooLargeError(f"A request holds at most {error.detail} bytes."), instance=where)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(error.status_code).phrase,
        "status": error.status_code,
        "detail": str(error.detail),
        "code": "http",
        "retryable": False,
        "instance": where,
    }
    headers = {"cache-control": "no-store", **(error.headers or {})}
    return Response(
        msgspec.json.encode(body), error.status_code, headers, media_type="application/problem+json"
    )


#: What the validator calls things, in words that say what to do.
_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "json_invalid": "is not JSON: {error}",
    "model_attributes_type": "must be a JSON object; send it with `Content-Type: application/json`",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "may have at most {max_length} characters",
}


def _sentence(error: Mapping[str, Any]) -> str:
    wording = _SENTENCES.get(error["type"])
    return (
        wording.format(**error.get("ctx", {})) if wording else str(error["msg"]).removeprefix("Value error, ")
    )


def _input_invalid(errors: Sequence[Any]) -> InputInvalidError:
    faults = [Fault(_sentence(error), _pointer(_place(error))) for error in errors]
    said = (f"{fault.pointer.lstrip('/') or 'body'}: {fault.detail}" for fault in faults)
    return InputInvalidError("; ".join(said), faults=faults)


def _place(error: Mapping[str, Any]) -> Sequence[Any]:
    """Where in the body; of a body that is no JSON the place is the body."""
    return () if error["type"] == "json_invalid" else error["loc"][1:]


def _pointer(path: Sequence[Any]) -> str:
    """A JSON Pointer (RFC 6901). The caller chose the names in it: halves of characters are shown as such."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
