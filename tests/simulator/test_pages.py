"""What the pages are told and served: each thing once and soon, afresh when it is too much, media that cannot run."""

import asyncio
import json
from functools import partial
from typing import Any

import aiohttp
import pytest

from sayso.simulator import Simulator
from sayso.simulator.live import AFRESH, AT_ONCE_AT_MOST, FRAMES_BEHIND_AT_MOST, Live, Page
from sayso.simulator.world.media import Media
from simulator.conftest import Graph
from simulator.known import ANA, BEN


async def frame(page: Page) -> Any:
    """Wait for the next frame and return its list of happenings."""
    raw = await asyncio.wait_for(page.frames.get(), 10)
    assert raw is not None
    head, _, data = raw.decode().partition("\ndata: ")
    assert head == "event: happened"
    return json.loads(data)


async def test_what_happens_together_is_told_once_each_as_it_stands_then() -> None:
    live, message = Live(), {"wamid": "wamid.1", "wa_id": "1", "status": "accepted"}
    page = live.open()
    live.publish("message", lambda: dict(message))
    live.publish("person", lambda: {"wa_id": "1", "name": message["status"]})
    for status in ("sent", "delivered"):
        message["status"] = status
        live.publish("status", lambda: {"wamid": "wamid.1", "status": message["status"]})
    live.publish("person", lambda: {"wa_id": "1", "name": message["status"]})
    live.publish("faults", dict)
    live.publish("faults", dict)
    assert await frame(page) == [
        ["message", {"wamid": "wamid.1", "wa_id": "1", "status": "delivered"}],
        ["person", {"wa_id": "1", "name": "delivered"}],
        ["faults", {}],
    ]


async def test_the_desk_is_not_told_of_people_and_messages() -> None:
    live = Live()
    phones, desk = live.open(), live.open()
    desk.desk = True
    live.publish("person", lambda: {"wa_id": "1"})
    live.publish("templates", dict)
    assert await frame(phones) == [["person", {"wa_id": "1"}], ["templates", {}]]
    assert await frame(desk) == [["templates", {}]]


async def test_nothing_is_described_while_no_page_is_open() -> None:
    def never() -> dict[str, Any]:
        raise AssertionError

    live = Live()
    live.publish("message", never)
    live.close(live.open())
    live.publish("message", never)


@pytest.mark.parametrize("kind", ["flood", "reset"])
async def test_too_much_at_once_and_a_reset_make_pages_start_afresh(kind: str) -> None:
    live = Live()
    page = live.open()
    if kind == "reset":
        live.publish("reset", dict)
    for count in range(AT_ONCE_AT_MOST + 1 if kind == "flood" else 3):
        live.publish("person", partial(dict, wa_id=str(count)))
    assert await asyncio.wait_for(page.frames.get(), 10) == AFRESH
    assert page.frames.empty(), "what is told afresh is not told twice"


async def test_a_page_that_does_not_keep_up_starts_afresh() -> None:
    live = Live()
    slow, quick = live.open(), live.open()
    for _ in range(FRAMES_BEHIND_AT_MOST):
        slow.frames.put_nowait(b"one it has not taken yet")
    live.publish("person", lambda: {"wa_id": "1"})
    assert await frame(quick) == [["person", {"wa_id": "1"}]]
    assert slow.frames.get_nowait() == AFRESH
    assert slow.frames.empty()


async def test_reading_follows_the_chat_that_is_open() -> None:
    live = Live()
    page = live.open()
    page.showing, page.chats = frozenset({"1", "2"}), {"1": "900"}
    assert live.shows("1")
    assert live.shows("1", "900")
    assert not live.shows("1", "901")
    assert live.shows("2", "901"), "a page that does not say which chat shows them all"
    page.showing = None
    assert not live.shows("1")
    assert not live.someone_looks()


@pytest.mark.parametrize(
    ("mime_type", "served", "in_place"),
    [
        ("image/png", "image/png", True),
        ("audio/ogg; codecs=opus", "audio/ogg", True),
        ("text/html", "application/octet-stream", False),
        ("image/svg+xml", "application/octet-stream", False),
        ("application/pdf", "application/octet-stream", False),
    ],
)
async def test_media_is_shown_but_never_run(
    sim: Simulator, mime_type: str, served: str, in_place: bool
) -> None:
    world = sim.parts.world
    now = world.clock.now()
    number = world.number.phone_number_id
    world.media["5001"] = Media("5001", number, mime_type, b"<script>", "", now, now + 60)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{sim.base_url}/_sim/shown/5001") as answer,
        session.get(f"{sim.base_url}/_sim/shown/5002") as gone,
    ):
        assert (answer.content_type, await answer.read(), gone.status) == (served, b"<script>", 404)
        assert ("Content-Disposition" not in answer.headers) is in_place
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_one_persons_conversations(sim: Simulator, graph: Graph) -> None:
    await sim.inbound(ANA, text="one")
    await sim.inbound(BEN, text="not mine")
    await graph.text("two")
    _, told = await graph.control("GET", f"/bubbles?person={ANA[1:]}")
    assert [each["content"]["body"] for each in told["bubbles"]] == ["one", "two"]
    status, told = await graph.control("GET", "/bubbles?person=1")
    assert (status, told["error"]) == (404, "there is nobody with the number '1'")


async def test_what_is_used_up(sim: Simulator, graph: Graph) -> None:
    await sim.inbound(ANA, text="hello")
    await graph.text("a free one")
    await sim.settled()
    _, told = await graph.control("GET", "/used")
    (portfolio,), (number,) = told["portfolios"], told["numbers"]
    assert portfolio == {"id": "300000000000001", "reached": 0, "limit": None}
    assert (number["per_second"], number["free_service_used"], number["free_service"]) == (80, 1, 1_000)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"message_id": "wamid.none"}, 404, "there is no message 'wamid.none' from the business"),
        ({}, 400, "message_id"),
    ],
)
async def test_playing_what_is_not_there(
    sim: Simulator, graph: Graph, body: dict[str, str], status: int, words: str
) -> None:
    answered, told = await graph.control("POST", "/played", body)
    assert answered == status
    assert words in told["error"]


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/desks", "/phones/", "/a/<b>", "/index.html"])
async def test_a_browser_that_is_lost_is_told_which_pages_there_are(graph: Graph, path: str) -> None:
    async with graph.session.get(graph.base_url + path, headers=BROWSER) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        shown = await answer.text()
    assert 'href="/"' in shown
    assert 'href="/desk"' in shown
    assert "<b>" not in shown


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/desks", {}),
        ("/desks", {**BROWSER, "Authorization": "Bearer x"}),
        ("/desks?access_token=x", BROWSER),
        ("/v25.0/desks", BROWSER),
        ("/100000000000001", BROWSER),
        ("/12345", BROWSER),
        ("/debug_token", BROWSER),
    ],
)
async def test_calls_of_the_api_are_answered_by_the_api(
    graph: Graph, path: str, headers: dict[str, str]
) -> None:
    async with graph.session.get(graph.base_url + path, headers=headers) as answer:
        assert answer.content_type == "application/json"
        assert (await answer.json())["error"]["code"] in (104, 190)
    async with graph.session.post(graph.base_url + "/desks", headers=BROWSER) as answer:
        assert answer.content_type == "application/json"
