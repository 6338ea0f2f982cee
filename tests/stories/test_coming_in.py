"""What Meta brings: twice, shuffled, broken, unknown, forged, or while the database is away."""

import json
import random
from typing import Any

import asyncpg
import pytest

from harness.waiting import eventually
from harness.world import ALICE, BEN, World, envelope, value
from sayso.core import worker
from sayso.inbound import handle as conductor


def text_of(wamid: str, text: str, *, person: str = ALICE, **more: Any) -> dict[str, Any]:
    return {
        "from": person.lstrip("+"),
        "id": wamid,
        "timestamp": "1700000000",
        "type": "text",
        "text": {"body": text},
        **more,
    }


async def test_a_webhook_twenty_times_in_parallel_has_one_effect(world: World) -> None:
    asked, prompt = await world.asked()
    wamid = await world.sim.tap(ALICE, prompt["wamid"], 0)
    [tap] = [hook for hook in world.sim.webhooks(kind="inbound") if wamid in hook["body"]]
    assert await world.sim.redeliver(tap["id"], copies=20) == [200] * 20
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    assert await world.sim.redeliver(tap["id"], copies=20) == [200] * 20
    await world.keeps_its_promises()
    assert len(await world.rows("SELECT 1 FROM updates WHERE key = $1", f"m:{wamid}")) == 1
    assert len(await world.rows("SELECT 1 FROM answers")) == 1
    assert await world.events("confirmation.answered_late") == []


async def test_the_same_updates_in_other_batches_and_other_shapes_have_one_effect(world: World) -> None:
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], 0)
    await world.at_rest()
    before = len(await world.rows("SELECT 1 FROM updates"))
    values = [
        change["value"]
        for hook in world.sim.webhooks()
        for entry in json.loads(hook["body"])["entry"]
        for change in entry["changes"]
    ]
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)
    for _ in range(5):
        dice.shuffle(values)
        assert await world.deliver(*values) == 200
        for single in values:
            reordered = dict(reversed(single.items()))
            spaced = json.dumps(envelope(reordered), indent=1, sort_keys=bool(dice.getrandbits(1)))
            assert await world.deliver(body=spaced.encode()) == 200
    await world.keeps_its_promises()
    assert len(await world.rows("SELECT 1 FROM updates")) == before, f"seed {seed}"
    assert len(await world.rows("SELECT 1 FROM answers")) == 1
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"


async def test_an_update_that_cannot_be_read_is_parked_and_costs_nobody_anything(world: World) -> None:
    nameless = text_of("wamid.NAMELESS", "who am I?")
    del nameless["from"]
    good = text_of("wamid.GOOD", "here I am")
    assert await world.deliver(value(messages=[nameless, good, "not even an object"])) == 200
    assert "comment" in await world.digested("wamid.GOOD")
    parked = await world.update("wamid.NAMELESS")
    assert parked is not None
    assert (parked["state"], parked["work"]) == ("parked", None)
    assert parked["result"]
    assert json.loads(parked["item"]) == nameless, "its bytes are kept"
    await world.keeps_its_promises()


async def test_a_poisonous_update_is_parked_with_its_reason_and_everybody_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = conductor._message

    async def allergic(tx: Any, rt: Any, row: Any, message: Any) -> Any:
        if message.text == "poison":
            raise ArithmeticError("a defect of ours")
        return await act(tx, rt, row, message)

    monkeypatch.setattr(conductor, "_message", allergic)
    monkeypatch.setattr(worker, "_RETRY_BASE_S", 0.02)
    asked, prompt = await world.asked(person=ALICE)
    poison = await world.sim.inbound(ALICE, text="poison")
    tap = await world.sim.tap(ALICE, prompt["wamid"], 0)
    assert "comment" in await world.said("hello", person=BEN)
    assert "a defect of ours" in await world.digested(poison)
    assert "confirmed" in await world.digested(tap)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    [parked] = await world.rows("SELECT * FROM updates WHERE state = 'parked'")
    assert parked["key"] == f"m:{poison}"
    status, listed = await world.api.as_(scopes=("operate",)).call(
        "GET", "/updates", params={"state": "parked"}
    )
    assert status == 200
    assert [row["key"] for row in listed["updates"]] == [f"m:{poison}"]
    await world.keeps_its_promises()


