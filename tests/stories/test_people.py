"""Who is who, against Meta: no number at all, two spellings of one, another one; known, told and forgotten."""

from typing import Any

import msgspec
import pytest

from harness.service import PHONE_NUMBER_ID
from harness.waiting import eventually
from harness.world import ALICE, BEN, World
from sayso.messages import rules

NEW = "+15550008888"
#: As the assistant writes a number, and as the person behind it is known to Meta.
SPELLINGS = [
    ("+5541988887777", "+554188887777"),  # Brazil, with and without the ninth digit
    ("+525639691841", "+5215639691841"),  # Mexico
    ("+541158749895", "+5491158749895"),  # Argentina
]


async def send(world: World, recipient: str | None, words: str, *, expect: int = 202) -> Any:
    body = {"content": words} | ({"recipient": recipient} if recipient else {})
    return await world.api.must("POST", "/send", expect=expect, json=body)


async def newest_system_message(world: World) -> str:
    """What came of the last system message, once it is digested."""

    async def look() -> str | None:
        [row] = await world.rows(
            "SELECT result, work FROM updates WHERE kind = 'message' AND position('\"system\"'::bytea IN item) > 0 "
            "ORDER BY id DESC LIMIT 1"
        ) or [{"result": None, "work": "none"}]
        return row["result"] if row["work"] is None else None

    found = await eventually(look, "the system message being digested")
    assert found is not None
    return found


async def test_somebody_without_a_number_is_asked_answers_and_is_written_to(world: World) -> None:
    zoe = world.sim.person("+15550007777", "Zoe")
    await zoe.adopts_username("zoe.q")
    await world.digested(await zoe.says("hello, nobody knows my number"))
    assert {row["kind"] for row in await world.rows("SELECT kind FROM people_identifiers")} == {"bsuid"}
    await world.api.must(
        "PUT", "/people/alice", json={"bsuid": zoe.user_id, "name": "Zoe", "language": "pt_br"}
    )
    asked = await world.api.ask()
    prompt = await zoe.hears("schedule a meeting")
    await world.digested(await zoe.taps(prompt["wamid"], 0))
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    sent = await send(world, zoe.user_id, "see you then")
    await world.stands(sent["id"], "read")
    await zoe.hears("see you then")
    seen = await world.api.must("GET", "/people/alice")
    assert (seen["bsuid"], seen["phone"], seen["language"], seen["language_from"]) == (
        zoe.user_id, None, "pt-BR", "set",
    )  # fmt: skip
    assert "opt-out" in await world.digested(await zoe.says("STOP"))
    assert (await send(world, zoe.user_id, "one more", expect=403))["code"] == "opted_out"
    assert all(zoe.phone not in post.to for post in world.wire.posts), "a number that nobody told us"
    assert all(post.touches(f'"recipient":"{zoe.user_id}"') for post in world.wire.posts)
    assert {row["kind"] for row in await world.rows("SELECT kind FROM people_identifiers")} == {"bsuid"}
    await world.keeps_its_promises()


@pytest.mark.parametrize(("given", "known"), SPELLINGS)
async def test_who_left_under_one_spelling_is_not_written_to_under_the_other(
    world: World, given: str, known: str
) -> None:
    person = world.sim.person(known)
    assert "opt-out" in await world.digested(await person.says("STOP"))
    assert (await send(world, given, "hello", expect=403))["code"] == "opted_out"
    await world.api.must("PUT", "/people/alice", json={"phone": given})
    assert (await send(world, None, "hello", expect=403))["code"] == "opted_out"
    world.sim.advance(2)
    assert "opt-in" in await world.digested(await person.says("START"))
    sent = await send(world, given, "welcome back")
    await world.stands(sent["id"], "read")
    merged = await world.rows("SELECT because FROM people_merges")
    assert [row["because"].startswith("meta:") for row in merged] == [True]  # now Meta has said so
    await world.keeps_its_promises()


@pytest.mark.parametrize(("given", "known"), SPELLINGS)
async def test_what_waits_under_one_spelling_stays_when_the_other_leaves(
    world: World, monkeypatch: pytest.MonkeyPatch, given: str, known: str
) -> None:
    monkeypatch.setattr(rules, "_RETRY_CAP_S", 0.2)
    person = world.sim.person(known)
    await world.digested(await person.says("hello"))
    await world.wire.go_down()
    queued, asked = await send(world, given, "good morning"), await world.api.ask(recipient=given)
    assert len({row["id"] for row in await world.rows("SELECT id FROM people")}) == 2
    await world.digested(await person.says("STOP"))
    assert (await world.api.outcome(asked["id"]))["outcome"] == "opted_out"
    await world.wire.come_up()
    await world.stands(queued["id"], "suppressed")
    await person.hears("AI Assistant")  # in their language: they have left
    assert world.wire.of(queued["id"]) == []
    await world.keeps_its_promises()


