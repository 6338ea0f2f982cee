"""The contact book, by which a business knows the numbers of people with usernames (cloud-api.md 4.7)."""

from aiohttp import web

from sayso.simulator.call import Call, Route, check_product, required, success
from sayso.simulator.errors import GraphError
from sayso.simulator.world.accounts import MANAGEMENT
from sayso.simulator.world.world import World


class ContactBookCalls:
    """Takes people out of a portfolio's contact book."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [Route("DELETE", "number", "contact_book", "contact_book", MANAGEMENT, self._forget)]

    async def _forget(self, call: Call) -> web.Response:
        """Forget the number of the person with this BSUID, for all numbers of the portfolio."""
        given = await call.given()
        check_product(given)
        user_id = str(required(given, "bsuid"))
        accounts = self._world.accounts
        number = accounts.numbers[call.node]
        person = self._world.person_by_user_id(user_id, number)
        if person is None:
            raise GraphError(100, f"Param bsuid: no user of this portfolio has the ID {user_id}.")
        accounts.portfolio_of(number).contact_book.discard(person.wa_id)
        return success()
