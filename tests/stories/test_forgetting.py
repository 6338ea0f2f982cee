"""Somebody is forgotten: nothing of them is left anywhere, and no webhook that Meta repeats brings any of it back."""

import msgspec

from harness.traces import traces
from harness.world import ALICE, BEN, CONFIRM, World, envelope, value

NAME, WORDS, PLAN = "Alice Liddell", "is there tea, too?", "meet the white rabbit"
USER = "user-of-wonderland"
#: What would have grown if a webhook had an effect once more.
COUNTED = (
    "people", "people_identifiers", "people_merges", "messages", "message_timeline", "confirmations", "answers",
    "events", "consent_entries", "conversations", "updates",
)  # fmt: skip


async def a_life(world: World) -> set[str]:
    """Everything that webhooks tell of somebody, who leaves in the end; by what it could be found."""
    alice = world.sim.person(ALICE, NAME)
    await world.api.must("PUT", f"/people/{USER}", json={"phone": ALICE, "name": NAME})
    await world.digested(await alice.says("hello"))
    asked, prompt = await world.asked(PLAN)
    await world.digested(await alice.says(WORDS))
    await world.tapped(prompt["wamid"], CONFIRM)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await alice.changes_user_id()
    await world.at_rest()
    [bsuid] = await world.rows("SELECT value FROM people_identifiers WHERE kind = 'bsuid'")
    change = {"wa_id": ALICE.lstrip("+"), "user_id": {"previous": bsuid["value"], "current": "US.REBORN"}}
    value = {"metadata": {}, "user_id_update": [change]}
    body = {"object": "whatsapp_business_account", "entry": [
        {"id": "200000000000001", "time": 1, "changes": [{"field": "user_id_update", "value": value}]}]}  # fmt: skip
    assert await world.deliver(body=msgspec.json.encode(body)) == 200
    assert (
        await world.deliver({"messages": [{"from": ALICE.lstrip("+"), "text": WORDS}]}) == 200
    )  # unreadable
    await world.digested(await alice.says("STOP"))
    await world.at_rest()
    known = await world.rows(
        "SELECT value FROM people_identifiers UNION SELECT value FROM people_past_identifiers UNION "
        "SELECT wamid FROM messages WHERE wamid IS NOT NULL UNION "
        "SELECT split_part(key, ':', 2) FROM updates WHERE kind IN ('message', 'status') UNION "
        "SELECT wamid FROM answers UNION SELECT name FROM people WHERE name IS NOT NULL"
    )
    return {row["value"].lstrip("+") for row in known} | {NAME, WORDS, PLAN, USER}


async def counts(world: World) -> dict[str, int]:
    return {table: (await world.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in COUNTED}


def rebatched(bodies: list[bytes]) -> bytes:
    """Everything in one webhook, the last first."""
    entries = [entry for body in reversed(bodies) for entry in msgspec.json.decode(body)["entry"]]
    return msgspec.json.encode({"object": "whatsapp_business_account", "entry": entries})


async def test_no_webhook_that_meta_repeats_brings_anything_of_the_forgotten_back(world: World) -> None:
    looked_for = await a_life(world)
    bodies = [
        bytes(row["body"]) for row in await world.rows("SELECT body FROM webhook_bodies ORDER BY received_at")
    ]
    found = {table for table, _, _ in await traces(world.dsn, looked_for)}
    assert found >= {
        "answers", "confirmations", "consent_entries", "events", "messages", "people", "people_identifiers",
        "people_links", "people_past_identifiers", "updates", "webhook_bodies",
    }  # fmt: skip
    await world.api.must("DELETE", f"/people/{USER}")
    await world.at_rest()
    assert await traces(world.dsn, looked_for) == set()
    before = await counts(world)
    for body in [*bodies, rebatched(bodies), *reversed(bodies)]:
        assert await world.deliver(body=body) == 200
    await world.at_rest()
    assert await counts(world) == before
    assert await traces(world.dsn, looked_for) == set()
    status, refused = await world.api.call("POST", "/send", json={"recipient": ALICE, "content": "hello"})
    assert (status, refused["code"]) == (403, "opted_out")


async def test_what_comes_beside_a_repetition_counts_and_what_is_repeated_leaves_nothing(
    world: World,
) -> None:
    alice = world.sim.person(ALICE, NAME)
    await world.api.must("PUT", f"/people/{USER}", json={"phone": ALICE})
    await world.digested(await alice.says(WORDS))
    await world.at_rest()
    [row] = await world.rows(
        "SELECT body FROM webhook_bodies WHERE position($1::bytea IN body) > 0", WORDS.encode()
    )
    await world.api.must("DELETE", f"/people/{USER}")
    news = {"from": BEN.lstrip("+"), "id": "wamid.ben", "type": "text", "text": {"body": "STOP"}}
    both = msgspec.json.decode(row["body"])
    both["entry"] += envelope(value(messages=[news]))["entry"]
    assert await world.deliver(body=msgspec.json.encode(both)) == 200
    assert "opt-out" in await world.digested("wamid.ben")
    assert await traces(world.dsn, {NAME, WORDS, ALICE.lstrip("+")}) == set()
    assert await world.rows("SELECT 1 FROM people_identifiers WHERE value = $1", BEN.lstrip("+"))
