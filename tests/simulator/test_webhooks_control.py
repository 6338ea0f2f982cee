"""The log of webhooks over the control API: filters, replays, telling anything (docs/simulator-control.md)."""

import asyncio
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.accounts import BusinessNumber, Waba
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


async def found(graph: "Graph", query: str = "") -> list[dict[str, Any]]:
    status, answer = await graph.control("GET", f"/webhooks{query}")
    assert status == 200, answer
    rows: list[dict[str, Any]] = answer["webhooks"]
    return rows


async def test_filters(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    one = await sim.inbound(ANA, text="one")
    two = await sim.inbound(BEN, text="two")
    wamid = (await graph.text()).wamid
    await sim.settled()
    ids = [each["id"] for each in await found(graph)]
    assert ids == sorted(ids)
    assert len(ids) == 5
    assert [each["updates"][0]["message_id"] for each in await found(graph, "?kind=inbound")] == [one, two]
    assert len(await found(graph, "?kind=status")) == 3
    assert len(await found(graph, f"?message_id={wamid}")) == 3
    assert await found(graph, "?kind=account") == []
    assert len(await found(graph, f"?app_id={sim.config.app_id}&field=messages&state=delivered")) == 5
    assert await found(graph, "?field=security") == []
    assert [each["id"] for each in await found(graph, "?limit=2")] == ids[-2:], "the newest"
    assert [each["id"] for each in await found(graph, f"?after={ids[0]}&limit=2")] == ids[1:3], "the next"
    assert [each["id"] for each in await found(graph, f"?after={ids[-1]}")] == []
    assert "body" in (await found(graph))[0]
    assert "body" not in (await found(graph, "?bodies=false"))[0]


async def test_waiting_for_one(sim: Simulator, graph: "Graph") -> None:
    waiting = asyncio.create_task(found(graph, "?kind=inbound&state=delivered&wait_s=10"))
    wamid = await sim.inbound(ANA, text="hi")
    assert [each["updates"][0]["message_id"] for each in await waiting] == [wamid]
    assert await found(graph, "?state=expired&wait_s=0") == []


MISTYPED: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("GET", "/webhooks?staat=held", None, ("`staat`", "`state`")),
    ("GET", "/webhooks?state=bogus", None, ("`state`", "bogus", "`expired`")),
    ("GET", "/webhooks?state=delivred", None, ("did you mean `delivered`?",)),
    ("GET", "/webhooks?kind=statuses", None, ("did you mean `status`?",)),
    ("GET", "/webhooks?field=message", None, ("did you mean `messages`?",)),
    ("GET", "/webhooks?app_id=1", None, ("`app_id`",)),
    ("GET", "/webhooks?limit=few", None, ("`limit`",)),
    ("GET", "/webhooks?bodies=no", None, ("`bodies`",)),
    ("GET", "/webhooks/one", None, ("'one'",)),
    ("POST", "/webhooks/1/redeliver", {"copys": 2}, ("`copys`", "`copies`")),
    ("POST", "/webhooks/1/redeliver", {"copies": 0}, ("`copies`", "at least 1")),
    ("POST", "/webhooks/redeliver", {"order": "random"}, ("`order`", "`shuffled`")),
    ("POST", "/webhooks/redeliver", {"field": "message"}, ("`field`", "did you mean `messages`?")),
    ("POST", "/webhooks/redeliver", {"app_id": "1"}, ("`app_id`", '"1"')),
    ("POST", "/webhooks/retry", {"now": True}, ("`now`",)),
    ("POST", "/webhooks", {"value": {}}, ("`field` is missing",)),
]


@pytest.mark.parametrize(("method", "path", "body", "named"), MISTYPED)
async def test_what_is_mistyped_is_named(
    graph: "Graph", method: str, path: str, body: Any, named: tuple[str, ...]
) -> None:
    status, answer = await graph.control(method, path, body)
    assert status == 400, answer
    assert all(each in answer["error"] for each in named), answer["error"]


