"""Numbers of ours: what Meta says of them, what stops them, and how they go on by themselves."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.operating import alerts, operator, sender
from harness.service import PHONE_NUMBER_ID, serving, settings
from harness.waiting import eventually
from harness.world import ALICE, BEN, World, a_world
from sayso.senders import checks, proving, rules

SECOND = "100000000000002"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """The file the access token stands in."""
    file = tmp_path / "access-token"
    file.write_text("sim-token")
    return file


@pytest.fixture
async def tokened(dsn: str, tmp_path: Path, token_file: Path) -> AsyncIterator[World]:
    """Everything, with the token in a file."""
    async with a_world(dsn, tmp_path, sayso_access_token_file=token_file) as world:
        yield world


@contextlib.asynccontextmanager
async def two_senders(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, with two business numbers."""
    async with a_world(dsn, tmp_path, more=[SECOND]) as world:
        yield world


def replace_token(file: Path, token: str) -> None:
    """Replace the token as an operator should: beside it, then renamed."""
    beside = file.with_suffix(".new")
    beside.write_text(token)
    beside.replace(file)


async def told(world: World, *kinds: str) -> list[tuple[str, str]]:
    """The operator's events of these kinds: type, and key or sender."""
    _, body = await operator(world).call("GET", "/events", params={"limit": "500"})
    return [
        (event["type"], event["data"].get("key") or event["data"].get("sender"))
        for event in body["events"]
        if event["type"] in kinds
    ]


async def until(world: World, look: Any, what: str) -> Any:
    """Wait for something of a sender that is true by the API."""

    async def looking() -> Any:
        return look(await sender(world))

    return await eventually(looking, what)


async def send(world: World, words: str, **changes: Any) -> str:
    return await world.api.sent(ALICE, content=words, **changes)


async def test_what_meta_says_of_a_number_is_learned_at_the_start_and_when_it_changes(world: World) -> None:
    first = await until(world, lambda s: s if s["check"]["at"] else None, "the first check")
    assert first["rate"]["limit_per_s"] == 80
    assert (first["quality"], first["status"], first["people"]["tier"]) == (
        "GREEN",
        "CONNECTED",
        "TIER_UNLIMITED",
    )
    world.sim.accounts.change_number(PHONE_NUMBER_ID, throughput="HIGH")
    fast = await until(world, lambda s: s if s["rate"]["limit_per_s"] == 1000 else None, "the upgrade")
    assert fast["rate"]["throughput"] == "HIGH"
    world.sim.accounts.change_portfolio(world.sim.accounts.listed()["portfolios"][0]["id"], tier="TIER_2K")
    limited = await until(world, lambda s: s if s["people"]["limit"] else None, "the limit")
    assert limited["portfolio_id"] == world.sim.accounts.listed()["portfolios"][0]["id"]
    assert limited["people"] == {"tier": "TIER_2K", "limit": 2000, "reached_24h": 0, "headroom": 2000}


async def test_what_meta_counts_of_messages_and_calls_is_shown(world: World) -> None:
    await world.open_window()
    await send(world, "hello")
    used = await until(world, lambda s: s["rate"]["used_percent"], "the share of an answer")
    assert (
        used == 1
    )  # of a number that may send 80 a second, one message is the smallest share that Meta tells
    _, body = await operator(world).call("GET", "/senders")
    assert body["management_calls"]["used_percent"] == 1


async def test_a_number_that_is_flagged_raises_alerts_once_and_they_end_with_it(world: World) -> None:
    await until(world, lambda s: s["check"]["at"], "the first check")
    world.sim.accounts.change_number(PHONE_NUMBER_ID, quality_rating="RED")
    keys = {f"sender.quality:{PHONE_NUMBER_ID}", f"sender.status:{PHONE_NUMBER_ID}"}

    async def raised() -> bool:
        return keys <= set(await alerts(world))

    await eventually(raised, "the alerts of a flagged number")
    world.sim.accounts.change_number(PHONE_NUMBER_ID, quality_rating="GREEN")

    async def over() -> bool:
        return not keys & set(await alerts(world))

    await eventually(over, "the end of the alerts")
    seen = await told(world, "alert.raised", "alert.resolved")
    assert sorted(kind for kind, key in seen if key in keys) == ["alert.raised"] * 2 + ["alert.resolved"] * 2


