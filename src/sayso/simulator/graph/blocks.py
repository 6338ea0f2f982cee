"""Blocking people: ``/{phone-number-id}/block_users`` (cloud-api.md 8.4)."""

from typing import Any, NamedTuple

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, check_product
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import array_at
from sayso.simulator.graph.paging import paged
from sayso.simulator.rules.window import is_open
from sayso.simulator.world.accounts import MESSAGING, BusinessNumber
from sayso.simulator.world.numbers import dialled
from sayso.simulator.world.world import World

BLOCKED_AT_MOST = 64_000


class _Wanted(NamedTuple):
    """One entry of ``block_users``: as it was given, and whom it names, if anybody."""

    input: str
    wa_id: str | None
    user_id: str | None

    def told(self) -> dict[str, str]:
        """Describe whom it names, in the terms it was given in."""
        if self.user_id is not None:
            return {"input": self.input, "user_id": self.user_id}
        return {"input": self.input} | ({} if self.wa_id is None else {"wa_id": self.wa_id})


class BlockCalls:
    """The block list of a number."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("GET", "number", "block_users", "block_users", MESSAGING, self._list),
            Route("POST", "number", "block_users", "block_users", MESSAGING, self._block),
            Route("DELETE", "number", "block_users", "block_users", MESSAGING, self._unblock),
        ]

    async def _list(self, call: Call) -> web.Response:
        blocked = sorted(self._number(call).blocked)
        return answer(
            paged(call, blocked, lambda wa_id: {"messaging_product": "whatsapp", "wa_id": wa_id}, rank=str)
        )

    async def _block(self, call: Call) -> web.Response:
        """Block people who wrote in the last 24 hours; the others fail one by one, with 139100 over all.

        When the list cannot hold them all, nobody is blocked (139101).
        """
        number = self._number(call)
        blocked, added, failed = set(), [], []
        for wanted in await self._wanted(call, number):
            problem = self._problem(wanted, number)
            if problem is not None:
                failed.append(wanted.told() | {"errors": [problem]})
                continue
            blocked.add(wanted.wa_id or "")
            added.append(wanted.told())
        blocked -= number.blocked
        if blocked and len(number.blocked) + len(blocked) > BLOCKED_AT_MOST:
            raise GraphError(139101, f"The block list has room for {BLOCKED_AT_MOST} people.")
        number.blocked |= blocked
        return _answer("added_users", added, failed)

    async def _unblock(self, call: Call) -> web.Response:
        """Unblock people; one who was not blocked is not blocked afterwards either."""
        number = self._number(call)
        removed, failed = [], []
        for wanted in await self._wanted(call, number):
            if wanted.wa_id is None:
                failed.append(wanted.told() | {"errors": [_NOT_WRITTEN]})
                continue
            number.blocked.discard(wanted.wa_id)
            removed.append(wanted.told())
        return _answer("removed_users", removed, failed)

    def _problem(self, wanted: _Wanted, number: BusinessNumber) -> dict[str, Any] | None:
        """Tell what keeps somebody from being blocked."""
        if wanted.wa_id == number.digits:
            return _error(131021, "Self block", "Failed to block self phone number.")
        thread = self._world.threads.get((number.phone_number_id, wanted.wa_id or ""))
        if wanted.wa_id in number.blocked or (thread and is_open(thread, self._world.clock.now())):
            return None
        return _NOT_WRITTEN

    async def _wanted(self, call: Call, number: BusinessNumber) -> list[_Wanted]:
        body = await call.json()
        check_product(body)
        entries = array_at(body, "block_users", "block_users")
        if not entries:
            raise GraphError(100, "Param block_users must have at least one entry.")
        return [self._read(entry, number) for entry in entries]

    def _read(self, entry: Any, number: BusinessNumber) -> _Wanted:
        """Read ``{"user": phone or wa_id}`` or ``{"user_id": BSUID}``."""
        if isinstance(entry, dict) and type(entry.get("user")) is int:
            entry = {"user": str(entry["user"])}
        if not isinstance(entry, dict) or not isinstance(entry.get("user") or entry.get("user_id"), str):
            raise GraphError(100, 'Param block_users must hold objects {"user": …} or {"user_id": …}.')
        if entry.get("user") is None:
            person = self._world.person_by_user_id(entry["user_id"], number)
            return _Wanted(entry["user_id"], person.wa_id if person else None, entry["user_id"])
        user = entry["user"]
        if user in self._world.people:
            return _Wanted(user, user, None)
        try:
            return _Wanted(user, self._world.reached(dialled(user, number.digits)), None)
        except GraphError:
            return _Wanted(user, None, None)

    def _number(self, call: Call) -> BusinessNumber:
        return self._world.accounts.numbers[call.node]


def _error(code: int, message: str, details: str) -> dict[str, Any]:
    return {"message": message, "code": code, "error_data": {"details": details}}


_NOT_WRITTEN = _error(131047, "Re-engagement required", "User has not messaged in the last 24 hours")


def _answer(done: str, users: list[Any], failed: list[Any]) -> web.Response:
    """Answer the lists; with failures they stand beside the error 139100."""
    if not failed:
        return answer({"messaging_product": "whatsapp", "block_users": {done: users}})
    raise GraphError(
        139100,
        "Failed to block some users, see the block_users response list for details",
        message="Failed to block/unblock users",
        beside={"messaging_product": "whatsapp", "block_users": {done: users, "failed_users": failed}},
    )
