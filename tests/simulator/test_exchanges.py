"""The log of Graph calls: what was called, answered, struck, and told afterwards (docs/simulator-control.md)."""

import asyncio
import dataclasses
import itertools
import shlex
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import RefuseWithError
from sayso.simulator.graph.exchanges import BODY_AT_MOST, shortened
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph

MESSAGES = "/v25.0/100000000000001/messages"
TEMPLATES = "/v25.0/200000000000001/message_templates"


async def listed(graph: "Graph", query: str = "") -> list[dict[str, Any]]:
    status, answer = await graph.control("GET", f"/exchanges{query}")
    assert status == 200, answer
    rows: list[dict[str, Any]] = answer["exchanges"]
    return rows


async def whole(graph: "Graph", number: int) -> dict[str, Any]:
    status, answer = await graph.control("GET", f"/exchanges/{number}")
    assert status == 200, answer
    return answer


async def test_a_send_and_the_webhooks_that_followed(sim: Simulator, graph: "Graph") -> None:
    await sim.inbound(ANA, text="hi")
    wamid = (await graph.text("it's me")).wamid
    await sim.settled()
    (row,) = await listed(graph)
    took_ms, at = row.pop("took_ms"), row.pop("at")
    assert took_ms > 0
    assert at <= sim.clock.now()
    assert row == {
        "id": 1,
        "method": "POST",
        "path": MESSAGES,
        "version": "v25.0",
        "route": "messages",
        "status": 200,
        "error_code": None,
        "fault": None,
        "wamid": wamid,
        "open": False,
        "no_answer": None,
        "about": {
            "type": "text",
            "phone": ANA,
            "name": "Ana Quiroga",
            "words": "it's me",
            "status": "read",
            "error_code": None,
        },
    }
    found = await whole(graph, 1)
    assert found["request"]["headers"]["Authorization"] == "Bearer sim-to…"
    assert '"it\'s me"' in found["request"]["body"]
    assert found["request"]["size"] == len(found["request"]["body"])
    assert wamid in found["answer"]["body"]
    assert found["answer"]["headers"]["facebook-api-version"] == "v25.0"
    told = [each["updates"][0]["status"] for each in found["webhooks"]]
    assert sorted(told) == ["delivered", "read", "sent"]
    assert "body" not in found["webhooks"][0]


async def test_the_curl_of_a_call_does_the_same_again(sim: Simulator, graph: "Graph") -> None:
    await graph.text("it's 5 o'clock")
    words = shlex.split((await whole(graph, 1))["curl"])
    assert words[:4] == ["curl", "-X", "POST", graph.base_url + MESSAGES]
    assert "Authorization: Bearer sim-token" in words
    headers = dict(word.split(": ", 1) for flag, word in itertools.pairwise(words) if flag == "-H")
    answer = await graph.call("POST", MESSAGES, headers=headers, data=words[words.index("--data-raw") + 1])
    assert answer.status == 200
    first, second = sim.messages()
    assert first["text"] == second["text"]


async def test_what_was_refused(graph: "Graph") -> None:
    assert (await graph.text("x" * 5000)).code == 100
    assert (await graph.call("POST", MESSAGES, headers={}, json={})).status == 401
    assert (await graph.call("GET", "/v25.0/nothing/here")).status == 400
    rows = await listed(graph)
    assert (rows[0]["status"], rows[0]["error_code"]) == (400, 100)
    assert rows[1]["status"] == 401
    assert rows[1]["route"] == "messages", "known before anybody looks at the token"
    assert rows[2]["route"] is None
    assert (await whole(graph, 2))["request"]["body"] == "{}"


async def test_the_fault_that_struck(sim: Simulator, graph: "Graph") -> None:
    ident = sim.arm(RefuseWithError(code=131016))
    await graph.text()
    (row,) = await listed(graph)
    assert row["fault"] == {"id": ident, "kind": "error"}
    assert (row["status"], row["error_code"], row["wamid"]) == (500, 131016, None)


ABOUT_NOTHING = {"phone": None, "name": None, "words": "", "status": None, "error_code": None}
ABOUT = [
    (
        {"to": ANA, "type": "text", "text": {"body": "x" * 5000}},
        {"phone": ANA, "name": "Ana Quiroga", "words": "x" * 80},
    ),
    ({"to": "+15559998888", "type": "image"}, {"type": "image", "phone": "+15559998888"}),
    ({"to": 7, "type": [], "text": "so"}, {}),
    ({"status": "read", "message_id": "wamid.none"}, {"type": "read receipt"}),
    ({"status": "read", "message_id": 7, "typing_indicator": {}}, {"type": "typing indicator"}),
]


@pytest.mark.parametrize(("body", "told"), ABOUT)
async def test_what_a_refused_send_was_about(
    graph: "Graph", body: dict[str, Any], told: dict[str, Any]
) -> None:
    await graph.call("POST", MESSAGES, json={"messaging_product": "whatsapp", **body})
    (row,) = await listed(graph)
    assert row["status"] == 400
    assert row["about"] == {"type": "text", **ABOUT_NOTHING, **told}


