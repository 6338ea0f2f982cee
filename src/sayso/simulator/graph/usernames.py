"""The username of a number: adopted, transferred, given up (cloud-api.md 4.7, 5.3, 8.1)."""

import re

from aiohttp import web

from sayso.simulator.accounts.announcements import Announcements
from sayso.simulator.call import Call, Route, answer, required, success
from sayso.simulator.errors import GraphError
from sayso.simulator.live import Live
from sayso.simulator.world.accounts import MANAGEMENT, BusinessNumber, Holder
from sayso.simulator.world.world import World

#: 3 to 35 of these characters, at least one of them a letter.
_SHAPE = re.compile(r"(?=.*[a-z])[a-z0-9._]{3,35}")
_TOO_SMALL = ("TIER_50", "TIER_250")  # portfolios with these limits may not have usernames (147002)
_TRANSFERS = ("none", "force_transfer")
_HELD: dict[Holder, tuple[int, str]] = {
    "somebody": (147001, "The username has already been claimed. Try another one."),
    "facebook": (147003, "Link the phone number to the Facebook Page that uses the username."),
    "instagram": (147004, "Link the phone number to the Instagram account that uses the username."),
}


class UsernameCalls:
    """The username edge of a number."""

    def __init__(self, world: World, announcements: Announcements, live: Live) -> None:
        self._world = world
        self._announcements = announcements
        self._live = live

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("GET", "number", "username", "username", MANAGEMENT, self._read),
            Route("POST", "number", "username", "username", MANAGEMENT, self._adopt),
            Route("DELETE", "number", "username", "username", MANAGEMENT, self._give_up),
        ]

    async def _read(self, call: Call) -> web.Response:
        """Tell the username and its status; without one the answer is empty."""
        username = self._number(call).username
        return answer({"username": username, "status": "approved"} if username else {})

    async def _adopt(self, call: Call) -> web.Response:
        """Take a username, at once approved; one of another own number only by ``force_transfer``."""
        given, number = await call.given(), self._number(call)
        username, transfer = str(required(given, "username")).lower(), given.get("transfer_action", "none")
        if transfer not in _TRANSFERS:
            raise GraphError(100, f"Param transfer_action must be one of {', '.join(_TRANSFERS)}.")
        if not _SHAPE.fullmatch(username) or username.startswith("www."):
            raise GraphError(100, "Param username must be 3 to 35 of the characters a-z, 0-9, . and _.")
        if self._world.accounts.portfolio_of(number).tier in _TOO_SMALL:
            raise GraphError(147002, "The business portfolio must have a higher messaging limit.")
        self._free(username, number, by_force=transfer == "force_transfer")
        number.username = username
        self._tell(number, username, "approved")
        return answer({"status": "approved"})

    async def _give_up(self, call: Call) -> web.Response:
        number = self._number(call)
        if number.username is None:
            raise GraphError(100, "The phone number has no username.")
        username, number.username = number.username, None
        self._tell(number, username, "deleted")
        return success()

    def _free(self, username: str, number: BusinessNumber, *, by_force: bool) -> None:
        """Raise what stands in the way of a username; by force it leaves another number of the portfolio."""
        accounts = self._world.accounts
        holder = accounts.held_usernames.get(username)
        if holder is not None:
            raise GraphError(*_HELD[holder])
        for other in accounts.numbers.values():
            if other is number or other.username != username:
                continue
            if accounts.portfolio_of(other) is not accounts.portfolio_of(number):
                raise GraphError(*_HELD["somebody"])
            if not by_force:
                raise GraphError(
                    147005, "Another phone number of the portfolio has this username: force the transfer."
                )
            other.username = None
            self._tell(other, username, "deleted")

    def _tell(self, number: BusinessNumber, username: str, status: str) -> None:
        self._announcements.username(number, username, status)
        self._live.publish("accounts", dict)

    def _number(self, call: Call) -> BusinessNumber:
        return self._world.accounts.numbers[call.node]
