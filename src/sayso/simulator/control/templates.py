"""The moderator's desk over the control API: every template, and what may be done to it (docs/simulator-control.md)."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.config import Review
from sayso.simulator.control.reading import ControlRoute, Empty, known_query, read
from sayso.simulator.mistakes import meant
from sayso.simulator.strict import ControlError, Strict
from sayso.simulator.templates.desk import ACTIONS, Desk, DeskError
from sayso.simulator.world.templates import Template


class Rejection(Strict):
    """Why it is refused: a reason of 3.3, and words for ``rejection_info``."""

    reason: str
    explanation: str = ""
    recommendation: str = ""


class Pause(Strict):
    """For how many hours; left out: the next step of the ladder, 3 h, 6 h, then for good."""

    hours: float | None = None


class Score(Strict):
    """A quality score: GREEN, YELLOW, RED or UNKNOWN."""

    score: str


class NewCategory(Strict):
    """A category: MARKETING, UTILITY or AUTHENTICATION."""

    category: str


class Reviewing(Strict):
    """How templates submitted from now on are reviewed (3.3)."""

    how: Review


class TemplateCalls:
    """Templates as the moderator has them."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [
            ControlRoute("GET", "/_sim/review", self._review),
            ControlRoute("POST", "/_sim/review", self._set_review),
            ControlRoute("GET", "/_sim/templates", self._list),
            ControlRoute("GET", "/_sim/templates/{id}", self._one),
            ControlRoute("POST", "/_sim/templates/{id}/{action}", self._act),
        ]

    @property
    def _desk(self) -> Desk:
        return self._sim.desk

    async def _review(self, request: web.Request) -> dict[str, Any]:
        """Tell how templates are reviewed: instant, delayed (by after_s simulated seconds), moderator."""
        known_query(request)
        return self._reviewing()

    async def _set_review(self, request: web.Request) -> dict[str, Any]:
        """Have templates submitted from now on be reviewed otherwise: {"how": "moderator"}."""
        self._sim.world.review = (await read(request, Reviewing)).how
        self._sim.live.publish("templates", dict)
        return self._reviewing()

    def _reviewing(self) -> dict[str, Any]:
        world = self._sim.world
        return {"how": world.review, "after_s": world.config.review_after_s}

    async def _list(self, request: web.Request) -> dict[str, Any]:
        """List every template, of one WABA with ?waba_id=, and what may be done to each now."""
        return {"templates": self._desk.listed(known_query(request, "waba_id").get("waba_id"))}

    async def _one(self, request: web.Request) -> dict[str, Any]:
        """Describe one template."""
        known_query(request)
        return self._desk.described(self._desk.template(request.match_info["id"]))

    async def _act(self, request: web.Request) -> dict[str, Any]:
        """Approve, reject, pause, unpause, disable, give a quality, change the category and more."""
        action, template_id = request.match_info["action"], request.match_info["id"]
        if action not in ACTIONS:
            raise ControlError(f"the action `{action}` is not known{meant(action, tuple(ACTIONS))}")
        self._desk.template(template_id)
        try:
            template = await self._do(request, action, template_id)
        except DeskError as problem:
            raise ControlError(str(problem)) from problem
        return self._desk.described(template)

    async def _do(self, request: web.Request, action: str, template_id: str) -> Template:
        desk = self._desk
        match action:
            case "reject":
                told = await read(request, Rejection)
                return desk.reject(template_id, told.reason, told.explanation, told.recommendation)
            case "pause":
                return desk.pause(template_id, (await read(request, Pause)).hours)
            case "quality":
                return desk.set_quality(template_id, (await read(request, Score)).score)
            case "announce_category":
                return desk.announce_category(template_id, (await read(request, NewCategory)).category)
            case "recategorise":
                return desk.recategorise(template_id, (await read(request, NewCategory)).category)
        await read(request, Empty)
        return _PLAIN[action](desk, template_id)


#: Actions that take nothing.
_PLAIN: dict[str, Callable[[Desk, str], Template]] = {
    "approve": Desk.approve,
    "unpause": Desk.unpause,
    "disable": Desk.disable,
    "appeal": Desk.appeal,
    "flag": Desk.flag,
    "reinstate": Desk.reinstate,
    "hold": Desk.hold,
    "release": Desk.release,
    "drop": Desk.drop,
    "archive": Desk.archive,
    "unarchive": Desk.unarchive,
    "delete": Desk.delete,
}