async def test_kinds_nobody_knows_yet_are_kept(world: World) -> None:
    later = {"object": "whatsapp_business_account", "entry": [{"id": "1", "time": 1, "changes": [
        {"field": "telepathy", "value": {"thought": "a bicycle would be nice"}}
    ]}]}  # fmt: skip
    assert await world.deliver(body=json.dumps(later).encode()) == 200
    strange = text_of("wamid.STRANGE", "x", type="hologram", hologram={"id": "1"})
    assert await world.deliver(value(messages=[strange], telepathies=[1])) == 200
    assert await world.digested("wamid.STRANGE")
    await world.at_rest()
    [kept] = await world.rows("SELECT * FROM updates WHERE kind = 'telepathy'")
    assert kept["state"] == "done"
    assert json.loads(kept["item"]) == {"thought": "a bicycle would be nice"}
    await world.keeps_its_promises()


async def test_what_came_for_another_number_is_ignored(world: World) -> None:
    asked, prompt = await world.asked()
    elsewhere = {"display_phone_number": "15550990000", "phone_number_id": "999999999999999"}
    y = text_of("wamid.ELSEWHERE", "Y", context={"id": prompt["wamid"]})
    assert await world.deliver({**value(messages=[y]), "metadata": elsewhere}) == 200
    assert "not ours" in await world.digested("wamid.ELSEWHERE")
    assert (await world.api.outcome(asked["id"], wait=0))["status"] == "pending"


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=" + "0" * 64, "sha256=", "sha1=" + "0" * 40, "nonsense"],
    ids=["none", "wrong", "empty", "sha1", "nonsense"],
)
async def test_a_body_without_the_right_signature_is_refused_and_not_kept(
    world: World, signature: str
) -> None:
    assert await world.deliver(value(messages=[text_of("wamid.FORGED", "Y")]), signature=signature) == 401
    assert await world.rows("SELECT 1 FROM webhook_bodies") == []


async def test_too_large_a_body_is_refused_and_garbage_is_kept_for_the_operator(world: World) -> None:
    assert await world.deliver(body=b" " * (3 * 1024 * 1024 + 1)) == 413
    for garbage in (b"not json", b"", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"entry":'):
        assert await world.deliver(body=garbage) == 200
    await world.at_rest()
    parked = await world.rows("SELECT * FROM updates WHERE state = 'parked'")
    assert {bytes(row["item"]) for row in parked} >= {b"not json", b'{"entry":'}
    assert all(row["result"] for row in parked)
    assert "comment" in await world.said("still there?")


async def _allow_connections(server: str, name: str, *, allowed: bool) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
        if not allowed:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
    finally:
        await connection.close()


async def test_while_the_database_is_away_meta_is_told_to_come_back_and_nothing_is_lost(
    world: World, databases: Any
) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    await world.at_rest()
    name = (await world.rows("SELECT current_database() AS name"))[0]["name"]
    await _allow_connections(databases.dsn, name, allowed=False)
    try:
        status, headers = await world.deliver_and_read(
            value(messages=[text_of("wamid.AWAY", "are you there?")])
        )
        assert status == 503
        assert int(headers["Retry-After"]) >= 1
        tap = await world.sim.tap(ALICE, prompt["wamid"], 0)  # Meta keeps trying this one by itself
        for _ in range(3):
            assert await world.deliver(value(messages=[text_of("wamid.AWAY", "are you there?")])) == 503
    finally:
        await _allow_connections(databases.dsn, name, allowed=True)

    async def taken() -> bool:
        return await world.deliver(value(messages=[text_of("wamid.AWAY", "are you there?")])) == 200

    await eventually(taken, "taking webhooks in again", within=30)
    await world.digested("wamid.AWAY", within=30)
    await world.digested(tap, within=30)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"

    async def ready() -> bool:
        async with world.api.session.get(f"{world.api.url}/readyz") as answer:
            return answer.status == 200

    await eventually(ready, "being ready again", within=30)
    await world.keeps_its_promises()
