"""What every route shares: strict input, problem details, cursors, the runtime at hand."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sayso.core.database import UNAVAILABLE
from sayso.core.errors import (
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


def runtime(request: Request) -> Runtime:
    """The process's runtime."""
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


def _input_invalid(errors: Sequence[Any]) -> InputInvalidError:
    faults = [
        Fault(
            str(error["msg"]).removeprefix("Value error, "),
            "/" + "/".join(str(part) for part in error["loc"][1:]) if len(error["loc"]) > 1 else "",
        )
        for error in errors
    ]
    first = faults[0]
    where = f"{first.pointer.lstrip('/')}: " if first.pointer else ""
    return InputInvalidError(f"{where}{first.detail}", faults=faults)
