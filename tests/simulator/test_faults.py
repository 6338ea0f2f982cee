"""What faults do to calls: each effect, before and after accepting, on every route (cloud-api.md 9)."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import uvloop

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import (
    CutAnswer,
    Delay,
    DropAfter,
    DropBefore,
    FailLate,
    Hang,
    RefuseWithError,
)
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

MESSAGES = "/v25.0/100000000000001/messages"
TEXT = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "hello"}}


async def raw(graph: "Graph") -> tuple[int, dict[str, str], bytes]:
    """Send a text and take the answer as it is."""
    headers = {"Authorization": f"Bearer {graph.token}"}
    async with graph.session.post(graph.base_url + MESSAGES, json=TEXT, headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.read()


async def arm(graph: "Graph", **fault: Any) -> int:
    status, answer = await graph.control("POST", "/faults", fault)
    assert status == 200, answer
    ident: int = answer["id"]
    return ident


def is_page(said: str) -> Any:
    return lambda _, headers, body: headers["Content-Type"].startswith("text/html") and said.encode() in body


#: What is armed, the status answered, whether the message was accepted, what else is so of (status, headers, body).
ANSWERS: dict[str, tuple[dict[str, Any], int, bool, Any]] = {
    "error": (
        {"kind": "error", "code": 131016, "details": "Down."},
        500,
        False,
        lambda _, __, body: json.loads(body)["error"]["error_data"]["details"] == "Down.",
    ),
    "error with status and subcode": (
        {"kind": "error", "code": 190, "subcode": 463, "http_status": 418},
        418,
        False,
        lambda _, __, body: json.loads(body)["error"]["error_subcode"] == 463,
    ),
    "error with Retry-After": (
        {"kind": "error", "code": 130429, "retry_after_s": 7},
        429,
        False,
        lambda _, headers, __: headers["Retry-After"] == "7",
    ),
    "error that nobody knows": (
        {"kind": "error", "code": 999999},
        400,
        False,
        lambda _, __, body: json.loads(body)["error"]["code"] == 999999,
    ),
    "error after accepting": ({"kind": "error", "code": 131000, "after_accept": True}, 500, True, None),
    "http": ({"kind": "http"}, 502, False, is_page("502 Bad Gateway")),
    "http of a name": ({"kind": "http", "http_status": 503}, 503, False, is_page("503 Service Unavailable")),
    "http without a name": ({"kind": "http", "http_status": 599}, 599, False, is_page("599")),
    "http with a body": (
        {"kind": "http", "body": "slow down", "content_type": "text/plain", "retry_after_s": 0},
        502,
        False,
        lambda _, headers, body: (body, headers["Retry-After"]) == (b"slow down", "0"),
    ),
    "http after accepting": ({"kind": "http", "http_status": 504, "after_accept": True}, 504, True, None),
    "garbage": (
        {"kind": "garbage", "seed": 1},
        200,
        True,
        lambda _, headers, body: headers["Content-Type"] == "application/json" and b"\x00" in body,
    ),
    "garbage without accepting": ({"kind": "garbage", "after_accept": False}, 200, False, None),
    "truncate": (
        {"kind": "truncate"},
        200,
        True,
        lambda _, headers, body: body.startswith(b'{"') and int(headers["Content-Length"]) == len(body) < 100,
    ),
    "empty": ({"kind": "empty"}, 200, True, lambda _, __, body: body == b""),
    "empty without accepting": ({"kind": "empty", "after_accept": False}, 200, False, None),
    "delay": ({"kind": "delay", "delay_s": 0.001}, 200, True, None),
    "delay after accepting": ({"kind": "delay", "delay_s": 0.001, "after_accept": True}, 200, True, None),
}


@pytest.mark.parametrize(("fault", "status", "accepted", "so"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_the_answer(
    sim: Simulator, graph: "Graph", fault: dict[str, Any], status: int, accepted: bool, so: Any
) -> None:
    await arm(graph, **fault)
    answer = await raw(graph)
    assert answer[0] == status
    assert answer[1]["facebook-api-version"] == "v25.0"
    assert len(sim.messages()) == accepted
    assert so is None or so(*answer), answer
    assert (await raw(graph))[0] == 200, "the next one is as always"
    assert sim.faults()["armed"] == []


@pytest.mark.parametrize(
    ("kind", "accepted", "begun"),
    [("drop_before", 0, False), ("drop_after", 1, False), ("cut_answer", 1, True)],
)
async def test_the_connection_is_cut(
    sim: Simulator, graph: "Graph", receiver: "Receiver", kind: str, accepted: int, begun: bool
) -> None:
    await arm(graph, kind=kind)
    with pytest.raises(aiohttp.ClientPayloadError if begun else aiohttp.ServerDisconnectedError):
        await raw(graph)
    assert len(sim.messages()) == accepted
    await sim.settled()
    assert bool(receiver.statuses()) == bool(accepted)
    (exchange,) = sim.exchanges()
    assert (exchange["status"], exchange["fault"]["kind"], bool(exchange["no_answer"])) == (None, kind, True)


def test_the_connection_is_cut_on_the_loop_of_the_command_too() -> None:
    """``sayso simulator`` runs on uvloop, whose transports are no subclasses of asyncio's."""

    async def meet(session: aiohttp.ClientSession, sim: Simulator) -> str:
        headers = {"Authorization": "Bearer sim-token"}
        try:
            async with session.post(sim.base_url + MESSAGES, json=TEXT, headers=headers) as answer:
                return (await answer.read()).decode()
        except aiohttp.ClientError as problem:
            return type(problem).__name__

    async def run() -> list[str]:
        config = SimulatorConfig(port=0, webhook_url="http://127.0.0.1:1/hook", verify_at_start=False)
        async with Simulator(config) as sim, aiohttp.ClientSession() as session:
            met = []
            for fault in (DropBefore(), DropAfter(), CutAnswer()):
                sim.arm(fault)
                met.append(await meet(session, sim))
            assert len(sim.messages()) == 2
            return met

    assert uvloop.run(run()) == ["ServerDisconnectedError", "ServerDisconnectedError", "ClientPayloadError"]