async def test_a_token_that_expires_stops_everything_loses_nothing_and_a_new_one_sends_it_all(
    tokened: World, token_file: Path
) -> None:
    world = tokened
    await world.open_window()
    before = [await send(world, f"before {n}") for n in range(5)]
    for message_id in before:
        await world.stands(message_id, "accepted", "sent", "delivered", "read")
    world.sim.accounts.change_token("sim-token", expires_in_s=0)
    queued = [await send(world, f"after {n}") for n in range(12)]
    held = await until(world, lambda s: s["held"], "the circuit opening")
    assert (held["by"], held["code"], held["until"]) == ("circuit", 190, None)
    assert await alerts(world) == ["credentials"]
    said = await world.said("are you there?")
    assert said  # webhooks are taken in and digested as ever
    for message_id in queued:
        assert (await world.api.message(message_id))["state"] in ("queued", "sending")
    world.sim.accounts.add_token(
        value="EAAafresh", scopes=["whatsapp_business_messaging", "whatsapp_business_management"]
    )
    replace_token(token_file, "EAAafresh")
    for message_id in queued:
        await world.stands(message_id, "accepted", "sent", "delivered", "read", within=30)
    await world.keeps_its_promises()
    texts = [each["text"]["body"] for each in world.sim.messages(to=ALICE)]
    assert sorted(texts) == sorted([f"before {n}" for n in range(5)] + [f"after {n}" for n in range(12)])
    assert (await sender(world))["state"] == "sending"
    assert await told(world, "alert.raised", "alert.resolved") == [
        ("alert.raised", "credentials"),
        ("alert.resolved", "credentials"),
    ]


async def test_a_token_that_ends_while_nothing_is_sent_is_found_out_by_the_check(
    tokened: World, token_file: Path
) -> None:
    world = tokened
    await until(world, lambda s: s["check"]["at"], "the first check")
    world.sim.accounts.change_token("sim-token", subcode=460)
    status, _ = await operator(world).call("POST", f"/senders/{PHONE_NUMBER_ID}/release")  # makes a check due
    assert status == 200
    await until(world, lambda s: s["held"], "the circuit opening")
    assert await alerts(world) == ["credentials"]
    world.sim.accounts.add_token(
        value="EAAother", scopes=["whatsapp_business_messaging", "whatsapp_business_management"]
    )
    replace_token(token_file, "EAAother")
    await until(world, lambda s: s["state"] == "sending", "the circuit closing")
    assert await alerts(world) == []


async def test_a_token_that_may_send_but_not_look_sends_and_says_what_it_lacks(
    tokened: World, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "WORTH_TELLING", 1)
    world = tokened
    await world.open_window()
    world.sim.accounts.change_token("sim-token", expires_in_s=0)
    message_id = await send(world, "with the small token")
    await until(world, lambda s: s["held"], "the circuit opening")
    world.sim.accounts.add_token(value="EAAsmall", scopes=["whatsapp_business_messaging"])
    replace_token(token_file, "EAAsmall")
    await world.stands(message_id, "accepted", "sent", "delivered", "read", within=30)
    found = await sender(world)
    assert (found["state"], found["check"]["failures"] > 0) == ("sending", True)
    assert await alerts(world) == [f"sender.unchecked:{PHONE_NUMBER_ID}"]


async def test_a_restricted_number_holds_with_an_alert_and_goes_on_when_meta_says_it_may(
    world: World,
) -> None:
    await world.open_window()
    await until(world, lambda s: s["check"]["at"], "the first check")
    world.sim.accounts.change_number(PHONE_NUMBER_ID, restriction={"code": 131042})
    message_id = await send(world, "who pays?")
    held = await until(world, lambda s: s["held"], "the hold")
    assert (held["by"], held["code"]) == ("hold", 131042)
    assert (await world.api.message(message_id))["state"] == "queued"
    await until(world, lambda s: s["can_send"] == "BLOCKED", "Meta's own word on it")
    assert {f"sender.held:{PHONE_NUMBER_ID}", f"sender.health:{PHONE_NUMBER_ID}"} <= set(await alerts(world))
    world.sim.accounts.change_number(PHONE_NUMBER_ID, restriction=None)
    async with world.rt.db.tx() as tx:  # as two minutes later
        await proving.check_now(tx, world.rt)
    await until(world, lambda s: s["state"] == "sending" and s["can_send"] == "AVAILABLE", "the hold's end")
    assert await alerts(world) == []