async def test_one_webhook_whole_with_its_curl(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    await sim.inbound(ANA, text="it's \N{THUMBS UP SIGN}")
    await sim.settled()
    (logged,) = sim.webhooks()
    status, whole = await graph.control("GET", f"/webhooks/{logged['id']}")
    assert status == 200
    assert {key: whole[key] for key in logged} == logged
    words = shlex.split(whole["curl"])
    assert words[:4] == ["curl", "-X", "POST", receiver.url]
    assert words[-2:] == ["--data-raw", receiver.hooks[0].raw.decode()]
    assert f"X-Hub-Signature-256: {receiver.hooks[0].signature}" in words
    assert (await graph.control("GET", "/webhooks/4040"))[0] == 404


@pytest.mark.parametrize(
    ("order", "places"), [("log", [0, 1, 2, 3]), ("reversed", [3, 2, 1, 0]), ("shuffled", None)]
)
async def test_a_replay_in_order(
    sim: Simulator, graph: "Graph", receiver: "Receiver", order: str, places: list[int] | None
) -> None:
    wamids = [await sim.inbound(ANA, text=f"{place}") for place in range(4)]
    await graph.text()
    await sim.settled()
    receiver.hooks.clear()
    body = {"kind": "inbound", "order": order, "seed": 2}
    status, answer = await graph.control("POST", "/webhooks/redeliver", body)
    assert status == 200
    assert [each["status_codes"] for each in answer["redelivered"]] == [[200]] * 4
    came = [each["id"] for each in receiver.inbound()]
    assert sorted(came) == sorted(wamids)
    assert places is None or came == [wamids[place] for place in places]


async def test_a_replay_tells_what_came_back(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    await sim.inbound(ANA, text="hi")
    await sim.settled()
    receiver.script = [503]
    (_, answer) = await graph.control("POST", "/webhooks/redeliver", {"state": "delivered", "copies": 2})
    assert sorted(answer["redelivered"][0]["status_codes"]) == [200, 503]


TELLINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"field": "security", "value": {"event": "PIN_CHANGED"}},
        {"id": "200000000000001", "changes": [{"field": "security", "value": {"event": "PIN_CHANGED"}}]},
    ),
    (
        {"field": "account_alerts", "value": {}, "waba_id": "200000000000002"},
        {"id": "200000000000002", "changes": [{"field": "account_alerts", "value": {}}]},
    ),
    (
        {"field": "messages", "value": {"errors": [{"code": 131000}]}, "phone_number_id": "100000000000002"},
        {
            "id": "200000000000002",
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "messaging_product": "whatsapp",
                        "metadata": {
                            "display_phone_number": "15550100002",
                            "phone_number_id": "100000000000002",
                        },
                        "errors": [{"code": 131000}],
                    },
                }
            ],
        },
    ),
]


@pytest.mark.parametrize(("told", "entry"), TELLINGS)
async def test_telling_anything_on_demand(
    sim: Simulator, graph: "Graph", receiver: "Receiver", told: dict[str, Any], entry: dict[str, Any]
) -> None:
    world = sim.world
    waba = world.add_waba(Waba("200000000000002", "300000000000001"))
    waba.subscribed = {sim.config.app_id: None}
    world.accounts.numbers["100000000000002"] = BusinessNumber(
        "100000000000002", waba.id, "15550100002", "Other"
    )
    status, answer = await graph.control("POST", "/webhooks", told)
    assert (status, len(answer["webhooks"])) == (200, 1)
    (hook,) = await receiver.until(lambda hooks: len(hooks) == 1)
    (came,) = hook.payload["entry"]
    assert isinstance(came.pop("time", None), int) == (told["field"] != "messages")
    assert came == entry


async def test_telling_of_what_is_not_there(graph: "Graph") -> None:
    for place in ({"waba_id": "2"}, {"phone_number_id": "1"}):
        assert (await graph.control("POST", "/webhooks", {"field": "security", "value": {}, **place}))[
            0
        ] == 404
    unheard = {"field": "calls", "value": {}}
    assert await graph.control("POST", "/webhooks", unheard) == (200, {"webhooks": []}), "nobody subscribed"
    status, answer = await graph.control("POST", "/webhooks", {"field": "mesages", "value": {}})
    assert (status, "did you mean `messages`?" in answer["error"]) == (400, True)


MISSHAPEN: list[tuple[dict[str, Any], str]] = [
    ({"statuses": {}}, "`value.statuses`"),
    ({"messages": "x"}, "`value.messages`"),
    ({"statuses": [1]}, "`value.statuses[0]`"),
    ({"contacts": None}, "`value.contacts`"),
    ({"statuses": [{"id": {}}]}, "`value.statuses[0].id`"),
    ({"statuses": [{"id": "a", "status": 1}]}, "`value.statuses[0].status`"),
    ({"messages": [{"id": "a"}, {"type": []}]}, "`value.messages[1].type`"),
    ({"contacts": [{"wa_id": {}}]}, "`value.contacts[0].wa_id`"),
]


@pytest.mark.parametrize(("value", "named"), MISSHAPEN)
async def test_telling_what_has_not_the_shape_of_messages(
    graph: "Graph", value: dict[str, Any], named: str
) -> None:
    status, answer = await graph.control("POST", "/webhooks", {"field": "messages", "value": value})
    assert (status, named in answer["error"]) == (400, True), answer
    assert (await graph.control("GET", "/webhooks"))[1]["webhooks"] == []


async def test_telling_what_nobody_knows_of_messages(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    value = {"statuses": [{"status": "evaporated", "more": [1]}], "errors": [{"code": 1}], "calls": None}
    assert (await graph.control("POST", "/webhooks", {"field": "messages", "value": value}))[0] == 200
    await sim.settled()
    assert value.items() <= receiver.hooks[-1].value.items()
