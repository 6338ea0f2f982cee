"""Webhooks that go wrong on demand: lost, twice, late, in another order, badly signed, unheard of (cloud-api.md 9)."""

import asyncio
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.faults.model import (
    Delay,
    WebhookDelay,
    WebhookDuplicate,
    WebhookInject,
    WebhookLoss,
    WebhookReorder,
    WebhookSignature,
)
from sayso.simulator.webhooks.chaos import shuffled
from sayso.simulator.webhooks.delivery import Delivery
from sayso.simulator.webhooks.injection import injected
from sayso.simulator.webhooks.signatures import headers
from sayso.simulator.webhooks.subscribers import Callback
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

SECRET = "sim-secret"


# --- signatures --------------------------------------------------------------------------------------------------


def signature(body: bytes, how: Any, secret: str = SECRET) -> str:
    return f"{how().name}=" + hmac.new(secret.encode(), body, how).hexdigest()


def test_both_signatures_over_the_exact_bytes() -> None:
    body = rb'{"a":"\u00f1"}'
    found = headers(SECRET, body)
    assert found["X-Hub-Signature-256"] == signature(body, hashlib.sha256)
    assert found["X-Hub-Signature"] == signature(body, hashlib.sha1)
    assert found["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("how", "sha256", "sha1"),
    [
        ("forged", "wrong", "wrong"),
        ("wrong_secret", "wrong", "wrong"),
        ("missing", None, None),
        ("sha1_only", None, "right"),
    ],
)
async def test_bad_signatures(
    sim: Simulator, receiver: "Receiver", how: Any, sha256: str | None, sha1: str | None
) -> None:
    sim.arm(WebhookSignature(how=how))
    await sim.inbound(ANA, text="hi")
    await sim.inbound(ANA, text="hi again")
    first, second = sorted(
        await receiver.until(lambda hooks: len(hooks) == 2), key=lambda hook: hook.signed_with_sim_secret
    )
    assert second.signed_with_sim_secret, "the next one is as always"
    for name, algorithm, wanted in (
        ("X-Hub-Signature-256", hashlib.sha256, sha256),
        ("X-Hub-Signature", hashlib.sha1, sha1),
    ):
        found = first.headers.get(name)
        right = signature(first.raw, algorithm)
        assert (found is None) == (wanted is None)
        if found is not None:
            assert (found == right) == (wanted == "right")
            assert len(found) == len(right), "as plausible as a right one"


# --- loss, copies, delay, order ------------------------------------------------------------------------------------


async def test_a_lost_webhook_never_comes(sim: Simulator, receiver: "Receiver") -> None:
    ident = sim.arm(WebhookLoss())
    lost, told = [await sim.inbound(ANA, text=words) for words in ("lost", "told")]
    await sim.settled()
    assert [each["id"] for each in receiver.inbound()] == [told]
    (logged,) = sim.webhooks(state="lost")
    assert (logged["updates"][0]["message_id"], logged["attempt_count"]) == (lost, 0)
    assert logged["faults"] == [{"id": ident, "kind": "webhook_loss"}]
    assert sim.faults()["armed"] == []


