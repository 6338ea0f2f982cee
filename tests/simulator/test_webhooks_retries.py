"""Retries on the simulated clock: the ladder, seven days, now, to all apps; trouble (cloud-api.md 4.5)."""

import asyncio
import dataclasses
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.world.accounts import App, Override, Subscription
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

DAY_S = 86_400


def attempted(sim: Simulator, times: int) -> bool | None:
    """Tell whether every webhook was tried so often and waits for its next time; None while not."""
    waiting = (each["attempt_count"] == times and each["next_attempt_at"] for each in sim.webhooks())
    return True if all(waiting) else None


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(
        port=0, webhook_url=receiver.url, retry_first_ms=1_000, retry_cap_ms=60_000, verify_at_start=False
    )


async def attempts(sim: Simulator, count: int) -> list[dict[str, Any]]:
    """Wait until the one webhook was attempted so often and what followed is decided."""

    def look() -> list[dict[str, Any]] | None:
        (logged,) = sim.webhooks()
        waits = logged["state"] != "pending" or logged["next_attempt_at"] is not None
        return logged["attempts"] if logged["attempt_count"] == count and waits else None

    found = await sim.live.until(look, 10)
    assert found is not None, sim.webhooks()
    return found


async def test_the_pauses_grow_up_to_the_cap(frozen: Simulator, receiver: "Receiver") -> None:
    receiver.script = [500] * 100
    began = frozen.clock.now()
    await frozen.inbound(ANA, text="hi")
    await attempts(frozen, 1)
    for count, pause in enumerate([1, 2, 4, 8, 16, 32, 60, 60], start=2):
        frozen.advance(pause - 0.001)
        assert frozen.webhooks()[0]["attempt_count"] == count - 1, "not before its time"
        frozen.advance(0.001)
        await attempts(frozen, count)
    at = [each["at"] - began for each in frozen.webhooks()[0]["attempts"]]
    assert [round(each) for each in at] == [0, 1, 3, 7, 15, 31, 63, 123, 183]


async def test_nothing_is_tried_while_time_stands_still(frozen: Simulator, receiver: "Receiver") -> None:
    receiver.script = [500]
    await frozen.inbound(ANA, text="hi")
    await attempts(frozen, 1)
    assert frozen.parts.deliverer.pending == 1
    frozen.clock.run(1_000)
    await frozen.settled()
    assert [each["status_code"] for each in frozen.webhooks()[0]["attempts"]] == [500, 200]


@pytest.mark.parametrize(
    ("days", "state"), [(6.9, "pending"), (7.0, "expired"), (30, "expired")], ids=["before", "at", "after"]
)
async def test_seven_simulated_days(frozen: Simulator, receiver: "Receiver", days: float, state: str) -> None:
    receiver.script = [500] * 100
    await frozen.inbound(ANA, text="hi")
    await attempts(frozen, 1)
    frozen.advance(days * DAY_S)
    await attempts(frozen, 2)
    assert frozen.webhooks()[0]["state"] == state
    assert frozen.parts.deliverer.pending == (1 if state == "pending" else 0)


