"""Whom a message can still reach when it gets there, and what a person can do with one (cloud-api.md 4.8, 5.3)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.phone.deeds import PhoneError
from simulator.known import ANA, HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


@pytest.mark.parametrize("how", ["blocks", "leaves"])
async def test_who_blocks_or_leaves_while_it_is_on_its_way_is_not_reached(
    sim: Simulator, graph: "Graph", receiver: "Receiver", how: str
) -> None:
    ana = sim.person(ANA)
    await ana.turns_phone_off()
    wamid = (await graph.send(**HELLO)).wamid
    await receiver.status(wamid, "sent")
    await (ana.blocks() if how == "blocks" else ana.changes(on_whatsapp=False))
    await ana.turns_phone_on()
    failed = await receiver.status(wamid, "failed")
    await sim.settled()
    assert failed["errors"][0]["code"] == 131026
    assert "pricing" not in failed
    assert {each["status"] for each in receiver.statuses(wamid)} == {"sent", "failed"}


DEEDS: dict[str, dict[str, Any]] = {
    "quotes": {"text": "which one?", "quote": "WAMID"},
    "reacts": {"react": {"message_id": "WAMID", "emoji": "👍"}},
    "taps": {"tap": {"message_id": "WAMID", "button": 0}},
}


@pytest.mark.usefixtures("frozen_clock")
@pytest.mark.parametrize("deed", DEEDS)
async def test_what_somebody_acts_on_has_reached_them(
    sim: Simulator, graph: "Graph", receiver: "Receiver", deed: str
) -> None:
    await sim.inbound(ANA, text="hi")
    wamid = await asked(graph)
    await sim.inbound(ANA, **meant(DEEDS[deed], wamid))
    assert sim.messages()[0]["status"] == "read"
    assert len(sim.webhooks(message_id=wamid)) == 3, "sent, delivered and read, each once"
    sim.advance(1)
    await sim.settled()
    assert len(receiver.statuses(wamid)) == 3


@pytest.mark.usefixtures("frozen_clock")
@pytest.mark.parametrize("deed", DEEDS)
async def test_nobody_acts_on_what_never_reaches_them(sim: Simulator, graph: "Graph", deed: str) -> None:
    wamid = await asked(graph)
    with pytest.raises(PhoneError, match="it never reaches"):
        await sim.inbound(ANA, **meant(DEEDS[deed], wamid))
    sim.advance(1)
    await sim.settled()
    assert [each["status"] for each in sim.messages()] == ["failed"]


async def asked(graph: "Graph") -> str:
    """Send a question with one button; outside the window it is accepted and fails later."""
    action = {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}
    interactive = {"type": "button", "body": {"text": "Shall I?"}, "action": action}
    return (await graph.send(type="interactive", interactive=interactive)).wamid


def meant(deed: dict[str, Any], wamid: str) -> dict[str, Any]:
    """Put the message meant into a deed."""
    return {
        key: wamid
        if value == "WAMID"
        else {**value, "message_id": wamid}
        if isinstance(value, dict)
        else value
        for key, value in deed.items()
    }