async def test_a_status_lost_of_one_message(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    await sim.inbound(ANA, text="hi")
    sim.arm(WebhookLoss(on="messages", status="delivered"))
    struck, spared = (await graph.text()).wamid, (await graph.text()).wamid
    await sim.settled()
    assert {each["status"] for each in receiver.statuses(struck)} == {"sent", "read"}
    assert {each["status"] for each in receiver.statuses(spared)} == {"sent", "delivered", "read"}


async def test_copies_of_the_same_bytes(sim: Simulator, receiver: "Receiver") -> None:
    sim.arm(WebhookDuplicate(copies=3))
    await sim.inbound(ANA, text="hi")
    await sim.settled()
    assert len({(hook.raw, hook.signature) for hook in receiver.hooks}) == 1
    assert len(receiver.hooks) == 3
    first, second, third = sim.webhooks()
    assert (second["copy_of"], third["copy_of"]) == (first["id"], first["id"])


async def test_a_copy_is_tried_again_as_any_other(sim: Simulator, receiver: "Receiver") -> None:
    receiver.script = [500, 500]
    sim.arm(WebhookDuplicate())
    await sim.inbound(ANA, text="hi")
    await sim.settled()
    assert [each["state"] for each in sim.webhooks()] == ["delivered", "delivered"]
    assert len(receiver.hooks) == 4


async def test_a_delay_in_simulated_time(sim: Simulator, receiver: "Receiver") -> None:
    sim.clock.run(0)
    sim.arm(WebhookDelay(delay_s=3600, to=ANA))
    late, soon = await sim.inbound(ANA, text="late"), await sim.inbound(BEN, text="soon")
    await receiver.until(lambda hooks: len(hooks) == 1)
    sim.advance(3599)
    assert [each["attempt_count"] for each in sim.webhooks(message_id=late)] == [0]
    assert sim.retry_webhooks() == 0, "it is no retry"
    sim.advance(1)
    await sim.settled()
    assert [each["id"] for each in receiver.inbound()] == [soon, late]


async def test_in_another_order_one_by_one(sim: Simulator, receiver: "Receiver") -> None:
    sim.clock.run(0)
    sim.arm(WebhookReorder(next=5, seed=1))
    wamids = [await sim.inbound(ANA, text=f"{place}") for place in range(4)]
    assert not receiver.hooks
    wamids.append(await sim.inbound(ANA, text="the last"))
    await sim.settled()
    came = [each["id"] for each in receiver.inbound()]
    assert came != wamids
    assert sorted(came) == sorted(wamids)


async def test_what_is_gathered_goes_after_the_span_or_when_cleared(
    sim: Simulator, receiver: "Receiver"
) -> None:
    sim.clock.run(0)
    for how, release in (("span", lambda: sim.advance(10)), ("cleared", sim.clear_faults)):
        sim.arm(WebhookReorder(until_cleared=True, span_s=10))
        before = len(receiver.hooks)
        for words in ("one", "two"):
            await sim.inbound(ANA, text=words)
        sim.advance(9.9)
        assert len(receiver.hooks) == before, how
        assert sim.parts.deliverer.pending == 2
        release()
        await sim.settled()
        assert len(receiver.hooks) == before + 2, how
        sim.clear_faults()


async def test_the_statuses_of_one_message_in_another_order(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    sim.arm(WebhookReorder(on="messages", span_s=60, seed=3))
    wamid = (await graph.text()).wamid
    await sim.expect_message(status="read")
    assert not receiver.statuses(wamid)
    sim.advance(60)
    await sim.settled()
    came = [each["status"] for each in receiver.statuses(wamid)]
    assert came != ["sent", "delivered", "read"]
    assert sorted(came) == ["delivered", "read", "sent"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
def test_a_shuffle_is_seeded_and_never_the_old_order(count: int) -> None:
    there = [
        Delivery(place, Callback("9"), (), b"", {}, created_at=0.0, pause_s=0.0) for place in range(count)
    ]
    for seed in range(20):
        order = shuffled(there, seed)
        assert order == shuffled(there, seed)
        assert sorted(each.id for each in order) == list(range(count))
        assert (order == there) == (count < 2)


async def test_statuses_before_the_answer_of_the_send(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    sim.arm(Delay(delay_s=60, after_accept=True))
    waiting = asyncio.create_task(graph.text())
    message = await sim.expect_message(status="read")
    await receiver.status(message["wamid"], "read")
    assert not waiting.done()
    waiting.cancel()


async def test_held_and_struck_at_once(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    await sim.inbound(ANA, text="hi")
    sim.hold_webhooks(on=True)
    sim.arm(WebhookSignature(how="forged", status="sent"))
    wamid = (await graph.text()).wamid
    await sim.expect_message(status="read")
    await sim.settled()
    assert len(sim.webhooks(state="held")) == 3
    assert sim.hold_webhooks(on=False) == 3
    await sim.settled()
    wrong = [hook for hook in receiver.hooks if not hook.signed_with_sim_secret]
    assert [hook.value["statuses"][0]["status"] for hook in wrong] == ["sent"]
    assert len(receiver.statuses(wamid)) == 3


# --- payloads of tomorrow ------------------------------------------------------------------------------------------

PAYLOAD = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "id": "2",
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "messages": [{"id": "a", "type": "text", "text": {"body": "hi"}}],
                        "statuses": [{"id": "b", "status": "sent"}],
                    },
                }
            ],
        }
    ],
}


def test_an_unknown_field_and_an_unknown_type() -> None:
    before = json.dumps(PAYLOAD)
    (change,) = injected(PAYLOAD, "unknown_field")["entry"][0]["changes"]
    assert change == {**PAYLOAD["entry"][0]["changes"][0], "field": "messages_of_tomorrow"}  # type: ignore[index]
    (change,) = injected(PAYLOAD, "unknown_type")["entry"][0]["changes"]
    assert change["value"] == {
        "messages": [{"id": "a", "type": "hologram", "hologram": {"body": "hi"}}],
        "statuses": [{"id": "b", "status": "hologram"}],
    }
    assert json.dumps(PAYLOAD) == before


def test_extra_keys_stand_beside_all_there_was() -> None:
    def without(node: Any) -> Any:
        if isinstance(node, dict):
            assert "added_in_v99" in node
            return {key: without(each) for key, each in node.items() if key != "added_in_v99"}
        return [without(each) for each in node] if isinstance(node, list) else node

    assert without(injected(PAYLOAD, "extra_keys")) == PAYLOAD


@pytest.mark.parametrize("what", ["unknown_field", "unknown_type", "extra_keys"])
async def test_injected_payloads_are_rightly_signed(sim: Simulator, receiver: "Receiver", what: Any) -> None:
    sim.arm(WebhookInject(what=what))
    await sim.inbound(ANA, text="hi")
    (hook,) = await receiver.until(lambda hooks: len(hooks) == 1)
    assert hook.signed_with_sim_secret
    assert any(word in hook.raw for word in (b"messages_of_tomorrow", b"hologram", b"added_in_v99"))


async def test_several_faults_of_one_message_and_of_webhooks(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    sim.arm(WebhookDuplicate(on="messages", status="sent"))
    sim.arm(WebhookInject(what="extra_keys", status="sent"))
    wamid = (await graph.text()).wamid
    await sim.settled()
    sent = [hook for hook in receiver.hooks if hook.value.get("statuses", [{}])[0].get("status") == "sent"]
    assert len(sent) == 2
    assert len({hook.raw for hook in sent}) == 1
    assert b"added_in_v99" in sent[0].raw
    assert len(receiver.statuses(wamid)) == 4
