"""Several updates in one webhook: shapes whole, bounds, company on the clock (cloud-api.md 4.4, 4.5, 9)."""

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.webhooks.batches import BYTES_AT_MOST
from sayso.simulator.webhooks.updates import Update, payload
from sayso.simulator.world.accounts import BusinessNumber, Waba
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Receiver

NUMBER, OTHER_NUMBER = "100000000000001", "100000000000002"
WABA, OTHER_WABA = "200000000000001", "200000000000002"


def metadata(number: str = NUMBER) -> dict[str, str]:
    return {"display_phone_number": "15550100000", "phone_number_id": number}


def value(number: str = NUMBER, **more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": metadata(number), **more}


def contact(wa_id: str) -> dict[str, Any]:
    return {"profile": {"name": wa_id}, "wa_id": wa_id, "user_id": f"US.{wa_id}"}


def status(wamid: str, wa_id: str = "1", number: str = NUMBER, waba: str = WABA) -> Update:
    told = {"id": wamid, "status": "sent"}
    found = value(number, contacts=[contact(wa_id)], statuses=[told])
    return Update("status", "messages", waba, found, number)


def inbound(wamid: str, wa_id: str = "1") -> Update:
    told = {"id": wamid, "type": "text"}
    return Update("inbound", "messages", WABA, value(contacts=[contact(wa_id)], messages=[told]), NUMBER)


def failed(wamid: str) -> Update:
    return Update("status", "messages", WABA, value(statuses=[{"id": wamid, "status": "failed"}]), NUMBER)


def account(field: str, at: int, waba: str = WABA) -> Update:
    return Update("account", field, waba, {"event": field}, at=at)


def entry(*changes: dict[str, Any], waba: str = WABA) -> dict[str, Any]:
    return {"id": waba, "changes": list(changes)}


def change(found: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    return {"value": found, "field": field}


SENT = {"status": "sent"}
SHAPES: dict[str, tuple[list[Update], list[dict[str, Any]]]] = {
    "one alone is as it was": (
        [status("a")],
        [entry(change(value(contacts=[contact("1")], statuses=[{"id": "a"} | SENT])))],
    ),
    "statuses and messages of a number in one value, a person once": (
        [status("a"), inbound("b"), status("c", "2"), status("d")],
        [
            entry(
                change(
                    value(
                        contacts=[contact("1"), contact("2")],
                        statuses=[{"id": "a"} | SENT, {"id": "c"} | SENT, {"id": "d"} | SENT],
                        messages=[{"id": "b", "type": "text"}],
                    )
                )
            )
        ],
    ),
    "one without contacts joins": (
        [failed("a"), status("b")],
        [
            entry(
                change(
                    value(
                        statuses=[{"id": "a", "status": "failed"}, {"id": "b"} | SENT],
                        contacts=[contact("1")],
                    )
                )
            )
        ],
    ),
    "two numbers of a WABA are two changes of one entry": (
        [status("a"), status("b", number=OTHER_NUMBER), status("c")],
        [
            entry(
                change(value(contacts=[contact("1")], statuses=[{"id": "a"} | SENT, {"id": "c"} | SENT])),
                change(value(OTHER_NUMBER, contacts=[contact("1")], statuses=[{"id": "b"} | SENT])),
            )
        ],
    ),
    "two WABAs are two entries": (
        [status("a"), status("b", number=OTHER_NUMBER, waba=OTHER_WABA)],
        [
            entry(change(value(contacts=[contact("1")], statuses=[{"id": "a"} | SENT]))),
            entry(
                change(value(OTHER_NUMBER, contacts=[contact("1")], statuses=[{"id": "b"} | SENT])),
                waba=OTHER_WABA,
            ),
        ],
    ),
    "other fields keep their time, and an entry for each": (
        [account("security", 5), status("a"), account("account_update", 5), account("security", 6)],
        [
            {
                "id": WABA,
                "time": 5,
                "changes": [
                    change({"event": "security"}, "security"),
                    change({"event": "account_update"}, "account_update"),
                ],
            },
            entry(change(value(contacts=[contact("1")], statuses=[{"id": "a"} | SENT]))),
            {"id": WABA, "time": 6, "changes": [change({"event": "security"}, "security")]},
        ],
    ),
    "errors of an account stand alone": (
        [status("a"), Update("account", "messages", WABA, value(errors=[{"code": 131000}]), NUMBER)],
        [
            entry(
                change(value(contacts=[contact("1")], statuses=[{"id": "a"} | SENT])),
                change(value(errors=[{"code": 131000}])),
            )
        ],
    ),
}


@pytest.mark.parametrize(("updates", "entries"), SHAPES.values(), ids=SHAPES.keys())
def test_the_shape_of_a_batch(updates: list[Update], entries: list[dict[str, Any]]) -> None:
    before = json.dumps([each.value for each in updates])
    assert payload(updates) == {"object": "whatsapp_business_account", "entry": entries}
    assert json.dumps([each.value for each in updates]) == before, "another callback gets them too"


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(
        port=0,
        webhook_url=receiver.url,
        sent_after_ms=1,
        delivered_after_ms=1,
        read_after_ms=1,
        batch_at_most=10,
        batch_wait_ms=60_000,
        verify_at_start=False,
    )


async def test_what_waits_goes_together_once_the_first_has_waited(
    frozen: Simulator, receiver: "Receiver"
) -> None:
    wamids = [await frozen.inbound(ANA, text="one"), await frozen.inbound(BEN, text="two")]
    assert frozen.parts.deliverer.pending == 1
    assert frozen.webhooks() == []
    frozen.advance(59)
    assert frozen.webhooks() == []
    frozen.advance(1)
    (hook,) = await receiver.until(lambda hooks: len(hooks) == 1)
    assert [each["id"] for each in hook.value["messages"]] == wamids
    assert hook.signed_with_sim_secret
    await frozen.settled()
    (logged,) = frozen.webhooks()
    assert [each["message_id"] for each in logged["updates"]] == wamids
    assert {each["kind"] for each in logged["updates"]} == {logged["kind"]} == {"inbound"}


async def test_each_message_of_a_batch_is_acknowledged(frozen: Simulator, receiver: "Receiver") -> None:
    receiver.script = [500]
    wamids = [await frozen.inbound(ANA, text="one"), await frozen.inbound(BEN, text="two")]
    frozen.advance(60)
    await receiver.until(lambda hooks: len(hooks) == 1)
    assert {frozen.world.messages[each].status for each in wamids} == {"sent"}
    await frozen.live.until(lambda: frozen.webhooks()[0]["next_attempt_at"] or None, 10)
    frozen.retry_webhooks()
    await frozen.settled()
    assert {frozen.world.messages[each].status for each in wamids} == {"delivered"}


@pytest.mark.parametrize(("said", "hooks"), [(9, 0), (10, 1), (11, 1), (20, 2)])
async def test_a_full_batch_goes_at_once(
    frozen: Simulator, receiver: "Receiver", said: int, hooks: int
) -> None:
    for place in range(said):
        await frozen.inbound(ANA, text=f"{place}")
    assert len(frozen.webhooks()) == hooks
    frozen.advance(60)
    await frozen.settled()
    assert sorted(len(hook.value["messages"]) for hook in receiver.hooks) == sorted(
        [10] * (said // 10) + ([said % 10] if said % 10 else [])
    )


async def test_a_thousand_at_most_and_three_megabytes(config: SimulatorConfig, receiver: "Receiver") -> None:
    greedy = dataclasses.replace(config, batch_at_most=5_000)
    async with Simulator(greedy) as sim:
        sim.clock.run(0)
        for place in range(1_001):
            sim.parts.outbox.messages("status", sim.world.number, {"statuses": [{"id": f"{place}"}]})
        assert [len(each["updates"]) for each in sim.webhooks()] == [1_000]
        for _ in range(64):
            await sim.inbound(ANA, text="ñ" * 10_000)  # 60,000 bytes each on the wire
        sim.advance(60)
        await sim.settled()
        sizes = [len(hook.raw) for hook in receiver.hooks]
        assert max(sizes) <= BYTES_AT_MOST
        assert len(sizes) == 3, sizes
        assert sum(len(each["updates"]) for each in sim.webhooks()) == 1_065


async def test_a_batch_of_two_numbers_and_two_wabas_arrives(frozen: Simulator, receiver: "Receiver") -> None:
    world = frozen.world
    waba = world.add_waba(Waba(OTHER_WABA, "300000000000001"))
    waba.subscribed = {frozen.config.app_id: None}
    number = BusinessNumber(OTHER_NUMBER, OTHER_WABA, "15550100002", "Other")
    world.accounts.numbers[OTHER_NUMBER] = number
    frozen.parts.outbox.messages("status", world.number, {"statuses": [{"id": "a", "status": "sent"}]})
    frozen.parts.outbox.messages("status", number, {"statuses": [{"id": "b", "status": "sent"}]})
    frozen.parts.outbox.change("account_update", waba, {"event": "VERIFIED_ACCOUNT"})
    frozen.advance(60)
    (hook,) = await receiver.until(lambda hooks: len(hooks) == 1)
    assert [each["id"] for each in hook.payload["entry"]] == [WABA, OTHER_WABA, OTHER_WABA]
    assert [each["id"] for each in receiver.statuses()] == ["a", "b"]
    await frozen.settled()
    (logged,) = frozen.webhooks()
    assert logged["kind"] == "mixed"
    assert logged["fields"] == ["account_update", "messages"]
    assert frozen.webhooks(kind="account") == frozen.webhooks(kind="status") == [logged]
    assert frozen.webhooks(kind="inbound") == []