async def test_another_number_goes_on_with_the_person_and_the_old_one_is_somebody_elses(world: World) -> None:
    await world.api.link(ALICE, name="Alice")
    alice = world.sim.person(ALICE)
    await world.digested(await alice.says("hello"))
    await alice.changes_number(NEW)
    assert "has another number" in await newest_system_message(world)
    [event] = await eventually(lambda: world.events("person.number_changed"), "the assistant hearing of it")
    assert (event["data"]["person"], event["data"]["external_ids"]) == (NEW, ["alice"])
    sent = await send(world, None, "to wherever you are")
    await world.stands(sent["id"], "read")
    assert [post.to for post in world.wire.of(sent["id"])] == [NEW]
    assert (await world.api.must("GET", "/people/alice"))["phone_left_at"] is not None
    heir = world.sim.person(ALICE, "Heir")
    await world.digested(await heir.says("a new number of mine"))
    persons = await world.rows("SELECT DISTINCT person_id FROM people_identifiers")
    assert len(persons) == 2
    assert "opt-out" in await world.digested(await heir.says("STOP"))
    sent = await send(world, None, "still to you")
    await world.stands(sent["id"], "read")
    assert [post.to for post in world.wire.of(sent["id"])] == [NEW]
    await world.keeps_its_promises()


async def test_a_leaving_moves_along_to_another_number(world: World) -> None:
    await world.api.link(ALICE)
    alice = world.sim.person(ALICE)
    await world.digested(await alice.says("STOP"))
    await alice.changes_number(NEW)
    await newest_system_message(world)
    for recipient in (None, NEW):
        assert (await send(world, recipient, "hello", expect=403))["code"] == "opted_out"
    await world.keeps_its_promises()


async def test_another_user_id_is_the_same_person(world: World) -> None:
    zoe = world.sim.person("+15550007777", "Zoe")
    await zoe.adopts_username("zoe.q")
    await world.digested(await zoe.says("hello"))
    before = zoe.user_id
    await world.api.must("PUT", "/people/alice", json={"bsuid": before})
    await zoe.changes_user_id()
    assert "has another user id" in await newest_system_message(world)
    assert zoe.user_id != before
    for recipient in (None, before, zoe.user_id):  # also by the old one, which the assistant wrote down
        sent = await send(world, recipient, f"by {recipient}")
        await world.stands(sent["id"], "read")
        assert [post.to for post in world.wire.of(sent["id"])] == [zoe.user_id]
    await world.keeps_its_promises()


async def test_other_keys_are_told_to_the_assistant(world: World) -> None:
    await world.api.link(ALICE)
    alice = world.sim.person(ALICE)
    await world.digested(await alice.says("hello"))
    world.sim.world.accounts.numbers[PHONE_NUMBER_ID].identity_check = True
    await alice.changes_identity()
    assert "has other keys" in await newest_system_message(world)
    [event] = await eventually(lambda: world.events("person.identity_changed"), "the assistant hearing of it")
    assert event["data"]["external_ids"] == ["alice"]
    assert await world.rows("SELECT 1 FROM people WHERE identity_changed_at IS NOT NULL")


async def test_user_ids_that_changed_are_heard_in_the_field_of_that_name(world: World) -> None:
    await world.open_window()
    [known] = await world.rows("SELECT value FROM people_identifiers WHERE kind = 'bsuid'")
    change = {"wa_id": ALICE.lstrip("+"), "user_id": {"previous": known["value"], "current": "US.NEW"}}
    value = {"metadata": {"phone_number_id": PHONE_NUMBER_ID}, "user_id_update": [change, "odd", {}]}
    body = {"object": "whatsapp_business_account", "entry": [
        {"id": "200000000000001", "time": 1, "changes": [{"field": "user_id_update", "value": value}]}]}  # fmt: skip
    assert await world.deliver(body=msgspec.json.encode(body)) == 200

    async def moved() -> bool:
        rows = await world.rows("SELECT value FROM people_identifiers WHERE kind = 'bsuid'")
        return [row["value"] for row in rows] == ["US.NEW"]

    await eventually(moved, "the user id being another")
    await world.at_rest()