async def test_all_retries_now(frozen: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    graph.base_url = frozen.base_url
    receiver.script = [500] * 3
    for words in ("one", "two", "three"):
        await frozen.inbound(ANA, text=words)
    assert await frozen.live.until(
        lambda: all(each["next_attempt_at"] and each["attempts"] for each in frozen.webhooks()) or None, 10
    )
    assert await graph.control("POST", "/webhooks/retry") == (200, {"retried": 3})
    await frozen.settled()
    assert {each["state"] for each in frozen.webhooks()} == {"delivered"}
    assert await graph.control("POST", "/webhooks/retry") == (200, {"retried": 0})


async def test_a_receiver_that_never_answers_is_left_in_time(
    config: SimulatorConfig, receiver: "Receiver"
) -> None:
    receiver.stuck = release = asyncio.Event()
    async with Simulator(dataclasses.replace(config, webhook_timeout_ms=50)) as sim:
        sim.clock.run(0)
        await sim.inbound(ANA, text="hi")
        (attempt,) = await attempts(sim, 1)
        assert attempt["status_code"] is None
        assert "Timeout" in attempt["error"]
        sim.retry_webhooks()
        await sim.settled()
        assert sim.webhooks()[0]["state"] == "delivered"
    release.set()


async def test_trouble_is_said_once_and_its_end_once(
    frozen: Simulator, receiver: "Receiver", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sayso.simulator.webhooks")
    receiver.script = [503] * 6
    for words in ("one", "two"):
        await frozen.inbound(ANA, text=words)
    for count in (1, 2, 3):
        assert await frozen.live.until(partial(attempted, frozen, count), 10)
        frozen.retry_webhooks()
    await frozen.settled()
    said = [(each.levelname, each.getMessage()) for each in caplog.records]
    assert said == [
        ("WARNING", f"webhooks to {receiver.url} cannot be delivered: HTTP 503; they are tried again"),
        ("WARNING", f"webhooks to {receiver.url} are delivered again"),
    ]


async def test_more_than_can_be_kept_are_dropped_and_that_is_said_once(
    config: SimulatorConfig, receiver: "Receiver", caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script = [500] * 2
    async with Simulator(dataclasses.replace(config, keep_pending_webhooks=2)) as sim:
        sim.clock.run(0)
        for words in ("one", "two", "three", "four"):
            await sim.inbound(ANA, text=words)
        assert [each["state"] for each in sim.webhooks()] == ["pending", "pending", "dropped", "dropped"]
        dropping = [each.getMessage() for each in caplog.records if "dropped" in each.getMessage()]
        assert dropping == ["webhooks are dropped: 2 are pending already"]
        assert await sim.live.until(
            lambda: all(each["next_attempt_at"] for each in sim.webhooks(state="pending")) or None, 10
        )
        sim.retry_webhooks()
        await sim.settled()
        await sim.inbound(ANA, text="five")
        await sim.settled()
        assert len(sim.webhooks(state="delivered")) == 3


# --- several apps -------------------------------------------------------------------------------------------


def second_app(sim: Simulator, url: str) -> str:
    app = App("900000000000002", "other-secret", subscription=Subscription(url, "v"))
    sim.world.accounts.apps[app.id] = app
    sim.world.accounts.wabas[sim.config.waba_id].subscribed[app.id] = None
    return app.id


async def test_each_app_gets_its_own_signature(frozen: Simulator, receiver: "Receiver") -> None:
    other = second_app(frozen, receiver.url)
    await frozen.inbound(ANA, text="hi")
    hooks = await receiver.until(lambda hooks: len(hooks) == 2)
    assert hooks[0].raw == hooks[1].raw
    assert sorted(hook.signed_with_sim_secret for hook in hooks) == [False, True]
    assert sorted(hook.signed_with(b"other-secret") for hook in hooks) == [False, True]
    assert [each["app_id"] for each in frozen.webhooks()] == [frozen.config.app_id, other]


@pytest.mark.parametrize(("switch", "hooks"), [(False, 3), (True, 4)])
async def test_retries_go_to_all_apps_where_that_is_switched_on(
    config: SimulatorConfig, receiver: "Receiver", switch: bool, hooks: int
) -> None:
    async with Simulator(dataclasses.replace(config, retry_to_all_apps=switch)) as sim:
        sim.clock.run(0)
        other = second_app(sim, receiver.url)
        receiver.script = [500, 200]
        await sim.inbound(ANA, text="hi")
        await receiver.until(lambda found: len(found) == 2)
        assert await sim.live.until(lambda: sim.webhooks(state="delivered") or None, 10)
        assert await sim.live.until(
            lambda: [each for each in sim.webhooks(state="pending") if each["next_attempt_at"]] or None, 10
        )
        (failing,) = sim.webhooks(state="pending")
        sim.retry_webhooks()
        await sim.settled()
        assert len(receiver.hooks) == hooks
        extra = sim.webhooks()[2:]
        told_twice = other if failing["app_id"] == config.app_id else config.app_id
        assert [(each["app_id"], each["copy_of"]) for each in extra] == [(told_twice, failing["id"])] * switch


async def test_number_override_before_waba_override_before_the_app(
    frozen: Simulator, receiver: "Receiver"
) -> None:
    waba, number = frozen.world.accounts.wabas[frozen.config.waba_id], frozen.world.number
    for place in ("app", "waba", "number"):
        if place == "waba":
            waba.subscribed[frozen.config.app_id] = Override(f"{receiver.url}?waba")
        if place == "number":
            number.override = Override(f"{receiver.url}?number")
        await frozen.inbound(ANA, text=place)
        await frozen.settled()
    assert [each["url"].removeprefix(receiver.url) for each in frozen.webhooks()] == ["", "?waba", "?number"]


async def test_an_app_that_unsubscribed_is_told_no_more(frozen: Simulator, receiver: "Receiver") -> None:
    receiver.script = [500]
    await frozen.inbound(ANA, text="hi")
    await attempts(frozen, 1)
    frozen.world.accounts.apps[frozen.config.app_id].subscription = None
    frozen.retry_webhooks()
    await frozen.settled()
    assert (frozen.webhooks()[0]["state"], len(receiver.hooks)) == ("dropped", 1)


async def test_saved_and_restored_they_are_tried_again(
    frozen: Simulator, config: SimulatorConfig, receiver: "Receiver"
) -> None:
    receiver.script = [500]
    await frozen.inbound(ANA, text="hi")
    await attempts(frozen, 1)
    frozen.hold_webhooks(on=True)
    frozen.parts.outbox.messages("status", frozen.world.number, {"statuses": [{"id": "a", "status": "sent"}]})
    saved = msgspec.json.decode(msgspec.json.encode(frozen.parts.deliverer.saved()))
    async with Simulator(config) as other:
        other.clock.start_at(frozen.clock.now(), 0.0)
        other.parts.deliverer.restored(saved)
        assert other.webhooks() == frozen.webhooks()
        other.advance(1)
        await other.settled()
        assert [each["state"] for each in other.webhooks()] == ["delivered", "held"]
        assert other.hold_webhooks(on=False) == 1
        await other.settled()
        assert len(receiver.hooks) == 3
        await other.inbound(ANA, text="later")
        assert other.webhooks()[-1]["id"] == 3
