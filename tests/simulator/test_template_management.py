"""Editing, deleting, archiving templates, and how many there may be (cloud-api.md 3.1, 3.4)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.world.accounts import MESSAGING
from simulator.known import DAY, HOUR
from simulator.template_stage import (
    BODY,
    EDGE,
    STATUS,
    WABA,
    body,
    buttons,
    create,
    created,
    desk,
    read,
    send,
    told,
    values,
    which,
)

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph, Receiver

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, review="instant", enforce_rates=False)


async def edit(graph: "Graph", template_id: str, **given: Any) -> "Answer":
    return await graph.call("POST", f"/v25.0/{template_id}", json=given)


def subcode(answer: "Answer") -> int | None:
    found: int | None = answer.json["error"].get("error_subcode")
    return found


# --- editing --------------------------------------------------------------------------------------------


async def test_an_edit_replaces_the_components_as_a_whole_and_is_told(
    graph: "Graph", receiver: "Receiver"
) -> None:
    footer = {"type": "FOOTER", "text": "Bye"}
    template_id = await created(graph, BODY, footer)
    await told(receiver, STATUS, 1)
    header = {"type": "HEADER", "format": "TEXT", "text": "Hello"}
    link = {"type": "URL", "text": "Open", "url": "https://example.org/"}
    phone = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550001111"}
    given = [header, body("Your export is waiting."), footer, buttons(link, phone)]
    answer = await edit(graph, template_id, components=given)
    assert answer.json == {"success": True, "id": template_id, "name": "notice", "category": "UTILITY"}
    template = await read(graph, template_id)
    assert (template["components"], template["status"]) == (given, "APPROVED")
    assert await told(receiver, "message_template_components_update", 1) == [
        {
            **which(template_id),
            "message_template_element": "Your export is waiting.",
            "message_template_title": "Hello",
            "message_template_footer": "Bye",
            "message_template_buttons": [
                {
                    "message_template_button_type": "URL",
                    "message_template_button_text": "Open",
                    "message_template_button_url": "https://example.org/",
                },
                {
                    "message_template_button_type": "PHONE_NUMBER",
                    "message_template_button_text": "Call",
                    "message_template_button_phone_number": "+15550001111",
                },
            ],
        }
    ]
    events = sorted(each["event"] for each in await told(receiver, STATUS, 3))
    assert events == ["APPROVED", "APPROVED", "PENDING"]


async def test_an_approved_template_is_edited_once_a_day_and_ten_times_in_thirty(
    graph: "Graph", sim: Simulator
) -> None:
    template_id = await created(graph)
    for count in range(10):
        text = f"Your export number {count} is ready to be fetched."
        assert (await edit(graph, template_id, components=[body(text)])).status == 200
        sim.advance(DAY - 1)
        early = await edit(graph, template_id, components=[BODY])
        assert (early.code, subcode(early)) == (100, None)
        assert ("1 time(s) in 1 day(s)" in early.details) == (count < 10)
        sim.advance(1)
    eleventh = await edit(graph, template_id, components=[BODY])
    assert "10 time(s) in 30 day(s)" in eleventh.details
    sim.advance(20 * DAY)
    assert (await edit(graph, template_id, components=[BODY])).status == 200


async def test_a_rejected_template_is_edited_as_often_as_one_likes(graph: "Graph") -> None:
    rude = body("Do as we say, you idiots.")
    template_id = await created(graph, rude)
    for count in range(3):
        text = f"Do as we say number {count}, you idiots."
        assert (await edit(graph, template_id, components=[body(text)])).status == 200
        assert (await read(graph, template_id))["status"] == "REJECTED"
    answer = await edit(graph, template_id, components=[BODY], category="marketing")
    assert answer.json["category"] == "MARKETING"
    template = await read(graph, template_id)
    assert (template["status"], template["rejected_reason"]) == ("APPROVED", "NONE")


async def test_an_edit_that_is_judged_promotional_switches_the_category_and_is_told(
    graph: "Graph", receiver: "Receiver"
) -> None:
    template_id = await created(graph, message_send_ttl_seconds=60)
    sale = body("Our summer sale is on: come and see.")
    answer = await edit(graph, template_id, components=[sale])
    assert (answer.status, answer.json["category"]) == (200, "MARKETING")
    template = await read(graph, template_id)
    assert (template["category"], template["previous_category"]) == ("MARKETING", "UTILITY")
    assert "message_send_ttl_seconds" not in template
    (change,) = await told(receiver, "template_category_update", 1)
    assert (change["previous_category"], change["new_category"]) == ("UTILITY", "MARKETING")
    assert (await edit(graph, template_id, cta_url_link_tracking_opted_out=True)).status == 400  # once a day
    assert len(values(receiver, "template_category_update")) == 1


async def test_a_template_that_is_judged_as_before_has_no_new_category(
    graph: "Graph", receiver: "Receiver"
) -> None:
    rude = body("Our summer sale is on, you idiots.")
    template_id = await created(graph, rude, category="MARKETING")
    given = {"components": [body("Our winter sale is on.")], "category": "UTILITY"}
    assert (await edit(graph, template_id, **given, message_send_ttl_seconds=60)).status == 200
    template = await read(graph, template_id)
    assert (template["status"], template["category"]) == ("APPROVED", "MARKETING")
    assert not template.keys() & {"previous_category", "message_send_ttl_seconds"}
    await told(receiver, STATUS, 3)
    assert values(receiver, "template_category_update") == []


async def test_a_lifetime_is_edited_without_a_review(graph: "Graph", receiver: "Receiver") -> None:
    template_id = await created(graph)
    assert (await edit(graph, template_id, message_send_ttl_seconds=60)).status == 200
    assert (await read(graph, template_id))["message_send_ttl_seconds"] == 60
    assert values(receiver, "message_template_components_update") == []


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({}, None, "at least one of"),
        ({"name": "other"}, None, "name cannot be edited"),
        ({"language": "de"}, None, "language cannot be edited"),
        ({"category": "MARKETING"}, None, "category of an approved template"),
        ({"components": []}, None, "non-empty"),
        ({"components": [body("{{1}} comes first here", "x")]}, 2388299, "start or end"),
        ({"message_send_ttl_seconds": 1}, None, "between 30"),
    ],
)
async def test_an_edit_is_refused(graph: "Graph", given: Any, code: int | None, words: str) -> None:
    template_id = await created(graph)
    answer = await edit(graph, template_id, **given)
    assert (answer.code, subcode(answer)) == (100, code)
    assert words in answer.details
    assert (await read(graph, template_id))["components"] == [BODY]


@pytest.mark.parametrize(
    ("action", "editable"),
    [("pause", True), ("disable", False), ("archive", False), ("delete", False)],
)
async def test_only_some_statuses_can_be_edited(graph: "Graph", action: str, editable: bool) -> None:
    template_id = await created(graph)
    await desk(graph, template_id, action)
    answer = await edit(graph, template_id, components=[body("Your export is waiting.")])
    assert answer.status == (200 if editable else 400)
    assert editable or subcode(answer) == 2388039


# --- deleting -------------------------------------------------------------------------------------------


async def delete(graph: "Graph", **query: Any) -> "Answer":
    return await graph.call("DELETE", EDGE, params=query)


async def statuses(graph: "Graph", *ids: str) -> list[str]:
    return [(await read(graph, each))["status"] for each in ids]


async def test_a_name_goes_with_all_its_languages(graph: "Graph") -> None:
    english, german = await created(graph), await created(graph, language="en_GB")
    other = await created(graph, name="other")
    assert (await delete(graph, name="notice")).json == {"success": True}
    assert await statuses(graph, english, german, other) == [*["PENDING_DELETION"] * 2, "APPROVED"]


async def test_an_id_with_its_name_goes_alone(graph: "Graph") -> None:
    english, british = await created(graph), await created(graph, language="en_GB")
    wrong = await delete(graph, name="other", hsm_id=english)
    assert (wrong.code, subcode(wrong)) == (100, 2593002)
    assert "name is required" in (await delete(graph, hsm_id=english)).details
    assert (await delete(graph, name="notice", hsm_id=english)).status == 200
    assert await statuses(graph, english, british) == ["PENDING_DELETION", "APPROVED"]
    assert subcode(await create(graph)) == 2388023
    assert (await create(graph, language="en_IN")).status == 200


async def test_many_ids_go_all_or_nothing(graph: "Graph") -> None:
    ids = [await created(graph, name=f"n{place}") for place in range(3)]
    for wrong, words in (
        ({"hsm_ids": ",".join([*ids, "1"])}, "no template with the id 1"),
        ({"hsm_ids": ids[0], "name": "n0"}, "together with"),
        ({"hsm_ids": ",".join(["1"] * 101)}, "1 to 100"),
        ({"hsm_ids": ""}, "1 to 100"),
    ):
        assert words in (await delete(graph, **wrong)).details
    assert await statuses(graph, *ids) == ["APPROVED"] * 3
    assert (await delete(graph, hsm_ids=f"[{ids[0]}, {ids[1]}]")).status == 200
    in_body = await graph.call("DELETE", EDGE, json={"hsm_ids": [ids[2]]})
    assert in_body.status == 200
    assert await statuses(graph, *ids) == ["PENDING_DELETION"] * 3


async def test_a_hundred_ids_go_at_once(graph: "Graph") -> None:
    ids = [await created(graph, name=f"n{place}") for place in range(100)]
    assert (await delete(graph, hsm_ids=",".join(ids))).status == 200
    assert set(await statuses(graph, *ids[:2], ids[99])) == {"PENDING_DELETION"}


async def test_what_was_never_approved_is_gone_at_once_and_its_name_free(
    graph: "Graph", receiver: "Receiver"
) -> None:
    template_id = await created(graph, body("Do as we say, you idiots."))
    assert (await delete(graph, name="notice")).status == 200
    assert (await graph.call("GET", f"/v25.0/{template_id}")).code == 33
    assert (await create(graph)).status == 200
    events = [each["event"] for each in await told(receiver, STATUS, 3)]
    assert sorted(events) == ["APPROVED", "DELETED", "REJECTED"]


async def test_disabled_ones_and_the_sample_stay(graph: "Graph") -> None:
    template_id = await created(graph)
    await desk(graph, template_id, "disable")
    assert "disabled" in (await delete(graph, name="notice")).details
    sample = await delete(graph, name="hello_world")
    assert (sample.code, subcode(sample)) == (100, 2388094)
    assert (await send(graph, "hello_world")).status == 200


async def test_an_unknown_name_is_not_found(graph: "Graph") -> None:
    answer = await delete(graph, name="nope")
    assert (answer.code, subcode(answer)) == (100, 2593002)
    assert answer.json["error"]["error_user_msg"] == answer.details


# --- archive, permission, limits ------------------------------------------------------------------------


async def test_archiving_tells_what_was_and_what_was_not(graph: "Graph", sim: Simulator) -> None:
    first, second = await created(graph), await created(graph, name="other")
    path = f"/{WABA}/message_templates"
    answer = await graph.call("POST", f"{path}/archive", json={"hsm_ids": f"{first},{second},1"})
    assert answer.json == {
        "archived_templates": [first, second],
        "failed_templates": {"1": "The template does not exist."},
    }
    assert await statuses(graph, first, second) == ["ARCHIVED"] * 2
    again = await graph.call("POST", f"{path}/archive", json={"hsm_ids": first})
    assert list(again.json["failed_templates"]) == [first]
    back = await graph.call("POST", f"{path}/unarchive", json={"hsm_ids": [first]})
    assert back.json == {"unarchived_templates": [first], "failed_templates": {}}
    assert await statuses(graph, first, second) == ["APPROVED", "ARCHIVED"]
    assert "1 to 100" in (await graph.call("POST", f"{path}/archive", json={})).details


async def test_management_needs_its_permission(graph: "Graph", sim: Simulator) -> None:
    template_id = await created(graph)
    sim.parts.world.accounts.tokens["sim-token"].scopes = (MESSAGING,)
    for method, path in (
        ("POST", EDGE),
        ("GET", EDGE),
        ("DELETE", EDGE),
        ("POST", f"/{template_id}"),
        ("GET", f"/{template_id}"),
        ("POST", f"/{template_id}/unpause"),
    ):
        answer = await graph.call(method, path)
        assert (answer.status, answer.code) == (403, 200), path
    assert (await send(graph, "notice")).status == 200


async def test_a_hundred_creations_an_hour(graph: "Graph", sim: Simulator) -> None:
    await created(graph, name="first")
    sim.advance(60)
    for place in range(99):
        assert (await create(graph, name=f"n{place}")).status == 200
    assert (await create(graph, name="over")).code == 80008
    sim.advance(HOUR - 60)
    assert (await create(graph, name="over")).status == 200
    assert (await create(graph, name="again_over")).code == 80008


async def test_names_are_counted_translations_are_not(graph: "Graph", sim: Simulator) -> None:
    sim.parts.world.accounts.portfolios["300000000000001"].verified = False
    for place in range(247):  # three are there from the start
        if place % 90 == 0:
            sim.advance(HOUR)
        await created(graph, name=f"n{place}")
    over = await create(graph, name="one_more")
    assert (over.code, subcode(over)) == (100, 2388019)
    assert (await create(graph, name="n0", language="en_GB")).status == 200
    sim.parts.world.accounts.portfolios["300000000000001"].verified = True
    assert (await create(graph, name="one_more")).status == 200


async def test_comparing_counts_sends(graph: "Graph", sim: Simulator) -> None:
    first, second = await created(graph), await created(graph, name="other")
    for _ in range(2):
        await send(graph, "notice")
    now = int(sim.clock.now())
    query = {"template_ids": second, "start": str(now - 10), "end": str(now + 10)}
    answer = await graph.call("GET", f"/v25.0/{first}/compare", params=query)
    metrics = {each["metric"]: each for each in answer.json["data"]}
    assert set(metrics) == {"BLOCK_RATE", "MESSAGE_SENDS", "TOP_BLOCK_REASON"}
    assert metrics["MESSAGE_SENDS"]["number_values"] == [
        {"key": first, "value": 2},
        {"key": second, "value": 0},
    ]
    assert (await graph.call("GET", f"/v25.0/{first}/compare")).code == 100
    broken = await graph.call("GET", f"/v25.0/{first}/compare", params={**query, "template_ids": "[[["})
    assert (broken.code, "template_ids" in broken.details) == (100, True)
