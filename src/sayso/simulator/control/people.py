"""People over the control API: who there is, and what changes about them (cloud-api.md 4.7, 4.8, 4.11)."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import ControlRoute, Empty, known_query, read
from sayso.simulator.phone.profile import Name, Profile
from sayso.simulator.strict import Strict
from sayso.simulator.views import person_on_phone
from sayso.simulator.world.people import Person


class NewPerson(Strict):
    """Somebody new: a number in international form, and a name."""

    phone: str
    name: Name | None = None


class NewNumber(Strict):
    """The number somebody moves to."""

    to: str


class Whom(Strict):
    """The business number meant, by its phone number id; by default all of them."""

    number: str | None = None


class Marketing(Strict):
    """Whether marketing is wanted, of one business number, by default the first."""

    value: Literal["stop", "resume"]
    number: str | None = None


class PeopleCalls:
    """The people of the simulated world."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator
        self._people = simulator.parts.phones.people

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        changes: tuple[tuple[str, Callable[[web.Request], Awaitable[Any]]], ...] = (
            ("", self._profile),
            ("/change_number", self._change_number),
            ("/change_user_id", self._change_user_id),
            ("/change_identity", self._change_identity),
            ("/block", self._block),
            ("/unblock", self._unblock),
            ("/marketing", self._marketing),
        )
        return [
            ControlRoute("GET", "/_sim/people", self._list),
            ControlRoute("POST", "/_sim/people", self._add),
            ControlRoute("GET", "/_sim/people/{phone}", self._one),
            *(ControlRoute("POST", "/_sim/people/{phone}" + path, handler) for path, handler in changes),
        ]

    async def _list(self, request: web.Request) -> dict[str, Any]:
        """List everybody."""
        known_query(request)
        return {"people": [self._told(each) for each in self._sim.world.people.values()]}

    async def _add(self, request: web.Request) -> dict[str, Any]:
        """Give somebody a phone: {"phone": "+15550004444", "name": "Rosa"}; who is there already is not renamed."""
        wanted = await read(request, NewPerson)
        return self._sim.add_person(wanted.phone, wanted.name)

    async def _one(self, request: web.Request) -> dict[str, Any]:
        """Describe one person."""
        known_query(request)
        return self._told(self._person(request))

    async def _profile(self, request: web.Request) -> dict[str, Any]:
        """Set name, username, phone_hidden, parent_user_id, on_whatsapp, read_receipts, phone_off, or some of them."""
        profile = await read(request, Profile)
        person = self._person(request)
        self._people.set(person, profile)
        return self._told(person)

    async def _change_number(self, request: web.Request) -> dict[str, Any]:
        """Move to another number, told by a system message: {"to": "+15550004444"}."""
        to = (await read(request, NewNumber)).to
        person = self._person(request)
        self._people.change_number(person, to)
        return self._told(person)

    async def _change_user_id(self, request: web.Request) -> dict[str, Any]:
        """Get another BSUID, told by a system message; the old one is dead."""
        await read(request, Empty)
        person = self._person(request)
        self._people.change_user_id(person)
        return self._told(person)

    async def _change_identity(self, request: web.Request) -> dict[str, Any]:
        """Get new keys, told to numbers that check for identity changes."""
        await read(request, Empty)
        person = self._person(request)
        self._people.change_identity(person)
        return self._told(person)

    async def _block(self, request: web.Request) -> dict[str, Any]:
        """Block a business number, {"number": "…"}, or all."""
        whom = await read(request, Whom)
        person = self._person(request)
        self._people.block(person, whom.number, on=True)
        return self._told(person)

    async def _unblock(self, request: web.Request) -> dict[str, Any]:
        """End a block."""
        whom = await read(request, Whom)
        person = self._person(request)
        self._people.block(person, whom.number, on=False)
        return self._told(person)

    async def _marketing(self, request: web.Request) -> dict[str, Any]:
        """Stop or resume marketing, told by user_preferences: {"value": "stop"}."""
        wanted = await read(request, Marketing)
        person = self._person(request)
        self._people.marketing(person, wanted.number, stop=wanted.value == "stop")
        return self._told(person)

    def _person(self, request: web.Request) -> Person:
        phone = request.match_info["phone"]
        return self._sim.parts.phones.known(phone if phone.startswith("+") else "+" + phone.strip())

    def _told(self, person: Person) -> dict[str, Any]:
        return person_on_phone(person, self._sim.world)