async def test_an_assistants_word_lets_nobody_answer_for_somebody_else(world: World) -> None:
    """It says that Alice's number and Ben's user id are one person's; WhatsApp has not said so."""
    ben = world.sim.person(BEN)
    await world.digested(await ben.says("hello"))
    await world.api.must("PUT", "/people/alice", json={"phone": ALICE, "bsuid": ben.user_id})
    asked = await world.api.ask()
    prompt = await world.sim.expect_message(to=ALICE, containing="schedule a meeting")
    await world.said("Y", person=BEN)
    assert (await world.api.outcome(asked["id"], wait=0))["status"] == "pending"
    await world.tapped(prompt["wamid"], 0)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_somebody_is_told_everything_and_then_forgotten(world: World) -> None:
    await world.api.link(ALICE, name="Alice")
    asked, prompt = await world.asked()
    await world.said("what is this about?")
    await world.at_rest()
    told = await world.api.must("GET", "/people/alice/export")
    assert {each["kind"] for each in told["identifiers"]} == {"phone", "wa_id", "bsuid"}
    assert "what is this about?" in str(told["events"])
    assert told["confirmations"][0]["id"] == asked["id"]
    forgotten = await world.api.must("DELETE", "/people/alice")
    assert forgotten == {"external_id": "alice", "state": "forgotten"}
    assert (await world.api.outcome(asked["id"]))["outcome"] == "withdrawn"
    await world.at_rest()  # statuses may have come since
    await world.api.must("GET", "/people/alice", expect=404)
    await world.api.must("GET", "/people/alice/export", expect=404)
    assert await world.rows("SELECT 1 FROM people_identifiers") == []
    left = "SELECT 1 FROM updates WHERE position($1::bytea IN item) > 0"
    assert await world.rows(left, ALICE.lstrip("+").encode()) == []
    assert await world.rows("SELECT 1 FROM messages WHERE wamid IS NOT NULL") == []
    assert await world.api.must("DELETE", "/people/alice") == forgotten  # again is the same
    assert "somebody else's question" in await world.tapped(prompt["wamid"], 0)  # they are a stranger now


async def test_a_word_somebody_uses_tells_their_language_until_an_assistant_knows_better(
    world: World,
) -> None:
    carmen = world.sim.person("+4915112345678", "Carmen")
    await world.api.must("PUT", "/people/alice", json={"phone": carmen.phone})
    for words, told in (("STOP", ("de", "guessed")), ("BAJA", ("es", "said")), ("ALTA", ("es", "said"))):
        world.sim.advance(2)
        await world.digested(await carmen.says(words))
        seen = await world.api.must("GET", "/people/alice")
        assert (seen["language"], seen["language_from"]) == told, words
    assert (await world.api.must("GET", "/people/alice/export"))["language"] == {
        "value": "es",
        "from": "said",
    }
    seen = await world.api.must("PUT", "/people/alice", json={"language": "fi"})
    assert (seen["language"], seen["language_from"]) == ("fi", "set")
    other = world.api.as_(client="other")
    _, theirs = await other.call("PUT", "/people/carmen", json={"phone": carmen.phone})
    assert (theirs["language"], theirs["language_from"]) == (
        "es",
        "said",
    )  # what another set is not theirs to see
    await world.keeps_its_promises()


async def test_another_assistant_is_seen_by_operators_only(world: World) -> None:
    await world.api.link(ALICE)
    stranger = world.api.as_(client="other", scopes=("people:read", "people:write"))
    for method, path in (("GET", "/people/alice/export"), ("DELETE", "/people/alice")):
        status, body = await stranger.call(method, path, params={"client_id": "assistant"})
        assert (status, body["code"]) == (403, "forbidden")
    operator = world.api.as_(client="ops", scopes=("admin",))
    status, told = await operator.call("GET", "/people/alice/export", params={"client_id": "assistant"})
    assert (status, told["users"][0]["client_id"]) == (200, "assistant")
    status, _ = await operator.call("DELETE", "/people/alice", params={"client_id": "assistant"})
    assert status == 200
    await world.api.must("GET", "/people/alice", expect=404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"phone": None}, ""),
        ({"name": "Alice"}, "/phone"),
        ({"phone": "911"}, "/phone"),
        ({"bsuid": "alice"}, "/bsuid"),
        ({"phone": ALICE, "language": "english"}, "/language"),
        ({"phone": ALICE, "time_zone": "GMT+2"}, "/time_zone"),
    ],
)
async def test_what_is_wrong_with_a_user_is_pointed_at(
    world: World, body: dict[str, str], pointer: str
) -> None:
    problem = await world.api.must("PUT", "/people/alice", expect=422, json=body)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_a_user_is_what_was_given_and_what_the_number_tells(world: World) -> None:
    seen = await world.api.must("PUT", "/people/alice", json={"phone": "+55 11 98888-7777"})
    assert seen == {
        "external_id": "alice",
        "phone": "+5511988887777",
        "bsuid": None,
        "phone_left_at": None,
        "name": None,
        "language": "pt-BR",
        "language_from": "guessed",
        "time_zone": "America/Sao_Paulo",
        "time_zone_from": "guessed",
    }
    seen = await world.api.must("PUT", "/people/alice", json={"name": "Ana", "time_zone": "Europe/Lisbon"})
    assert (seen["phone"], seen["name"], seen["time_zone"], seen["time_zone_from"], seen["language_from"]) == (
        "+5511988887777", "Ana", "Europe/Lisbon", "set", "guessed",
    )  # fmt: skip
    other = world.api.as_(client="other")
    _, theirs = await other.call("PUT", "/people/ana", json={"phone": "+5511988887777"})
    assert (theirs["name"], theirs["time_zone"], theirs["time_zone_from"]) == (
        None, "America/Sao_Paulo", "guessed",
    )  # fmt: skip
