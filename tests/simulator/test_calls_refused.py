"""A call that is refused changes nothing, even when half of it was fine (cloud-api.md 5.1)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.accounts import Override
from sayso.simulator.world.media import store
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

NUMBER = "/v25.0/100000000000001"
WABA = "/v25.0/200000000000001"


@pytest.mark.parametrize(
    ("path", "given"),
    [
        (NUMBER, {"webhook_configuration": {"override_callback_uri": ""}, "pin": "12"}),
        (NUMBER, {"webhook_configuration": {"override_callback_uri": "http://["}, "pin": "123456"}),
        (WABA, {"is_enabled_for_insights": True, "disable_marketing_messages_on_cloud_api": "maybe"}),
        (WABA, {"is_enabled_for_insights": False, "disable_marketing_messages_on_cloud_api": True}),
        (f"{NUMBER}/settings", {"calling": {"status": "ENABLED"}, "storage_configuration": {"status": "x"}}),
        (
            f"{NUMBER}/whatsapp_business_profile",
            {"messaging_product": "whatsapp", "address": "here", "email": "x"},
        ),
    ],
)
async def test_half_a_change_is_none(
    graph: "Graph", sim: Simulator, path: str, given: dict[str, Any]
) -> None:
    accounts = sim.parts.world.accounts
    sim.parts.world.number.override = Override("https://example.org/hook", "secret")
    before = repr((accounts.numbers, accounts.wabas))
    assert (await graph.call("POST", path, json=given)).status == 400
    assert repr((accounts.numbers, accounts.wabas)) == before


@pytest.mark.parametrize("asked_before", [False, True])
async def test_media_whose_time_is_over_fail_late_whoever_looked_at_them(
    graph: "Graph", sim: Simulator, receiver: "Receiver", asked_before: bool
) -> None:
    world = sim.parts.world
    media = store(world, world.number, "image/jpeg", b"\xff\xd8\xff").id
    await sim.inbound(ANA, text="hi")
    sim.advance(31 * 24 * 3600)
    if asked_before:
        assert (await graph.call("GET", f"/v25.0/{media}")).code == 33
    wamid = (await graph.send(to=ANA, type="image", image={"id": media})).wamid
    (error,) = (await receiver.status(wamid, "failed"))["errors"]
    assert error["code"] == 131053
