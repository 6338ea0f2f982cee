"""What every route shares: strict input, problem details, cursors, the runtime at hand."""

from collections.abc import Sequence
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
_STATUS_TITLES = {404: "Not found", 405: "Method not allowed"}


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
    if error.status == 401:  # noqa: PLR2004 - the status itself
        headers["www-authenticate"] = "Bearer"
    if error.retryable:
        headers["retry-after"] = str(RETRY_AFTER_S)
    return Response(msgspec.json.encode(body), error.status, headers, media_type="application/problem+json")


def speak_problem_json(app: FastAPI) -> None:
    """Turn every error into problem details, here and nowhere else."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, SaysoError)  # noqa: S101 - narrows for mypy what the registration guarantees
        return problem(error, instance=request.url.path)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        return problem(_input_invalid(error.errors()), instance=request.url.path)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        known = SaysoError(str(error.detail)) if error.status_code != 404 else NotFoundError("No such route.")  # noqa: PLR2004
        answer = problem(known, instance=request.url.path)
        if error.status_code != known.status:
            answer = json_response(
                {
                    "type": "about:blank",
                    "title": _STATUS_TITLES.get(error.status_code, "Error"),
                    "status": error.status_code,
                    "detail": str(error.detail),
                    "code": "http",
                    "retryable": False,
                },
                error.status_code,
                {**(error.headers or {}), "content-type": "application/problem+json"},
            )
        return answer

    async def away(request: Request, error: Exception) -> Response:
        log.warning("api.database_unavailable", route=request.url.path, error=repr(error))
        return problem(
            DatabaseUnavailableError("The database does not answer; nothing was done. Try again."),
            instance=request.url.path,
        )

    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("api.failed", route=request.url.path, exc_info=error)
        return problem(SaysoError("Something went wrong; the log has the cause."), instance=request.url.path)

    app.add_exception_handler(SaysoError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    for kind in UNAVAILABLE:
        app.add_exception_handler(kind, away)
    app.add_exception_handler(Exception, unexpected)


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
