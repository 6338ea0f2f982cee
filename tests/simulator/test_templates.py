"""Templates: which exist, how they are filled, what is refused (cloud-api.md 2.6, 3.1, 5.3)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

MONEY = {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}
BODY = {"type": "body", "parameters": [{"type": "text", "text": word} for word in ("Ana", "send it", "send")]}


def confirmation(*components: Any, **parts: Any) -> dict[str, Any]:
    template = {
        "name": "confirmation_request",
        "language": {"code": "en"},
        "components": list(components) or [BODY],
    }
    return {"type": "template", "template": template | parts}


def body(*parameters: Any) -> dict[str, Any]:
    """The three parameters, the first of them replaced."""
    return confirmation({"type": "body", "parameters": [*parameters, *BODY["parameters"][1:]]})


def quick_reply(index: Any, payload: Any, **parts: Any) -> dict[str, Any]:
    parameters = [{"type": "payload", "payload": payload}]
    return {"type": "button", "sub_type": "quick_reply", "index": index, "parameters": parameters} | parts


FINE = {
    "three parameters": confirmation(),
    "upper-case kinds": confirmation({**BODY, "type": "BODY"}),
    "index a string": confirmation(BODY, quick_reply("0", "yes")),
    "index a number": confirmation(BODY, quick_reply(2, "x" * 256)),
    "upper-case sub_type": confirmation(BODY, quick_reply(0, "yes", sub_type="QUICK_REPLY")),
    "legacy policy": confirmation(language={"code": "en", "policy": "deterministic"}),
    "four spaces": body({"type": "text", "text": "a    b"}),
    "a date": body({"type": "date_time", "date_time": {"fallback_value": "3 March"}}),
    "an amount": body({"type": "currency", "currency": MONEY}),
    "no components": HELLO,
    "empty components": {"type": "template", "template": {**HELLO["template"], "components": []}},
    "null components": {"type": "template", "template": {**HELLO["template"], "components": None}},
}
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown name": (confirmation(name="nope"), 132001, "(nope) does not exist in en"),
    "other language": (confirmation(language={"code": "en_US"}), 132001, "does not exist in en_US"),
    "no name": (confirmation(name=None), 131008, "template['name']"),
    "no language": (confirmation(language=None), 131008, "template['language']"),
    "no code": (confirmation(language={}), 131008, "['code']"),
    "no parameters": (confirmation({"type": "body"}), 132000, "(0) does not match the expected number of"),
    "no body": (confirmation(quick_reply(0, "yes")), 132000, "params (3)"),
    "two parameters": (body(), 132000, "(2) does not match"),
    "header not there": (confirmation(BODY, {**BODY, "type": "header"}), 132000, "header"),
    "newline": (body({"type": "text", "text": "a\nb"}), 132018, "new-line/tab"),
    "tab": (body({"type": "text", "text": "a\tb"}), 132018, "new-line/tab"),
    "five spaces": (body({"type": "text", "text": "a     b"}), 132018, "4 consecutive spaces"),
    "empty value": (body({"type": "text", "text": ""}), 132018, "empty"),
    "no value": (body({"type": "text"}), 131008, "['text']"),
    "value a number": (body({"type": "text", "text": 5}), 132012, "a string"),
    "image as text": (body({"type": "image", "image": {"id": "1"}}), 132012, "'image'"),
    "named parameter": (body({"type": "text", "text": "a", "parameter_name": "x"}), 132012, "POSITIONAL"),
    "too long once filled": (body({"type": "text", "text": "x" * 1000}), 132005, "at most 1024"),
    "button beyond": (confirmation(BODY, quick_reply(3, "x")), 132018, "3 buttons"),
    "button without index": (confirmation(BODY, quick_reply(None, "x")), 131008, "['index']"),
    "url button": (confirmation(BODY, quick_reply(0, "x", sub_type="url")), 132018, "quick_reply"),
    "payload of 257": (confirmation(BODY, quick_reply(0, "x" * 257)), 100, "at most 256"),
    "empty payload": (confirmation(BODY, quick_reply(0, "")), 132012, "payload"),
    "unknown component": (confirmation({"type": "bdoy"}), 100, "['type'] must be one of"),
    "carousel not there": (confirmation(BODY, {"type": "carousel"}), 132018, "no carousel"),
}


@pytest.mark.parametrize("case", FINE)
async def test_template_is_accepted(graph: "Graph", case: str) -> None:
    answer = await graph.send(**FINE[case])
    assert answer.status == 200, answer.json
    assert answer.json["messages"][0]["message_status"] == "accepted"


@pytest.mark.parametrize("case", REFUSED)
async def test_template_is_refused(graph: "Graph", case: str) -> None:
    message, code, details = REFUSED[case]
    answer = await graph.send(**message)
    assert (answer.status, answer.code) == (404 if code == 132001 else 400, code), answer.json
    assert details in answer.details


async def test_variables_are_filled_and_buttons_offered(graph: "Graph", sim: Simulator) -> None:
    await graph.send(**confirmation())
    (sent,) = sim.messages()
    assert sent["shown"].startswith("Hi Ana, \n\nThe AI Assistant wants to send it.")
    assert sent["shown"].endswith("This action will send.")
    assert sent["buttons"] == ["Confirm", "Decline", "Cancel"]


async def test_a_value_that_looks_like_a_variable_stays_as_it_is(graph: "Graph", sim: Simulator) -> None:
    await graph.send(**body({"type": "text", "text": "{{2}}"}))
    assert sim.messages()[0]["shown"].startswith("Hi {{2}}, ")


async def test_tap_reports_the_payload_or_else_the_words(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    wamid = (await graph.send(**confirmation(BODY, quick_reply("0", "cf:1:yes")))).wamid
    await sim.tap("+15550001111", wamid, 0)
    await sim.tap("+15550001111", wamid, "Decline")
    await receiver.until(lambda _: len(receiver.inbound()) == 2)
    taps = {tap["button"]["text"]: tap for tap in receiver.inbound()}
    assert {tap["type"] for tap in taps.values()} == {"button"}
    assert taps["Confirm"]["button"] == {"payload": "cf:1:yes", "text": "Confirm"}
    assert taps["Decline"]["button"] == {"payload": "Decline", "text": "Decline"}
    assert taps["Confirm"]["context"] == {"from": "15550100000", "id": wamid}


async def test_list_has_the_three_and_pages_by_cursor(graph: "Graph") -> None:
    path = "/v25.0/200000000000001/message_templates"
    whole = (await graph.call("GET", path)).json["data"]
    assert [(each["name"], each["language"], each["status"]) for each in whole] == [
        ("confirmation_request", "en", "APPROVED"),
        ("daily_summary", "en", "APPROVED"),
        ("hello_world", "en_US", "APPROVED"),
    ]
    first = (await graph.call("GET", path, params={"limit": "2", "fields": "name"})).json
    assert [set(each) for each in first["data"]] == [{"id", "name"}] * 2
    rest = await graph.call("GET", first["paging"]["next"].removeprefix(graph.base_url))
    assert [each["name"] for each in rest.json["data"]] == ["hello_world"]
    assert "next" not in rest.json["paging"]


async def test_list_is_filtered(graph: "Graph") -> None:
    path = "/200000000000001/message_templates"
    for query, count in (({"name": "daily"}, 1), ({"status": "PAUSED"}, 0), ({"language": "en"}, 2)):
        assert len((await graph.call("GET", path, params=query)).json["data"]) == count
    assert (await graph.call("GET", path, params={"limit": "x"})).code == 100
    assert (await graph.call("GET", "/404/message_templates")).code == 33


async def test_every_account_has_its_own_sample_with_an_id_javascript_can_hold(sim: Simulator) -> None:
    wabas = [sim.parts.accounts.add_waba(name=name).id for name in ("One", "Other")]
    samples = [sim.parts.world.templates.find(waba_id, "hello_world", "en_US") for waba_id in wabas]
    ids = [each.id for each in samples if each is not None]
    assert len(set(ids)) == len(wabas)
    assert all(len(each) == 16 and int(each) < 2**53 for each in ids), ids
