"""What every route shares: strict input, problem details, cursors, the runtime at hand."""

from collections.abc import Collection, Mapping
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import Annotated, Any

import msgspec
import structlog
from fastapi import Depends, FastAPI, Query, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sayso.core import faults
from sayso.core.database import UNAVAILABLE
from sayso.core.described_fields import body_of, fields_at
from sayso.core.errors import (
    BodyTooLargeError,
    DatabaseUnavailableError,
    Fault,
    InputInvalidError,
    MethodNotAllowedError,
    NotFoundError,
    RequestUnreadableError,
    SaysoError,
)
from sayso.core.faults_json import not_json
from sayso.core.runtime import Runtime

log = structlog.get_logger("sayso.api")

PREFIX = "/api/v1/whatsapp"
RETRY_AFTER_S = 1
#: Unknown parameters that are named in an answer.
_MOST_NAMED = 10
#: Many times what any route takes; what exactly is too long, each route says itself.
LARGEST_BODY = 256 * 1024

_TEXT = {"type": "string"}
#: The JSON Schema of problem details.
PROBLEM: dict[str, Any] = {
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
        "content": {"application/problem+json": {"schema": PROBLEM}},
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
#: What a list is asked for: where its previous answer ended, and how much.
Before = Annotated[Text | None, Query(max_length=40, description="The `next` of the previous answer.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]


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


def problem(error: SaysoError, *, instance: str = "", headers: Mapping[str, str] | None = None) -> Response:
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
    headers = {"cache-control": "no-store", **(headers or {})}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if error.retryable:
        headers["retry-after"] = str(error.retry_after_s or RETRY_AFTER_S)
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
        wrong = _wrong(request, error)
        return problem(InputInvalidError(faults.summary(wrong), faults=wrong), instance=where)
    if isinstance(error, HTTPException):
        return _http_problem(error, where)
    if isinstance(error, UNAVAILABLE):
        log.warning("api.database_unavailable", route=where, error=repr(error))
        away = DatabaseUnavailableError("The database does not answer; nothing was done. Try again.")
        return problem(away, instance=where)
    log.error("api.failed", route=where, exc_info=error)
    return problem(SaysoError("Something went wrong; the log has the cause."), instance=where)


def _wrong(request: Request, error: RequestValidationError) -> list[Fault]:
    """What is wrong with a request, in its body or its address."""
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        return [Fault(not_json(str(error.body), found[0]["loc"][1], found[0]["ctx"]["error"]))]
    body = body_of(request.scope["route"])
    return faults.of_validation(found, inside=1, fields=partial(fields_at, body))


def _http_problem(error: HTTPException, where: str) -> Response:
    """What the framework itself refuses: no such route, a method it does not have, a body it cannot read."""
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            refused: SaysoError = NotFoundError(
                f"There is no such route. /docs shows those there are; those of the API begin with {PREFIX}."
            )
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = (error.headers or {}).get("Allow", "")
            refused = MethodNotAllowedError(f"This route takes {allowed} only.")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            refused = BodyTooLargeError(f"A request holds at most {error.detail} bytes.")
        case HTTPStatus.BAD_REQUEST:
            refused = RequestUnreadableError("The body cannot be read: it must be JSON in UTF-8.")
        case _:
            refused = RequestUnreadableError(f"The request cannot be read: {error.detail}")
    return problem(refused, instance=where, headers=error.headers)


def refuse_unknown_parameters(request: Request) -> None:
    """Raise for a parameter in the address that the route does not take: a typing error would change what is answered.

    What a route takes is what its description says.
    """
    if not request.query_params:
        return
    taken = parameters(request.scope["route"])
    wrong = [
        Fault(_unknown_parameter(name, taken), faults.pointer([name]))
        for name in islice((name for name in request.query_params if name not in taken), _MOST_NAMED)
    ]
    if wrong:
        raise InputInvalidError(faults.summary(wrong), faults=wrong)


def parameters(route: APIRoute) -> frozenset[str]:
    """The parameters in the address that a route takes."""
    return frozenset(
        field.alias
        for field in get_flat_params(route.dependant)
        if getattr(field.field_info, "in_", ParamTypes.query) == ParamTypes.query  # a model's have no place
    )


def _unknown_parameter(name: str, taken: Collection[str]) -> str:
    names = sorted(taken)
    meant = faults.near(name, names)
    takes = f"it takes {', '.join(names)}" if names else "it takes none"
    return f"is not a parameter of this route{f'{meant} ' if meant else '; '}{takes}"
