"""Webhooks on the wire: escaping, signature, retries, copies, holding (cloud-api.md 4.3 to 4.5)."""

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.webhooks.envelopes import escaped
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


@pytest.mark.parametrize(
    ("words", "wire"),
    [
        ("plain", rb'"plain"'),
        ("Señor Ñandú", rb'"Se\u00f1or \u00d1and\u00fa"'),
        ("\N{THUMBS UP SIGN}", rb'"\ud83d\udc4d"'),
        ("a/b", rb'"a\/b"'),
        ("<b> 5% @me", rb'"\u003Cb> 5\u0025 \u0040me"'),
        ('say "hi" \\ \n', rb'"say \"hi\" \\ \n"'),
        ("日本", rb'"\u65e5\u672c"'),
    ],
)
def test_escaping_to_the_byte(words: str, wire: bytes) -> None:
    assert escaped(words) == wire
    assert json.loads(wire) == words


def by_the_sheet(payload: Any) -> bytes:
    """Escape as 4.3 says, by another way: the whole text, character by character."""
    text = json.dumps(payload, separators=(",", ":"))
    return "".join(
        {"/": r"\/", "<": r"\u003C", "%": r"\u0025", "@": r"\u0040"}.get(c, c) for c in text
    ).encode()


def test_escaping_of_anything() -> None:
    dice = random.Random(4)
    alphabet = [
        *map(chr, range(0x250)),
        "\u2028",
        "\ud7ff",
        "\ue000",
        "\uffff",
        "\U00010000",
        "\U0010ffff",
        "\ud800",
    ]
    for _ in range(2_000):
        words = "".join(dice.choices(alphabet, k=dice.randrange(12)))
        payload: dict[str, Any] = {
            words: [
                words,
                {"n": dice.randrange(-9, 10**12), "x": dice.randrange(1000) / 8},
                None,
                True,
                [],
                {},
            ]
        }
        assert escaped(payload) == by_the_sheet(payload)
        assert json.loads(escaped(payload)) == payload


async def test_the_exact_bytes_are_signed(sim: Simulator, receiver: "Receiver") -> None:
    await sim.inbound(ANA, text="Añá @ 50% </b> \N{THUMBS UP SIGN}", name="Ana Ñ")
    (hook,) = await receiver.until(lambda hooks: len(hooks) == 1)
    assert hook.signed_with_sim_secret
    assert rb"A\u00f1\u00e1 \u0040 50\u0025 \u003C\/b> \ud83d\udc4d" in hook.raw
    assert hook.raw.isascii()
    assert json.dumps(json.loads(hook.raw), separators=(",", ":")).encode() != hook.raw, (
        "a receiver that parses and serialises again gets another signature"
    )


async def test_envelope_of_a_text(sim: Simulator, receiver: "Receiver") -> None:
    wamid = await sim.inbound(ANA, text="Y", name="Ana Q.")
    (hook,) = await receiver.until(lambda hooks: len(hooks) == 1)
    payload = json.loads(hook.raw)
    user_id = sim.state()["people"][0]["user_id"]
    timestamp = payload["entry"][0]["changes"][0]["value"]["messages"][0].pop("timestamp")
    assert timestamp.isdecimal(), "a string of unix seconds"
    assert payload == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "200000000000001",
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": "15550100000",
                                "phone_number_id": "100000000000001",
                            },
                            "contacts": [
                                {"profile": {"name": "Ana Q."}, "wa_id": "15550001111", "user_id": user_id}
                            ],
                            "messages": [
                                {
                                    "from": "15550001111",
                                    "from_user_id": user_id,
                                    "id": wamid,
                                    "type": "text",
                                    "text": {"body": "Y"},
                                }
                            ],
                        },
                    }
                ],
            }
        ],
    }


async def test_retried_until_exactly_200_with_the_same_bytes(sim: Simulator, receiver: "Receiver") -> None:
    receiver.script = [500, 204, 302, 404]
    await sim.inbound(ANA, text="hi")
    hooks = await receiver.until(lambda hooks: len(hooks) == 5)
    assert len({(hook.raw, hook.signature) for hook in hooks}) == 1
    await sim.settled()
    (logged,) = sim.webhooks()
    assert [attempt["status_code"] for attempt in logged["attempts"]] == [500, 204, 302, 404, 200]
    assert logged["state"] == "delivered"
    assert logged["body"] == hooks[0].raw.decode()


async def test_a_stuck_delivery_does_not_hold_up_the_others(sim: Simulator, receiver: "Receiver") -> None:
    receiver.stuck = release = asyncio.Event()
    await sim.inbound(ANA, text="stuck")
    await receiver.until(lambda hooks: len(hooks) == 1)
    await sim.inbound(ANA, text="swift")
    await sim.live.until(lambda: sim.webhooks()[1]["state"] == "delivered" or None, 10)
    assert [each["state"] for each in sim.webhooks()] == ["pending", "delivered"]
    release.set()
    await sim.settled()


async def test_given_up_after_seven_simulated_days(sim: Simulator, receiver: "Receiver") -> None:
    receiver.script = [500] * 10_000
    await sim.inbound(ANA, text="hi")
    await receiver.until(lambda hooks: len(hooks) >= 3)
    assert sim.webhooks()[0]["state"] == "pending"
    sim.advance(7 * 86_400 + 1)
    await sim.settled()
    assert sim.webhooks()[0]["state"] == "expired"


async def test_redelivery_in_twenty_parallel_copies(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    await sim.settled()
    ident = sim.webhooks()[0]["id"]
    status, answer = await graph.control("POST", f"/webhooks/{ident}/redeliver", {"copies": 20})
    assert (status, answer["status_codes"]) == (200, [200] * 20)
    assert len(receiver.hooks) == 21
    assert len({hook.raw for hook in receiver.hooks}) == 1
    assert (await graph.control("POST", "/webhooks/4040/redeliver"))[0] == 404


async def test_held_statuses_wait_for_their_release_and_inbound_does_not(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    assert (await graph.control("POST", "/faults", {"hold_webhooks": True}))[1]["hold_webhooks"] is True
    await sim.inbound(ANA, text="hi")
    wamid = (await graph.text()).wamid
    await sim.expect_message(status="read")
    await sim.settled()
    assert not receiver.statuses()
    assert len(receiver.inbound()) == 1
    released = await graph.control("POST", "/faults", {"hold_webhooks": False})
    assert released[1]["released"] == 3
    await sim.settled()
    assert {each["status"] for each in receiver.statuses(wamid)} == {"sent", "delivered", "read"}