@pytest.mark.parametrize("accepted", [False, True])
async def test_an_answer_that_never_comes(sim: Simulator, graph: "Graph", accepted: bool) -> None:
    await arm(graph, kind="hang", after_accept=accepted)
    hanging = asyncio.create_task(raw(graph))
    assert await sim.live.until(lambda: sim.exchanges() or None, 10)
    await sim.live.until(lambda: len(sim.messages()) == accepted or None, 10)
    assert not hanging.done()
    (under_way,) = sim.exchanges()
    assert (under_way["open"], under_way["route"], under_way["fault"]["kind"]) == (True, "messages", "hang")
    sim.clear_faults()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await hanging
    assert len(sim.messages()) == accepted


async def test_hanging_ends_with_the_simulator(config: SimulatorConfig) -> None:
    async with aiohttp.ClientSession() as session:
        async with Simulator(config) as sim:
            sim.arm(Hang(on="*"))
            url, headers = sim.base_url + MESSAGES, {"Authorization": "Bearer sim-token"}
            hanging = asyncio.create_task(session.post(url, json=TEXT, headers=headers))
            assert await sim.live.until(lambda: sim.exchanges() or None, 10)
        with pytest.raises(aiohttp.ClientError):
            await hanging


async def test_hanging_ends_when_the_caller_gives_up(sim: Simulator, graph: "Graph") -> None:
    await arm(graph, kind="hang")
    hanging = asyncio.create_task(raw(graph))
    assert await sim.live.until(lambda: sim.exchanges() or None, 10)
    hanging.cancel()
    assert await sim.live.until(lambda: sim.exchanges()[0]["no_answer"], 10) == "never answered"


@pytest.mark.parametrize(("after", "told"), [(None, ["failed"]), ("sent", ["sent", "failed"])])
async def test_late_failure(
    sim: Simulator, graph: "Graph", receiver: "Receiver", after: str | None, told: list[str]
) -> None:
    await sim.inbound(ANA, text="hi")
    fault = {"kind": "fail_late", "code": 131026, "details": "Not there."}
    await arm(graph, **fault, **({"after_status": after} if after else {}))
    failed = await receiver.status((await graph.text()).wamid, "failed")
    await sim.settled()
    assert [each["status"] for each in receiver.statuses()] == told
    assert failed["errors"][0]["code"] == 131026
    assert failed["errors"][0]["error_data"] == {"details": "Not there."}


