"""Statuses otherwise than usual: left out, out of order, twice, none; phones off; voice notes (4.9, 9)."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.rules.lifetime import lifetime_s
from sayso.simulator.world.templates import Template
from simulator.known import ANA, BEN, DAY, HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


async def told(sim: Simulator, receiver: "Receiver", wamid: str) -> list[str]:
    """Come to rest; the statuses told of a message, in the order of their making."""
    await sim.settled()
    return [
        status["status"]
        for hook in sim.webhooks(kind="status")
        for status in _statuses(hook)
        if status["id"] == wamid
    ]


def _statuses(hook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(hook["body"])["entry"][0]["changes"][0]["value"]["statuses"]
    return found


COURSES = {
    "usual": ["sent", "delivered", "read"],
    "no_delivered": ["sent", "read"],
    "read_first": ["sent", "read", "delivered"],
    "twice": ["sent", "sent", "delivered", "delivered", "read", "read"],
    "silent": [],
}


@pytest.mark.parametrize(
    ("config", "statuses"),
    [({"course": course}, statuses) for course, statuses in COURSES.items()],
    indirect=["config"],
)
async def test_every_course(
    sim: Simulator, graph: "Graph", receiver: "Receiver", statuses: list[str]
) -> None:
    wamid = (await graph.send(**HELLO)).wamid
    assert await told(sim, receiver, wamid) == statuses
    (message,) = sim.messages()
    assert message["status"] == ("read" if statuses else "accepted")
    with_pricing = {each["status"] for each in receiver.statuses(wamid) if "pricing" in each}
    assert with_pricing == set(list(dict.fromkeys(statuses))[:2]), "`sent`, and what came first of the others"


@pytest.mark.parametrize("config", [{"course": "silent"}], indirect=True)
async def test_silence_ends_without_a_webhook(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    wamid = (await graph.send(**HELLO)).wamid
    sim.advance(30 * DAY - 60)
    assert [each["status"] for each in sim.messages()] == ["accepted"]
    sim.advance(60)
    assert [each["status"] for each in sim.messages()] == ["dropped"]
    assert await told(sim, receiver, wamid) == []


async def test_without_read_receipts_there_is_no_read(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    sim.parts.world.people[ANA[1:]].read_receipts = False
    wamid = (await graph.send(**HELLO)).wamid
    assert await told(sim, receiver, wamid) == ["sent", "delivered"]
    await sim.inbound(ANA, text="I saw it")
    assert await told(sim, receiver, wamid) == ["sent", "delivered"]


@pytest.mark.parametrize("config", [{"course": "no_delivered"}], indirect=True)
async def test_nor_by_any_course(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    sim.parts.world.people[ANA[1:]].read_receipts = False
    wamid = (await graph.send(**HELLO)).wamid
    assert await told(sim, receiver, wamid) == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("showing", "statuses"),
    [([ANA], ["sent", "read"]), ([BEN], ["sent", "delivered"]), (None, ["sent", "delivered", "read"])],
)
async def test_an_open_chat_is_read_without_having_been_delivered(
    sim: Simulator, graph: "Graph", receiver: "Receiver", showing: list[str] | None, statuses: list[str]
) -> None:
    page = sim.live.open()
    page.showing = None if showing is None else frozenset(phone[1:] for phone in showing)
    wamid = (await graph.send(**HELLO)).wamid
    assert await told(sim, receiver, wamid) == statuses


async def test_a_phone_that_is_off_gets_it_when_it_is_on(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    ana = sim.parts.world.people[ANA[1:]]
    sim.journey.phone_off(ana)
    wamid = (await graph.send(**HELLO)).wamid
    assert await told(sim, receiver, wamid) == ["sent"]
    sim.advance(29 * DAY)
    assert await told(sim, receiver, wamid) == ["sent"]
    sim.journey.phone_on(ana)
    assert await told(sim, receiver, wamid) == ["sent", "delivered", "read"]


async def test_it_follows_a_person_to_another_number(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    ana = sim.parts.world.people[ANA[1:]]
    sim.journey.phone_off(ana)
    wamid = (await graph.send(**HELLO)).wamid
    await receiver.status(wamid, "sent")
    sim.parts.world.move(ana, "15550007777")
    sim.journey.phone_on(ana)
    delivered = await receiver.status(wamid, "delivered")
    assert delivered["recipient_id"] == "15550007777"


async def test_or_never_when_its_time_is_over(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    ana = sim.parts.world.people[ANA[1:]]
    hello = next(each for each in sim.parts.world.templates.values() if each.name == "hello_world")
    hello.message_send_ttl_seconds = 60
    sim.journey.phone_off(ana)
    wamid = (await graph.send(**HELLO)).wamid
    sim.advance(61)
    sim.journey.phone_on(ana)
    assert await told(sim, receiver, wamid) == ["sent"]
    assert [each["status"] for each in sim.messages()] == ["dropped"]


async def test_messages_go_on_after_their_timers_were_set_again(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    ana = sim.parts.world.people[ANA[1:]]
    sim.journey.phone_off(ana)
    waiting = (await graph.send(**HELLO)).wamid
    await receiver.status(waiting, "sent")
    sim.clock.run(0)
    moving = (await graph.send(to=BEN, **HELLO)).wamid
    sim.journey.resume()
    sim.clock.run(1)
    assert await told(sim, receiver, moving) == ["sent", "delivered", "read"]
    sim.journey.phone_on(ana)
    assert await told(sim, receiver, waiting) == ["sent", "delivered", "read"]


@pytest.mark.parametrize(
    ("category", "own", "seconds"),
    [
        ("UTILITY", None, 30 * DAY),
        ("UTILITY", 90, 90),
        ("UTILITY", -1, 30 * DAY),
        ("AUTHENTICATION", None, 600),
        ("AUTHENTICATION", 30, 30),
        ("AUTHENTICATION", -1, 30 * DAY),
    ],
)
def test_how_long_a_message_lives(category: str, own: int | None, seconds: float) -> None:
    template = Template("1", "x", "en", category, (), message_send_ttl_seconds=own)
    assert lifetime_s(template) == seconds
    assert lifetime_s(None) == 30 * DAY


async def test_a_paced_template_s_messages_are_held_then_released_or_dropped(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    hello = next(each for each in sim.parts.world.templates.values() if each.name == "hello_world")
    hello.pacing = True
    first = await graph.send(**HELLO)
    assert first.json["messages"][0]["message_status"] == "held_for_quality_assessment"
    assert await told(sim, receiver, first.wamid) == []
    assert (sim.journey.held(hello.id), sim.messages()[0]["status"]) == (1, "held")
    sim.journey.resume()
    assert sim.journey.release_held(hello.id) == 1
    assert await told(sim, receiver, first.wamid) == ["sent", "delivered", "read"]
    second = (await graph.send(**HELLO)).wamid
    assert sim.journey.drop_held(hello.id, 132015, "Paused by pacing.") == 1
    assert await told(sim, receiver, second) == ["failed"]
    assert receiver.statuses(second)[0]["errors"][0]["code"] == 132015
    assert sim.journey.release_held(hello.id) == 0


async def test_a_reaction_is_sent_and_no_more(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    said = await sim.inbound(ANA, text="done?")
    reaction = {"message_id": said, "emoji": "👍"}
    wamid = (await graph.send(type="reaction", reaction=reaction)).wamid
    assert await told(sim, receiver, wamid) == ["sent"]
    assert sim.parts.world.messages[said].reactions == {"": "👍"}
    await graph.send(type="reaction", reaction={"message_id": said, "emoji": ""})
    await sim.settled()
    assert sim.parts.world.messages[said].reactions == {}


async def test_a_voice_note_is_played(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    await sim.inbound(ANA, text="say it")
    audio = {"link": "https://example.org/a.ogg", "voice": True}
    wamid = (await graph.send(type="audio", audio=audio)).wamid
    await receiver.status(wamid, "delivered")
    message = sim.parts.world.messages[wamid]
    sim.journey.play(message)
    assert (await told(sim, receiver, wamid))[-1] == "played"
    sim.journey.play(message)  # only the first time is told
    assert (await told(sim, receiver, wamid)).count("played") == 1
    text = (await graph.text()).wamid
    with pytest.raises(ValueError, match="no voice note"):
        sim.journey.play(sim.parts.world.messages[text])