async def test_what_failed_later_says_so(sim: Simulator, graph: "Graph") -> None:
    await graph.text("  nobody wrote\nbefore ")
    await sim.settled()
    (row,) = await listed(graph)
    assert row["status"] == 200
    assert (row["about"]["status"], row["about"]["error_code"]) == ("failed", 131047)
    assert row["about"]["words"] == "nobody wrote before"
    (webhook,) = (await graph.control("GET", "/webhooks?bodies=false"))[1]["webhooks"]
    assert (webhook["about"]["phone"], webhook["about"]["name"]) == (ANA, "Ana Quiroga")
    assert (await whole(graph, 1))["about"] == row["about"]


async def test_calls_that_are_about_no_message(graph: "Graph") -> None:
    await graph.call("GET", TEMPLATES)
    await graph.call("POST", MESSAGES, headers={"Authorization": "Bearer sim-token"}, data="{")
    assert [each["about"] for each in await listed(graph)] == [None, None]


async def test_a_token_in_the_query_is_shortened_too(graph: "Graph") -> None:
    await graph.call("GET", f"{TEMPLATES}?limit=1&access_token=sim-token", headers={})
    (row,) = await listed(graph)
    assert row["path"] == f"{TEMPLATES}?limit=1&access_token=sim-to…"
    assert "access_token=sim-token" in (await whole(graph, 1))["curl"]


@pytest.mark.parametrize(
    ("token", "shown"), [("", ""), ("abcdef", "abcdef"), ("abcdefg", "abcdef…"), ("EAAG" * 50, "EAAGEA…")]
)
def test_a_token_is_shortened(token: str, shown: str) -> None:
    assert shortened(token) == shown


async def test_filters_and_pages(graph: "Graph") -> None:
    for _ in range(3):
        await graph.text()
    await graph.call("GET", TEMPLATES)
    await graph.text("")
    assert [each["id"] for each in await listed(graph)] == [1, 2, 3, 4, 5]
    assert [each["id"] for each in await listed(graph, "?route=messages")] == [1, 2, 3, 5]
    assert [each["id"] for each in await listed(graph, "?status=400")] == [5]
    assert [each["id"] for each in await listed(graph, "?status=2xx")] == [1, 2, 3, 4]
    assert await listed(graph, "?status=none") == []
    assert [each["id"] for each in await listed(graph, "?limit=2")] == [4, 5]
    assert [each["id"] for each in await listed(graph, "?after=1&limit=2")] == [2, 3]


async def test_waiting_for_one(graph: "Graph") -> None:
    waiting = asyncio.create_task(listed(graph, "?status=4xx&wait_s=10"))
    await graph.text()
    await graph.text("")
    assert [each["id"] for each in await waiting] == [2]


MISTYPED = [
    ("?rout=messages", ("`rout`", "did you mean `route`?")),
    ("?route=mesages", ("did you mean `messages`?",)),
    ("?status=ok", ("`status`", "4xx")),
    ("?status=700", ("`status`",)),
    ("?after=x", ("`after`",)),
    ("/first", ("'first'",)),
]


@pytest.mark.parametrize(("query", "named"), MISTYPED)
async def test_what_is_mistyped_is_named(graph: "Graph", query: str, named: tuple[str, ...]) -> None:
    status, answer = await graph.control("GET", f"/exchanges{query}")
    assert status == 400
    assert all(each in answer["error"] for each in named), answer["error"]


async def test_an_upload_is_told_by_its_parts(graph: "Graph") -> None:
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": "text/plain"})
    form.add_field("file", b"hello", filename="note.txt", content_type="text/plain")
    answer = await graph.call("POST", "/v25.0/100000000000001/media", data=form)
    assert answer.status == 200, answer.json
    found = await whole(graph, 1)
    assert found["request"]["body"] is None
    parts = {each["name"]: each for each in found["request"]["parts"]}
    assert parts["file"] == {
        "name": "file",
        "filename": "note.txt",
        "content_type": "text/plain",
        "size": 5,
    }
    assert parts["messaging_product"]["value"] == "whatsapp"
    words = shlex.split(found["curl"])
    assert {"file=@note.txt;type=text/plain", "messaging_product=whatsapp"} <= set(words)
    assert not any(word.startswith("Content-Type") for word in words)


async def test_long_bodies_are_kept_in_part(graph: "Graph") -> None:
    await graph.text("x" * (BODY_AT_MOST + 1_000))
    found = await whole(graph, 1)
    assert len(found["request"]["body"]) == BODY_AT_MOST < found["request"]["size"]


async def test_only_the_last_are_kept(config: SimulatorConfig) -> None:
    async with (
        Simulator(dataclasses.replace(config, keep_exchanges=3)) as sim,
        aiohttp.ClientSession() as session,
    ):
        for _ in range(5):
            async with session.get(f"{sim.base_url}/v25.0/nothing"):
                pass
        assert [each["id"] for each in sim.exchanges()] == [3, 4, 5]
        await sim.reset()
        assert sim.exchanges() == []
