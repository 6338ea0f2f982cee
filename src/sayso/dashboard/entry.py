"""In and out of the pages, their files, and what a browser is told where there is nothing."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from sayso.core.api import Rt
from sayso.core.database import UNAVAILABLE
from sayso.core.errors import ForbiddenError, UnauthenticatedError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.dashboard import render, signing_in
from sayso.dashboard.signing_in import COOKIE, PATH, SCOPES, Door, NotSignedInError

log = structlog.get_logger("sayso.dashboard")

#: Many times what a token takes.
_LONGEST_FORM: Final = 16 * 1024
_MOST_FIELDS: Final = 4
_SEE_OTHER: Final = 303


_REFUSED: Final = "The browser sent what this page does not take. Go back, and try again."
_FAILED: Final = (
    "This page could not be made. Nothing was changed. Load it again; if it stays so, whoever runs the service finds "
    "the cause in its log, at dashboard.failed."
)


class Page(APIRoute):
    """A route for people: who has not signed in is shown the door, and what fails is told as a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI's, with our answers to what is raised."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedInError:
                return RedirectResponse(signing_in.way_in(request), _SEE_OTHER)
            except UNAVAILABLE as error:
                log.warning("dashboard.database_unavailable", route=request.url.path, error=repr(error))
                return render.lost(_who(request), "The database does not answer. Try again in a moment.", 503)
            except HTTPException as error:
                return render.lost(_who(request), _REFUSED, error.status_code)
            except Exception:
                log.exception("dashboard.failed", route=request.url.path)
                return render.lost(_who(request), _FAILED, 500)

        return answer


router = APIRouter(prefix=PATH, route_class=Page, include_in_schema=False)
#: What is asked for last: any path below ours that no page has.
rest = APIRouter(prefix=PATH, route_class=Page, include_in_schema=False)


def _who(request: Request) -> Actor | None:
    """Who has signed in, where nothing more is to be relied on than their cookie."""
    door: Door = request.app.state.door
    rt: Runtime = request.app.state.rt
    return door.reader(request, rt.now())


async def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


TheDoor = Annotated[Door, Depends(_door)]


async def _reader(request: Request, rt: Rt, door: TheDoor) -> Actor:
    reader = door.reader(request, rt.now())
    if reader is None:
        raise NotSignedInError
    return reader


#: Who has signed in; whoever has not is sent to do so.
Reader = Annotated[Actor, Depends(_reader)]


@router.get("")
async def start() -> Response:
    """The first page there is."""
    return RedirectResponse(f"{PATH}/confirmations", _SEE_OTHER)


@router.get("/login")
async def ask(request: Request) -> Response:
    """Ask for a token."""
    return _login(signing_in.way_back(request.query_params.get("next", "")))


@router.post("/login")
async def enter(request: Request, rt: Rt, door: TheDoor) -> Response:
    """Let in whoever has a token that may see these facts; others are told why not."""
    if signing_in.from_elsewhere(request):
        return _login("", "This form was sent by another site. Sign in here.", 403)
    where, now = signing_in.address(request), rt.now()
    if door.attempts.must_wait(where, now):
        return _login("", "Too many tokens were refused. Wait a minute, and try again.", 429)
    form = await _form(request)
    wanted = signing_in.way_back(form.get("next", ""))
    try:
        kept, lives = door.cookie(rt, form.get("token", "").removeprefix("Bearer ").strip())
    except (UnauthenticatedError, ForbiddenError) as error:
        door.attempts.refused(where, now)
        log.info("dashboard.refused", code=error.code)
        return _login(wanted, error.detail, error.status)
    came_in = RedirectResponse(wanted, _SEE_OTHER)
    came_in.set_cookie(
        COOKIE,
        kept,
        max_age=int(lives.total_seconds()),
        path=PATH,
        httponly=True,
        samesite="strict",
        secure=signing_in.is_secure(request),
    )
    return came_in


@router.post("/logout")
async def leave(request: Request) -> Response:
    """Take the cookie back."""
    if signing_in.from_elsewhere(request):
        return render.lost(None, "This form was sent by another site.", 403)
    gone = RedirectResponse(f"{PATH}/login", _SEE_OTHER)
    gone.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict")
    return gone


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """A file of the pages."""
    return render.file(name) or render.lost(None, "There is no such file.")


@rest.get("/{path:path}")
async def nowhere(path: str, rt: Rt, door: TheDoor, request: Request) -> Response:
    """There is no such page."""
    return render.lost(door.reader(request, rt.now()), f"There is no page at {PATH}/{path}.")


def _login(wanted: str, problem: str = "", status: int = 200) -> Response:
    return render.page("login.html", status, reader=None, next=wanted, problem=problem, scopes=SCOPES)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, each once; of one that is none, none."""
    body = await request.body()
    if len(body) > _LONGEST_FORM:
        return {}
    try:
        fields = parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
