"""Graph's manners: versions, tokens, unknown things, answers, read receipts (cloud-api.md 1, 2.2, 2.7, 5.1)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.errors import GraphError
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.numbers import dialled
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

HI: dict[str, Any] = {
    "messaging_product": "whatsapp",
    "to": "+15550001111",
    "type": "text",
    "text": {"body": "hi"},
}


@pytest.mark.parametrize(
    ("prefix", "served"),
    [
        ("/v26.0", "v26.0"),
        ("/v25.0", "v25.0"),
        ("/v21.0", "v21.0"),
        ("/v99.0", "v99.0"),
        ("", "v26.0"),
        ("/v18.0", "v21.0"),
    ],
)
async def test_any_version_or_none(graph: "Graph", sim: Simulator, prefix: str, served: str) -> None:
    # 1.1: the table holds as of 22 November 2026; the clock is brought there whatever today is.
    sim.clock._real = lambda: 1_795_000_000.0
    for slash in ("", "/"):
        answer = await graph.call("POST", f"{prefix}/100000000000001/messages{slash}", json=HI)
        assert (answer.status, answer.version) == (200, served)


async def test_versions_expire_by_the_simulated_clock(graph: "Graph", sim: Simulator) -> None:
    sim.clock._real = lambda: 1_795_000_000.0
    sim.advance(90 * 86_400)  # past 21 January 2027
    answer = await graph.call("POST", "/v21.0/100000000000001/messages", json=HI)
    assert answer.version == "v22.0"


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, 104), ({"Authorization": "Bearer wrong"}, 190), ({"Authorization": "Basic sim-token"}, 104)],
)
async def test_token_is_checked(graph: "Graph", headers: dict[str, str], code: int) -> None:
    answer = await graph.call("POST", "/v25.0/100000000000001/messages", headers=headers, json=HI)
    assert (answer.status, answer.code) == (401, code)
    error = answer.json["error"]
    assert error["type"] == "OAuthException"
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["fbtrace_id"]


async def test_token_as_a_query_parameter_works_and_stays_out_of_paging(graph: "Graph") -> None:
    path = "/200000000000001/message_templates?limit=1&access_token=sim-token"
    answer = await graph.call("GET", path, headers={})
    assert answer.status == 200
    assert "sim-token" not in answer.json["paging"]["next"]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/v25.0/404/messages", 33),
        ("GET", "/v25.0/100000000000001/messages", 100),
        ("POST", "/v25.0/100000000000001/media", 100),
        ("GET", "/v25.0", 100),
        ("GET", "/nothing/at/all", 100),
    ],
)
async def test_unknown_places_answer_as_graph_errors(
    graph: "Graph", method: str, path: str, code: int
) -> None:
    answer = await graph.call(method, path, json=HI)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"", "application/json"),
        (b"\xff", "application/json"),
        (b"{}", "text/plain"),
    ],
)
async def test_a_body_that_is_not_json_is_refused(graph: "Graph", body: bytes, content_type: str) -> None:
    headers = {"Authorization": "Bearer sim-token", "Content-Type": content_type}
    answer = await graph.call("POST", "/v25.0/100000000000001/messages", headers=headers, data=body)
    assert (answer.status, answer.code) == (400, 100)


async def test_answer_of_a_send(graph: "Graph") -> None:
    answer = await graph.text(to="+1 (555) 000-1111")
    assert answer.json["messaging_product"] == "whatsapp"
    assert answer.json["contacts"] == [{"input": "+1 (555) 000-1111", "wa_id": "15550001111"}]
    assert set(answer.json["messages"][0]) == {"id"}, "message_status only with templates"
    assert answer.wamid.startswith("wamid.HBgL")


async def test_sending_to_a_bsuid_leaves_the_phone_out(graph: "Graph", sim: Simulator) -> None:
    user_id = sim.state()["people"][0]["user_id"]
    answer = await graph.text(to=None, recipient=user_id)
    assert answer.json["contacts"] == [{"input": user_id, "user_id": user_id}]
    both = await graph.text(to="+15550002222", recipient=user_id)
    assert both.json["contacts"][0]["wa_id"] == "15550002222", "`to` wins"


@pytest.mark.parametrize(
    ("raw", "wa_id"),
    [
        ("+15550001111", "15550001111"),
        ("+44 7700 900123", "447700900123"),
        ("5550001111", "15550001111"),
        ("15550001111", "115550001111"),
    ],
)
def test_without_a_plus_the_business_country_code_is_prepended(raw: str, wa_id: str) -> None:
    assert dialled(raw, "15550100000") == wa_id


def test_the_prepended_code_is_the_business_s_own() -> None:
    assert dialled("7700900123", "447700900000") == "447700900123"
    with pytest.raises(GraphError):
        dialled("+", "15550100000")


async def test_read_receipt_marks_it_and_the_earlier_ones(graph: "Graph", sim: Simulator) -> None:
    first = await sim.inbound("+15550001111", text="one")
    second = await sim.inbound("+15550001111", text="two")
    third = await sim.inbound("+15550001111", text="three")
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": second}
    answer = await graph.call("POST", "/100000000000001/messages", json=receipt)
    assert answer.json == {"success": True}
    await sim.settled()
    shown = {each["wamid"]: each["status"] for each in sim.bubbles(10)}
    assert shown == {first: "read", second: "read", third: "delivered"}
    await graph.call("POST", "/100000000000001/messages", json=receipt)
    assert {each["wamid"]: each["status"] for each in sim.bubbles(10)} == shown, "nor by a second receipt"


async def test_a_read_receipt_is_for_the_number_that_was_written_to(graph: "Graph", sim: Simulator) -> None:
    wamid = await sim.inbound("+15550001111", text="one")
    second = BusinessNumber("100000000000077", sim.config.waba_id, "15550100077", "Second")
    sim.parts.world.accounts.numbers[second.phone_number_id] = second
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    answer = await graph.call("POST", f"/{second.phone_number_id}/messages", json=receipt)
    assert answer.code == 131009


async def test_typing_shows_until_the_reply_or_25_seconds(graph: "Graph", sim: Simulator) -> None:
    wamid = await sim.inbound("+15550001111", text="one")
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    typing = {**receipt, "typing_indicator": {"type": "text"}}

    def until() -> float | None:
        found: float | None = sim.state()["people"][0]["typing_until"]
        return found

    await graph.call("POST", "/100000000000001/messages", json=typing)
    assert until()
    await graph.text()
    assert until() is None
    await graph.call("POST", "/100000000000001/messages", json=typing)
    sim.advance(26)
    assert until() is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"message_id": "wamid.unknown"}, 131009),
        ({"message_id": None}, 131008),
        ({"status": "seen"}, 100),
        ({"typing_indicator": {"type": "voice"}}, 100),
    ],
)
async def test_read_receipt_is_checked(
    graph: "Graph", sim: Simulator, change: dict[str, Any], code: int
) -> None:
    wamid = await sim.inbound("+15550001111", text="one")
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid, **change}
    assert (await graph.call("POST", "/100000000000001/messages", json=receipt)).code == code


async def test_handshake_is_done_at_the_start(sim: Simulator, receiver: "Receiver") -> None:
    found = await sim.live.until(lambda: sim.state()["webhooks"]["verification"] == "verified" or None, 10)
    assert found, sim.state()["webhooks"]


async def test_the_digits_a_webhook_told_reach_who_wrote(sim: Simulator, graph: "Graph") -> None:
    """Clients answer to ``messages[].from``, which has no plus: it means that person, not +1 1 555 ..."""
    await sim.inbound(ANA, text="hi")
    answer = await graph.text("hello", to="15550001111")
    assert answer.json["contacts"] == [{"input": "15550001111", "wa_id": "15550001111"}]
    stranger = await graph.text("hello", to="15557778888")
    assert stranger.json["contacts"] == [{"input": "15557778888", "wa_id": "115557778888"}], "2.1"