COURSES = {
    "no_delivered": {"sent", "read"},
    "read_first": {"sent", "read", "delivered"},
    "silent": set(),
    "twice": {"sent", "delivered", "read"},
}


@pytest.mark.parametrize(("course", "told"), COURSES.items())
async def test_another_course_for_one_message(
    sim: Simulator, graph: "Graph", receiver: "Receiver", course: str, told: set[str]
) -> None:
    await sim.inbound(ANA, text="hi")
    await arm(graph, kind="course", course=course)
    struck, usual = (await graph.text()).wamid, (await graph.text()).wamid
    await sim.settled()
    statuses = [each["status"] for each in receiver.statuses(struck)]
    assert set(statuses) == told
    assert len(statuses) == len(told) * (2 if course == "twice" else 1)
    assert {each["status"] for each in receiver.statuses(usual)} == {"sent", "delivered", "read"}


async def test_the_classes_of_python(sim: Simulator, graph: "Graph") -> None:
    sim.arm(RefuseWithError(code=131016, next=2))
    sim.arm(FailLate(code=131026))
    sim.arm(Delay(delay_s=0.001, after_accept=True))
    assert [(await graph.text()).status for _ in range(5)] == [500, 500, 200, 200, 200]
    for fault in (DropBefore(), DropAfter()):
        sim.arm(fault)
        with pytest.raises(aiohttp.ClientError):
            await graph.text()
    with pytest.raises(ValueError, match="'mesages'"):
        sim.arm(DropBefore(on="mesages"))


# --- where -------------------------------------------------------------------------------------------------------


async def test_on_every_route_or_one(sim: Simulator, graph: "Graph") -> None:
    templates = "/v25.0/200000000000001/message_templates"
    sim.arm(RefuseWithError(code=2, on="*", until_cleared=True))
    assert (await graph.call("GET", templates)).code == 2
    assert (await graph.text()).code == 2
    sim.clear_faults()
    (route,) = {each["route"] for each in sim.exchanges() if "message_templates" in each["path"]}
    sim.arm(RefuseWithError(code=4, on=route, method="GET", until_cleared=True))
    assert (await graph.text()).status == 200
    assert (await graph.call("GET", templates)).code == 4


async def test_read_receipts_are_not_sends(sim: Simulator, graph: "Graph") -> None:
    wamid = await sim.inbound(ANA, text="hi")
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    sim.arm(RefuseWithError(code=131016))
    assert (await graph.call("POST", MESSAGES, json=receipt)).status == 200
    sim.arm(RefuseWithError(code=131000, on="receipts", to=BEN))
    sim.arm(RefuseWithError(code=131005, on="receipts", to=ANA))
    assert (await graph.call("POST", MESSAGES, json=receipt)).code == 131005
    assert (await graph.text()).code == 131016


async def test_by_person_template_and_token(sim: Simulator, graph: "Graph") -> None:
    user_id = sim.state()["people"][1]["user_id"]
    sim.arm(RefuseWithError(code=1, to=BEN, next=2))
    assert (await graph.text(to=ANA)).status == 200
    assert (await graph.text(to=BEN)).code == 1
    by_user_id = {key: each for key, each in TEXT.items() if key != "to"} | {"recipient": user_id}
    assert (await graph.call("POST", MESSAGES, json=by_user_id)).code == 1
    sim.arm(RefuseWithError(code=2, template="hello_world"))
    hello = {"name": "hello_world", "language": {"code": "en_US"}}
    assert (await graph.text()).status == 200
    assert (await graph.send(type="template", template=hello)).code == 2
    sim.arm(RefuseWithError(code=190, token="other-token"))
    assert (await graph.text()).status == 200


@pytest.mark.parametrize(
    ("aimed", "struck"),
    [
        ({"waba_id": "200000000000001"}, True),
        ({"waba_id": "200000000000009"}, False),
        ({"template": "hello_world"}, True),
        ({"template": "daily_summary"}, False),
        ({"phone_number_id": "100000000000001"}, False),
    ],
)
async def test_by_the_waba_and_name_of_a_template(
    sim: Simulator, graph: "Graph", aimed: dict[str, Any], struck: bool
) -> None:
    (ident,) = [each.id for each in sim.world.templates.values() if each.name == "hello_world"]
    sim.accounts.add_waba(id="200000000000009")
    sim.arm(RefuseWithError(code=2, on="*", until_cleared=True, **aimed))
    for path in (f"/v25.0/{ident}", "/v25.0/200000000000001/message_templates?name=hello_world"):
        assert ((await graph.call("GET", path)).status == 503) is struck


