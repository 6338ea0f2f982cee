"""Every error code: its row, its two shapes, and which sends come by it on their own (5)."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.error_codes import CODES, SUBCODES, UNLISTED, row_of
from sayso.simulator.errors import HREF, GraphError, told_later
from simulator.known import ANA
from simulator.sheet.shapes import buttons, interactive, of, reply, text

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph, Receiver

#: The table of 5.3 once more, typed from the sheet: per class and HTTP status, the codes. Where the sheet has two
#: statuses the first stands here; where it has none, 400.
TABLE: dict[tuple[str, int], tuple[int, ...]] = {
    ("A", 401): (0, 104, 190),
    ("A", 403): (10, 200, 131005),
    ("A", 500): (3,),
    ("B", 400): (
        *(100, 192, 131008, 131009, 131020, 131021, 131030, 131041, 131051, 131053, 131055, 131058, 131059),
        *(
            131062,
            132000,
            132005,
            132008,
            132012,
            132018,
            133005,
            133006,
            134100,
            135000,
            200005,
            200006,
            200007,
        ),
        *(139100, 147001, 147002, 147003, 147004, 147005, 2593107, 2593108),
    ),
    ("B", 404): (803,),
    ("P", 400): (130403, 131050, 131063),
    ("P", 403): (130497,),
    ("R", 429): (130429,),
    ("R", 500): (1, 131000, 131016, 131057, 133000),
    ("R", 503): (2, 133004),
    ("T", 400): (132007, 132015, 132016, 132068),
    ("T", 404): (132001,),
    ("U", 400): (130472, 131026, 131052, 131060, 137000),
    ("W", 400): (
        *(613, 80008, 131047, 131049, 131056, 132069, 133008, 133009, 133015, 133016, 134101, 139102),
    ),
    ("W", 429): (4, 17, 80007),
    ("X", 400): (33, 131037, 131042, 131044, 131048, 131064, 133010, 134011, 141006, 141010),
    ("X", 403): (368, 131031),
    ("X", 500): (131045, 134102),
}
ALL = [(code, acts, status) for (acts, status), codes in TABLE.items() for code in codes]


@pytest.mark.parametrize(("code", "acts", "status"), ALL, ids=[str(code) for code, _, _ in ALL])
def test_each_row_of_the_table(code: int, acts: str, status: int) -> None:
    assert (row_of(code).acts, row_of(code).http_status) == (acts, status)
    assert code in CODES


@pytest.mark.parametrize("code", [200, 231, 299, 131201, 131215, 131299, 138000, 138021, 139103])
def test_each_range_of_the_table(code: int) -> None:
    assert row_of(code) is not UNLISTED


def test_what_is_no_code_of_theirs() -> None:
    assert all(row_of(code) is UNLISTED for code in (7, 300, 131300, 999999))
    assert row_of(7).title == "Unknown error"


def _error(refusal: GraphError) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(refusal.envelope("Abc123"))["error"]
    return error


def test_the_shape_of_whatsapp_s_own_refusal() -> None:
    assert _error(GraphError(130429, "Cloud API message throughput has been reached.", subcode=2494055)) == {
        "message": "(#130429) Rate limit hit",
        "type": "OAuthException",
        "code": 130429,
        "error_data": {
            "messaging_product": "whatsapp",
            "details": "Cloud API message throughput has been reached.",
        },
        "error_subcode": 2494055,
        "is_transient": True,
        "fbtrace_id": "Abc123",
    }


def test_the_shape_of_the_graph_api_s_refusal() -> None:
    error = _error(GraphError(100, "The parameter to is required."))
    assert error["message"] == "(#100) The parameter to is required."
    assert "is_transient" not in error
    assert _error(GraphError(33, "There is no object."))["type"] == "GraphMethodException"


@pytest.mark.parametrize("subcode", SUBCODES)
def test_a_subcode_brings_its_words_along(subcode: int) -> None:
    error = _error(GraphError(100, "Details.", subcode=subcode))
    assert (error["error_user_title"], error["error_user_msg"]) == SUBCODES[subcode]
    assert (error["error_subcode"], error["is_transient"]) == (subcode, False)
    assert error["message"] == "(#100) Invalid parameter"


def test_words_and_transience_may_be_given() -> None:
    error = _error(GraphError(131000, "Details.", user=("Title", "Words"), transient=False, http_status=418))
    assert (error["error_user_title"], error["error_user_msg"]) == ("Title", "Words")
    assert error["is_transient"] is False


def test_the_shape_in_a_webhook() -> None:
    assert told_later(131047, "Closed.") == {
        "code": 131047,
        "title": "Re-engagement message",
        "message": "Re-engagement message",
        "error_data": {"details": "Closed."},
        "href": HREF,
    }


async def test_every_code_can_be_had_at_once(graph: "Graph") -> None:
    for code in CODES:
        await graph.control("POST", "/faults", {"on": "messages", "kind": "error", "code": code})
        answer = await graph.text()
        error = answer.json["error"]
        assert (answer.status, answer.code) == (row_of(code).http_status, code)
        assert (error["type"], error.get("is_transient", False)) == (
            row_of(code).type,
            row_of(code).transient,
        )


async def test_every_code_can_be_had_later(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    sent: dict[str, int] = {}
    for code in CODES:
        await sim.inbound(ANA, text="hello")
        await graph.control("POST", "/faults", {"on": "messages", "kind": "fail_late", "code": code})
        sent[(await _patient(graph, sim)).wamid] = code
    for wamid, code in sent.items():
        status = await receiver.status(wamid, "failed")
        assert [(each["code"], each["title"]) for each in status["errors"]] == [(code, row_of(code).title)]


async def _patient(graph: "Graph", sim: Simulator) -> "Answer":
    """Send a text, with time for the pair rate to recover before (6)."""
    sim.advance(10)
    return await graph.text()


#: What comes on its own from what is sent, told at once (2).
AT_ONCE: dict[int, dict[str, Any]] = {
    100: text(body="x" * 4097),
    131008: {"type": "text"},
    131009: buttons(reply("a"), reply("a")),
    131021: {**text(body="hi"), "to": "+15550100000"},
    131026: {**text(body="hi"), "to": None, "recipient": "US.404"},
    131051: {"type": "order"},
    131215: {**text(body="hi"), "recipient_type": "group"},
    132001: of("template", name="none", language={"code": "en"}),
    132000: of("template", name="confirmation_request", language={"code": "en"}),
    134011: interactive("order_details", {"name": "review_and_pay", "parameters": {"reference_id": "r"}}),
}


@pytest.mark.parametrize("code", AT_ONCE)
async def test_what_comes_on_its_own_at_once(graph: "Graph", code: int) -> None:
    answer = await graph.send(**AT_ONCE[code])
    assert (answer.status, answer.code) == (row_of(code).http_status, code)


async def test_the_causes_found_later_come_before_the_window(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    sim.parts.world.number.identity_check = True
    gone = await graph.send(**of("reaction", message_id="wamid.gone", emoji="👍"))
    other = await graph.text(recipient_identity_key_hash="old")
    late = await graph.text()
    told = await asyncio.gather(*(receiver.status(each.wamid, "failed") for each in (gone, other, late)))
    assert [each["errors"][0]["code"] for each in told] == [131009, 137000, 131047]