async def test_a_message_to_a_held_number_waits_and_another_number_is_not_held(
    dsn: str, tmp_path: Path
) -> None:
    async with two_senders(dsn, tmp_path) as world:
        await until(world, lambda s: s["check"]["at"], "the first check")
        await world.open_window(ALICE)
        wamid = await world.sim.inbound(BEN, text="hello there", to=SECOND)
        await world.digested(wamid)
        world.sim.accounts.change_number(PHONE_NUMBER_ID, restriction={"code": 131048})
        waits = await send(world, "waits", sender=PHONE_NUMBER_ID)
        await until(world, lambda s: s["held"], "the hold")
        goes = await send(world, "goes", recipient=BEN, sender=SECOND)
        await world.stands(goes, "accepted", "sent", "delivered", "read")
        assert (await world.api.message(waits))["state"] == "queued"
        assert (await sender(world, SECOND))["state"] == "sending"


async def test_an_answer_leaves_by_the_number_that_was_written_to(dsn: str, tmp_path: Path) -> None:
    async with two_senders(dsn, tmp_path) as world:
        wamid = await world.sim.inbound(ALICE, text="STOP", to=SECOND)
        assert "opt-out" in await world.digested(wamid)
        answer = await world.sim.expect_message(to=ALICE, containing="unsubscribed")
        assert [each["wamid"] for each in world.sim.messages(number=SECOND)] == [answer["wamid"]]
        await world.keeps_its_promises()


async def test_a_rate_that_meta_finds_too_high_is_cut_and_nothing_fails(world: World) -> None:
    await world.open_window()
    await until(world, lambda s: s["check"]["at"], "the first check")
    world.sim.arm(kind="error", code=130429, next=1)
    message_id = await send(world, "too fast")
    await world.stands(message_id, "accepted", "sent", "delivered", "read", within=30)
    found = await sender(world)
    assert found["rate"]["now_per_s"] < found["rate"]["limit_per_s"]
    assert found["state"] == "sending"


@pytest.mark.parametrize("seconds", [1_000_000_000, 0])
async def test_an_absurd_retry_after_neither_stops_a_number_for_good_nor_is_it_ignored(
    world: World, seconds: int
) -> None:
    await world.open_window()
    world.sim.arm(kind="error", code=131057, next=1, retry_after_s=seconds)
    await send(world, "in maintenance")
    held = await until(world, lambda s: s["held"], "the hold")
    now, ends = world.rt.now(), datetime.fromisoformat(held["until"])
    assert now < ends <= now + rules.LONGEST_HOLD


async def test_two_processes_take_up_a_new_token_together_and_tell_of_it_once(
    dsn: str, tmp_path: Path, token_file: Path
) -> None:
    async with a_world(dsn, tmp_path, sayso_access_token_file=token_file) as world:
        configured = settings(
            dsn, base_url=world.wire.url, data_dir=tmp_path, sayso_access_token_file=token_file
        )
        async with serving(configured):
            await world.open_window()
            world.sim.accounts.change_token("sim-token", subcode=467)
            queued = [await send(world, f"hello {n}") for n in range(12)]
            await until(world, lambda s: s["held"], "the circuit opening")
            world.sim.accounts.add_token(
                value="EAAboth", scopes=["whatsapp_business_messaging", "whatsapp_business_management"]
            )
            replace_token(token_file, "EAAboth")
            for message_id in queued:
                await world.stands(message_id, "accepted", "sent", "delivered", "read", within=30)
            await until(world, lambda s: s["state"] == "sending", "the circuit closing")
            await world.keeps_its_promises()
        assert len(world.sim.messages(to=ALICE)) == len(queued)
        assert await told(world, "alert.raised", "alert.resolved") == [
            ("alert.raised", "credentials"),
            ("alert.resolved", "credentials"),
        ]
