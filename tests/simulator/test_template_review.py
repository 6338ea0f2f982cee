"""Review of templates: category, verdict, who decides and when, each told by webhook (cloud-api.md 3.3, 3.6, 3.8)."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.templates import review as rules
from sayso.simulator.templates.review import REASONS
from simulator.template_stage import (
    BODY,
    STATUS,
    body,
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
    from simulator.conftest import Graph, Receiver

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def review() -> str:
    return "delayed"


@pytest.fixture
def config(receiver: "Receiver", review: Any) -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, review=review, review_after_s=60)


async def test_verdict_falls_after_the_delay_and_is_told(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    answer = await create(graph)
    template_id = answer.json["id"]
    assert answer.json == {"id": template_id, "status": "PENDING", "category": "UTILITY"}
    assert (await send(graph, "notice")).code == 132001
    sim.advance(59)
    assert (await read(graph, template_id))["status"] == "PENDING"
    sim.advance(1)
    await told(receiver, STATUS, 1)
    assert receiver.hooks[-1].payload == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "200000000000001",
                "time": int(sim.clock.now()),
                "changes": [
                    {
                        "value": {
                            "event": "APPROVED",
                            "message_template_id": int(template_id),
                            "message_template_name": "notice",
                            "message_template_language": "en_US",
                            "reason": "NONE",
                            "message_template_category": "UTILITY",
                        },
                        "field": STATUS,
                    }
                ],
            }
        ],
    }
    assert (await send(graph, "notice")).status == 200


@pytest.mark.parametrize("review", ["instant"])
async def test_instant_review_is_in_the_answer_and_told_all_the_same(
    graph: "Graph", receiver: "Receiver"
) -> None:
    assert (await create(graph)).json["status"] == "APPROVED"
    rejected = await create(graph, body("Do as we say, you idiots."), name="rude")
    assert rejected.json["status"] == "REJECTED"
    assert [each["event"] for each in await told(receiver, STATUS, 2)] == ["APPROVED", "REJECTED"]


@pytest.mark.parametrize("review", ["moderator"])
async def test_a_moderator_decides_in_their_own_time(graph: "Graph", sim: Simulator) -> None:
    template_id = await created(graph)
    sim.advance(90 * 24 * 3600)
    assert (await read(graph, template_id))["status"] == "PENDING"
    assert (await desk(graph, template_id, "approve"))["status"] == "APPROVED"


REJECTED = {
    "ABUSIVE_CONTENT": body("Do as we say, you idiots."),
    "SCAM": body("Please reply with your card number to go on."),
    "TAG_CONTENT_MISMATCH": body("Ваш заказ уже готов, приходите."),
    "INVALID_FORMAT": body("Dear {name}, your order is ready."),
    "INCORRECT_CATEGORY": body("Here is the verification code you asked for."),
}


@pytest.mark.parametrize("reason", REJECTED)
async def test_rejection_has_its_reason_and_words(
    graph: "Graph", sim: Simulator, receiver: "Receiver", reason: str
) -> None:
    template_id = await created(graph, REJECTED[reason])
    sim.advance(60)
    template = await read(graph, template_id)
    assert (template["status"], template["rejected_reason"]) == ("REJECTED", reason)
    (value,) = await told(receiver, STATUS, 1)
    assert set(value.pop("rejection_info")) == {"reason", "recommendation"}
    assert value == {
        "event": "REJECTED",
        **which(template_id),
        "reason": reason,
        "message_template_category": "UTILITY",
    }


APPROVED = {
    "a link": ("en_US", body("See https://example.org/a for the report.")),
    "Cyrillic in Russian": ("ru", body("Ваш заказ уже готов, приходите.")),
    "Latin words in Japanese": ("ja", body("ご注文の Blue Pen が届きました。")),
    "Chinese": ("zh_CN", body("您的订单已经准备好了。")),
    "few letters": ("ru", body("100 %: ok!")),
}


@pytest.mark.parametrize("case", APPROVED)
async def test_approval(graph: "Graph", sim: Simulator, case: str) -> None:
    language, component = APPROVED[case]
    template_id = await created(graph, component, language=language)
    sim.advance(60)
    template = await read(graph, template_id)
    assert (template["status"], template["rejected_reason"]) == ("APPROVED", "NONE")


#: What the rules themselves give as an example.
VAGUE = re.findall(r'variables, such as "(.+?)"', rules.__doc__ or "")
CATEGORIES = {
    "the rules' example": (body(*VAGUE, "x"), "UTILITY", "MARKETING"),
    "plain": (BODY, "UTILITY", "UTILITY"),
    "a discount": (body("Your discount is waiting for you."), "UTILITY", "MARKETING"),
    "per cent off": (body("Only today you get 20% off shoes."), "UTILITY", "MARKETING"),
    "a wholesaler is no sale": (body("Your wholesaler has sent the goods."), "UTILITY", "UTILITY"),
    "nothing but a variable": (body("Hello {{1}} dear friend.", "x"), "UTILITY", "MARKETING"),
    "three words": (body("Report {{1}} is ready.", "x"), "UTILITY", "UTILITY"),
    "asked for": (BODY, "MARKETING", "MARKETING"),
}


@pytest.mark.parametrize("case", CATEGORIES)
async def test_category_comes_back_as_judged(graph: "Graph", sim: Simulator, case: str) -> None:
    component, asked, judged = CATEGORIES[case]
    ttl = {} if asked == "MARKETING" else {"message_send_ttl_seconds": 60}
    answer = await create(graph, component, category=asked, **ttl)
    assert answer.json["category"] == judged
    sim.advance(60)
    template = await read(graph, answer.json["id"])
    assert (template["status"], template["category"]) == ("APPROVED", judged)
    assert ("message_send_ttl_seconds" in template) == (judged == "UTILITY")


@pytest.mark.parametrize("review", ["moderator"])
@pytest.mark.parametrize("reason", [each for each in REASONS if each != "NONE"])
async def test_a_moderator_rejects_for_any_reason_and_an_appeal_is_heard(
    graph: "Graph", receiver: "Receiver", reason: str
) -> None:
    template_id = await created(graph)
    told_to_desk = await desk(
        graph, template_id, "reject", reason=reason, explanation="It is so.", recommendation="Do otherwise."
    )
    assert told_to_desk["rejection"] == {"reason": "It is so.", "recommendation": "Do otherwise."}
    await desk(graph, template_id, "appeal")
    assert (await read(graph, template_id))["status"] == "IN_APPEAL"
    await desk(graph, template_id, "approve")
    assert (await read(graph, template_id))["rejected_reason"] == "NONE"
    found = await told(receiver, STATUS, 3)
    by_event = {each["event"]: each for each in found}
    assert by_event["REJECTED"]["rejection_info"] == told_to_desk["rejection"]
    assert by_event["REJECTED"]["reason"] == reason
    assert set(by_event) == {"REJECTED", "IN_APPEAL", "APPROVED"}
    assert len(values(receiver, STATUS)) == 3
