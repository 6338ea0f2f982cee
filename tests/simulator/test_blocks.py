"""Blocking people: who can be blocked, lists, partial failures, sends to them (cloud-api.md 8.4)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph

EDGE = "/v25.0/100000000000001/block_users"
HOUR_S = 3600
NOT_WRITTEN = {
    "message": "Re-engagement required",
    "code": 131047,
    "error_data": {"details": "User has not messaged in the last 24 hours"},
}


async def call(graph: "Graph", method: str, *users: Any) -> "Answer":
    entries = [user if isinstance(user, dict) else {"user": user} for user in users]
    return await graph.call(method, EDGE, json={"messaging_product": "whatsapp", "block_users": entries})


async def listed(graph: "Graph", query: str = "") -> dict[str, Any]:
    return (await graph.call("GET", EDGE + query)).json


async def test_somebody_is_blocked_and_unblocked(graph: "Graph", sim: Simulator) -> None:
    await sim.inbound(ANA, text="hi")
    added = {"added_users": [{"input": ANA, "wa_id": "15550001111"}]}
    assert (await call(graph, "POST", ANA)).json == {"messaging_product": "whatsapp", "block_users": added}
    assert (await listed(graph))["data"] == [{"messaging_product": "whatsapp", "wa_id": "15550001111"}]
    refused = await graph.text()
    assert (refused.status, refused.code) == (400, 130403)
    assert (await graph.text(to=BEN)).status == 200
    removed = {"removed_users": [{"input": ANA, "wa_id": "15550001111"}]}
    answer = await call(graph, "DELETE", ANA)
    assert answer.json == {"messaging_product": "whatsapp", "block_users": removed}
    assert await listed(graph) == {"data": []}
    assert (await graph.text()).status == 200


async def test_by_bsuid_or_wa_id_too(graph: "Graph", sim: Simulator) -> None:
    await sim.inbound(ANA, text="hi")
    user_id = sim.parts.world.people["15550001111"].user_id
    by_id = await call(graph, "POST", {"user_id": user_id})
    assert by_id.json["block_users"] == {"added_users": [{"input": user_id, "user_id": user_id}]}
    bare = await call(graph, "POST", "15550001111")
    assert bare.json["block_users"] == {"added_users": [{"input": "15550001111", "wa_id": "15550001111"}]}


async def test_a_partial_failure_tells_both_lists(graph: "Graph", sim: Simulator) -> None:
    await sim.inbound(ANA, text="hi")
    answer = await call(graph, "POST", ANA, BEN, "+1", "+15550100000", {"user_id": "US.unknown"})
    assert answer.status == 400
    assert answer.json["messaging_product"] == "whatsapp"
    assert answer.json["block_users"] == {
        "added_users": [{"input": ANA, "wa_id": "15550001111"}],
        "failed_users": [
            {"input": BEN, "wa_id": "15550002222", "errors": [NOT_WRITTEN]},
            {"input": "+1", "errors": [NOT_WRITTEN]},
            {
                "input": "+15550100000",
                "wa_id": "15550100000",
                "errors": [
                    {
                        "message": "Self block",
                        "code": 131021,
                        "error_data": {"details": "Failed to block self phone number."},
                    }
                ],
            },
            {"input": "US.unknown", "user_id": "US.unknown", "errors": [NOT_WRITTEN]},
        ],
    }
    error = answer.json["error"]
    assert error["message"] == "(#139100) Failed to block/unblock users"
    assert (error["type"], error["code"]) == ("OAuthException", 139100)
    assert error["error_data"]["details"] == (
        "Failed to block some users, see the block_users response list for details"
    )


async def test_only_within_24_hours_of_their_message(graph: "Graph", sim: Simulator) -> None:
    sim.clock.run(0)
    await sim.inbound(ANA, text="hi")
    sim.advance(24 * HOUR_S - 1)
    assert (await call(graph, "POST", ANA)).status == 200
    await call(graph, "DELETE", ANA)
    sim.advance(1)
    answer = await call(graph, "POST", ANA)
    assert (answer.status, answer.code) == (400, 139100)
    assert answer.json["block_users"]["added_users"] == []


async def test_who_is_blocked_stays_so_when_blocked_again_later(graph: "Graph", sim: Simulator) -> None:
    await sim.inbound(ANA, text="hi")
    await call(graph, "POST", ANA)
    sim.advance(25 * HOUR_S)
    assert (await call(graph, "POST", ANA)).status == 200


async def test_unblocking_nobody(graph: "Graph") -> None:
    assert (await call(graph, "DELETE", BEN)).status == 200
    assert (await call(graph, "DELETE", "x")).code == 139100


async def test_the_list_holds_64_000(graph: "Graph", sim: Simulator) -> None:
    await sim.inbound(ANA, text="hi")
    blocked = sim.parts.world.number.blocked
    blocked.update(str(each) for each in range(63_999))
    assert (await call(graph, "POST", ANA)).status == 200
    blocked.discard("15550001111")
    blocked.add("one more")
    answer = await call(graph, "POST", ANA)
    assert (answer.status, answer.code) == (400, 139101)
    blocked.discard("one more")
    await sim.inbound(BEN, text="hi")
    answer = await call(graph, "POST", ANA, BEN)
    assert (answer.code, len(blocked)) == (139101, 63_999), "all or none"
    assert (await call(graph, "POST", ANA)).status == 200
    assert (await call(graph, "POST", ANA)).status == 200, "who is blocked already needs no room"


async def test_the_list_comes_in_pages(graph: "Graph", sim: Simulator) -> None:
    sim.parts.world.number.blocked.update({"3", "1", "2"})
    first = await listed(graph, "?limit=2")
    assert [each["wa_id"] for each in first["data"]] == ["1", "2"]
    after = first["paging"]["cursors"]["after"]
    assert [each["wa_id"] for each in (await listed(graph, f"?limit=2&after={after}"))["data"]] == ["3"]


@pytest.mark.parametrize("gone", ["", "2", "12", "3", "34", "1", "5", "23", "123", "1234"])
async def test_what_is_unblocked_meanwhile_does_not_shift_the_pages(
    graph: "Graph", sim: Simulator, gone: str
) -> None:
    blocked = sim.parts.world.number.blocked
    blocked.update("123456")
    paging = (await listed(graph, "?limit=2"))["paging"]
    blocked.difference_update(gone)
    rest = await listed(graph, f"?limit=9&after={paging['cursors']['after']}")
    assert [each["wa_id"] for each in rest["data"]] == sorted({*"3456"} - {*gone})


@pytest.mark.parametrize(
    "body",
    [
        {"block_users": [{"user": ANA}]},
        {"messaging_product": "whatsapp", "block_users": []},
        {"messaging_product": "whatsapp", "block_users": {}},
        {"messaging_product": "whatsapp", "block_users": [ANA]},
        {"messaging_product": "whatsapp", "block_users": [{}]},
        {"messaging_product": "whatsapp", "block_users": [{"user": 7.5}]},
    ],
)
async def test_a_call_is_checked(graph: "Graph", body: dict[str, Any]) -> None:
    answer = await graph.call("POST", EDGE, json=body)
    assert (answer.status, answer.code) == (400, 100)


async def test_what_a_blocked_person_writes_does_not_arrive(graph: "Graph", sim: Simulator) -> None:
    await sim.inbound(ANA, text="hi")
    await call(graph, "POST", ANA)
    await sim.settled()
    before = len(sim.webhooks(kind="inbound"))
    await sim.inbound(ANA, text="let me in")
    await sim.settled()
    assert len(sim.webhooks(kind="inbound")) == before
