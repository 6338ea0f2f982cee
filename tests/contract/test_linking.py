"""An assistant says who its users are: what cannot be a user's is refused where it stands."""

import pytest

from harness.contract import Contract, assert_problem
from harness.service import PHONE_NUMBER_ID
from sayso.senders.learning import learn
from sayso.whatsapp.numbers import Number


@pytest.mark.parametrize("phone", ["+15550100000", "+1 555 010 0000"])
async def test_a_number_of_ours_is_no_users(api: Contract, phone: str) -> None:
    async with api.rt.db.tx() as tx:
        await learn(tx, api.rt, PHONE_NUMBER_ID, Number(display_number="+1 555-010-0000"))
    told = assert_problem(await api.call("PUT", "/people/dora", json={"phone": phone}), 422, "input_invalid")
    assert told["detail"] == "phone: is a number that this service sends from; give the user's own"
    assert_problem(await api.call("GET", "/people/dora"), 404, "not_found")
