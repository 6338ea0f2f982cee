"""Every late failure, its webhook whole (cloud-api.md 4.6, 4.7, 4.9, 5.3, 9)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.accounts import Restriction
from sayso.simulator.world.quotas import Reach
from sayso.simulator.world.templates import Template
from simulator.known import HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

ANA, NEW_YORK = "+15550001111", "+12125550123"
HREF = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes"
TEXT: dict[str, Any] = {"type": "text", "text": {"body": "hello"}}
OFFER: dict[str, Any] = {"type": "template", "template": {"name": "offer", "language": {"code": "en"}}}


@dataclass(frozen=True)
class Case:
    """What is sent, in which world, and the code and words it fails with."""

    code: int
    title: str
    details: str
    message: dict[str, Any] = field(default_factory=lambda: HELLO)
    arrange: Callable[[Simulator], object] = lambda _: None
    to: str = ANA


def tier(sim: Simulator) -> None:
    """Use up the lowest tier."""
    world = sim.parts.world
    world.accounts.portfolios[sim.config.portfolio_id].tier = "TIER_50"
    from_now = sim.clock.now()
    reached = world.quotas.reach.setdefault(sim.config.portfolio_id, Reach())
    reached.delivered.update({str(index): from_now for index in range(50)})


def ana(sim: Simulator) -> Any:
    return sim.parts.world.people[ANA[1:]]


def capped(sim: Simulator) -> None:
    ana(sim).marketing.taken = [sim.clock.now()] * 2


def restricted(sim: Simulator) -> None:
    sim.parts.world.number.restriction = Restriction(131031, "Locked for a test.", late=True)


ECOSYSTEM = (
    "This message was not delivered to maintain healthy ecosystem engagement",
    "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
)
UNREACHABLE = (
    "Message undeliverable",
    (
        "Message Undeliverable. The recipient may not be on WhatsApp, may not have accepted its terms, or may use "
        "an old version."
    ),
)
CASES = {
    "outside the window": Case(
        131047,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this "
        "number.",
        TEXT,
    ),
    "not on WhatsApp": Case(
        131026, *UNREACHABLE, arrange=lambda sim: setattr(ana(sim), "on_whatsapp", False)
    ),
    "blocked by the person": Case(
        131026, *UNREACHABLE, arrange=lambda sim: ana(sim).blocked_by.add(sim.config.phone_number_id)
    ),
    "capped": Case(131049, *ECOSYSTEM, OFFER, capped),
    "the United States": Case(131049, *ECOSYSTEM, OFFER, to=NEW_YORK),
    "stopped": Case(
        131050,
        "User has stopped marketing messages from this business",
        "Unable to deliver: the recipient chose to stop marketing messages from this business.",
        OFFER,
        lambda sim: ana(sim).no_marketing.add(sim.config.phone_number_id),
    ),
    "beyond the tier": Case(
        131048,
        "Spam rate limit hit",
        "Message failed to send because there are restrictions on how many messages can be sent from this phone "
        "number: the messaging limit of its business portfolio has been reached.",
        arrange=tier,
    ),
    "restricted": Case(131031, "Account has been locked", "Locked for a test.", arrange=restricted),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_the_webhook_of_a_late_failure(
    sim: Simulator, graph: "Graph", receiver: "Receiver", case: Case
) -> None:
    components = ({"type": "BODY", "text": "Three for two."},)
    offer = Template("1900000000000777", "offer", "en", "MARKETING", components, waba_id=sim.config.waba_id)
    sim.parts.world.templates[offer.id] = offer
    case.arrange(sim)
    sent = await graph.send(**case.message, to=case.to, biz_opaque_callback_data="conf:7f3a")
    failed = await receiver.status(sent.wamid, "failed")
    await sim.settled()
    (hook,) = receiver.hooks
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": sim.config.phone_number_id},
        "contacts": [{"wa_id": case.to[1:]}],
        "statuses": [
            {
                "id": sent.wamid,
                "status": "failed",
                "timestamp": failed["timestamp"],
                "recipient_id": case.to[1:],
                "biz_opaque_callback_data": "conf:7f3a",
                "errors": [
                    {
                        "code": case.code,
                        "title": case.title,
                        "message": case.title,
                        "error_data": {"details": case.details},
                        "href": HREF,
                    }
                ],
            }
        ],
    }
    assert json.loads(hook.raw) == {
        "object": "whatsapp_business_account",
        "entry": [{"id": sim.config.waba_id, "changes": [{"value": value, "field": "messages"}]}],
    }
    assert failed["timestamp"].isdecimal()