# --- the control API ---------------------------------------------------------------------------------------------


async def test_listed_with_what_is_left_and_disarmed_one_by_one(graph: "Graph") -> None:
    first = await arm(graph, kind="error", code=1, next=3)
    second = await arm(graph, kind="drop_before", every=2)
    assert (await graph.text()).code == 1
    status, answer = await graph.control("GET", "/faults")
    assert status == 200
    assert answer["armed"] == [
        {
            "id": first,
            "kind": "error",
            "on": "messages",
            "code": 1,
            "details": "Fault armed in the simulator.",
            "after_accept": False,
            "next": 2,
            "hits": 1,
            "seen": 1,
        },
        {
            "id": second,
            "kind": "drop_before",
            "on": "messages",
            "every": 2,
            "next": None,
            "hits": 0,
            "seen": 0,
        },
    ]
    assert {"*", "webhooks", "receipts", "messages"} <= set(answer["places"])
    kinds = {each["kind"]: each for each in answer["kinds"]}
    assert kinds["delay"]["required"] == ["delay_s"]
    assert kinds["delay"]["keys"] == ["delay_s", "after_accept"]
    assert kinds["delay"]["defaults"] == {"after_accept": False}
    assert kinds["webhook_signature"]["defaults"] == {"how": "forged"}
    assert kinds["drop_before"]["does"].startswith("Cut the connection")
    assert [each["id"] for each in (await graph.control("DELETE", f"/faults/{first}"))[1]["armed"]] == [
        second
    ]
    assert (await graph.control("DELETE", f"/faults/{first}"))[0] == 404
    assert (await graph.control("DELETE", "/faults"))[1]["armed"] == []


MISTYPED: list[tuple[Any, tuple[str, ...]]] = [
    ({"kind": "eror"}, ("`kind`", "eror", "`error`")),
    ({"next": 1}, ("`kind` is missing",)),
    ({"kind": "error"}, ("`code` is missing",)),
    ({"kind": "error", "code": 1, "delay_s": 1}, ("`delay_s` is not known",)),
    ({"kind": "error", "code": 1, "next": 0}, ("`next`", "at least 1")),
    ({"kind": "error", "code": 1, "http_status": 200}, ("`http_status`", "at least 400")),
    ({"kind": "error", "code": "x"}, ("`code`", "whole number")),
    ({"kind": "delay", "delay_s": 1, "after_acept": True}, ("`after_acept`", "did you mean `after_accept`?")),
    ({"kind": "drop_before", "on": "message"}, ("'message'", "did you mean `messages`?")),
    ({"kind": "drop_before", "on": "webhooks"}, ("'webhooks'", "answers")),
    ({"kind": "drop_before", "to": "Ana"}, ("'Ana'", "`to`")),
    ({"kind": "drop_before", "to": "US.404"}, ("'US.404'", "`to`")),
    ({"kind": "drop_before", "probability": 2}, ("`probability`", "at most 1")),
    ({"kind": "fail_late", "code": 1, "after_status": "read"}, ("`after_status`", "`sent`")),
    ({"kind": "webhook_signature", "how": "wrong"}, ("`how`", "`wrong_secret`")),
    ({"hold_webhooks": "yes"}, ("`hold_webhooks`", "true or false")),
    ({"hold_webhooks": True, "nxt": 1}, ("`nxt` is not known",)),
]


@pytest.mark.parametrize(("body", "named"), MISTYPED)
async def test_what_is_mistyped_is_named(graph: "Graph", body: Any, named: tuple[str, ...]) -> None:
    status, answer = await graph.control("POST", "/faults", body)
    assert status == 400, answer
    assert all(each in answer["error"] for each in named), answer["error"]
    assert "Expected" not in answer["error"]
    assert (await graph.control("GET", "/faults"))[1]["armed"] == []
