"""Forgetting somebody: nothing is left by which they or their words could be found, and a leaving still holds."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from harness.mail import Mail
from harness.rooms import Clock
from harness.traces import traces as found_in
from sayso.confirmations import asking
from sayso.confirmations.asking import Asking
from sayso.confirmations.render import Action
from sayso.confirmations.whom import Asked
from sayso.consent import service as consent
from sayso.core.errors import StillSendingError
from sayso.core.runtime import Runtime
from sayso.events import service as events
from sayso.inbound import history
from sayso.inbound.receive import Intake
from sayso.messages import dispatch, forgetting
from sayso.messages.outcome import Result
from sayso.operate import erasure
from sayso.operate.erasure import Inbox
from sayso.operate.export import export
from sayso.people import links, meeting, merging, past, service
from sayso.people.links import Given
from sayso.people.service import Person
from sayso.whatsapp.updates import Identity

INBOX = Inbox(history.sent_by, history.unread, history.empty, history.empty_since)
PHONE, BSUID, WORDS = "+15550001111", "US.1234567", "the secret plan"
#: Whatever must not be found anywhere afterwards.
TRACES = ("15550001111", BSUID, WORDS, "Alice", "wamid.secret")


async def alice(rt: Runtime, *clients: str) -> Person:
    """Somebody whom these assistants know, and Meta."""
    async with rt.db.tx() as tx:
        for client in clients:
            given = Given(phone=PHONE, name="Alice")
            await links.put(tx, rt, client_id=client, external_id="alice", given=given)
        return await service.meet(
            tx, rt, Identity(BSUID, None, PHONE.lstrip("+"), "Alice"), learned_from="meta:message"
        )


async def ask(rt: Runtime, person: Person, client: str = "bot") -> str:
    wanted = Asking(
        client_id=client,
        user_id="alice",
        asked=[Asked(person, "Alice")],
        sender=rt.settings.whatsapp_phone_number_id,
        action=Action("t", WORDS, WORDS),
        lasts=timedelta(hours=1),
    )
    async with rt.db.tx() as tx:
        return await asking.ask(tx, rt, wanted)


MINE = {
    "from": "15550001111",
    "from_user_id": BSUID,
    "id": "wamid.secret",
    "type": "text",
    "text": {"body": WORDS},
}
BOBS = {
    "from": "15550002222",
    "from_user_id": "US.BOB",
    "id": "wamid.bob",
    "type": "text",
    "text": {"body": "hi"},
}


async def came(rt: Runtime, *messages: Any, digested: bool = True, **value: Any) -> None:
    """One webhook with these messages, and whatever else its value holds."""
    held = {"metadata": {"phone_number_id": "1"}, **({"messages": messages} if messages else {}), **value}
    change = {"field": "messages" if messages else "user_id_update", "value": held}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "2", "changes": [change]}]}
    intake = Intake(rt)
    running = asyncio.create_task(intake.run())
    await intake.take(msgspec.json.encode(body))
    running.cancel()
    if digested:
        async with rt.db.tx() as tx:
            await tx.execute("UPDATE updates SET work = NULL, state = 'done'")


async def wrote(rt: Runtime) -> None:
    """Updates of Alice's and of Bob's in one webhook, digested."""
    await came(rt, MINE, BOBS)


async def traces(rt: Runtime) -> set[tuple[str, str]]:
    """Where something of Alice's is still to be read."""
    return {(table, trace) for table, _, trace in await found_in(rt.db.dsn, TRACES)}


async def forget(rt: Runtime, client: str = "bot", *, everywhere: bool = False, wait_s: float = 5) -> None:
    await erasure.forget_user(
        rt, INBOX, client_id=client, external_id="alice", everywhere=everywhere, wait_s=wait_s
    )


async def row(rt: Runtime, table: str, row_id: str) -> Any:
    async with rt.db.one() as tx:
        return await tx.fetchrow(f"SELECT * FROM {table} WHERE id = $1", row_id)


async def test_nothing_of_a_person_is_left_but_how_far_things_came(mail: Mail) -> None:
    rt = mail.rt
    person = await alice(rt, "bot")
    done, asked = await mail.queue(person), await ask(rt, person)
    await wrote(rt)
    async with rt.db.tx() as tx:
        await tx.execute(
            "UPDATE messages SET state = 'read', work = NULL, wamid = 'wamid.secret', reason = $2 WHERE id = $1",
            done,
            WORDS,
        )
        told = {"person": PHONE, "text": WORDS, "wamid": "wamid.secret"}
        await events.emit(tx, rt, client_id="bot", kind="person.said", subject=person.id, data=told)
    assert {table for table, _ in await traces(rt)} >= {
        "people", "people_identifiers", "people_links", "confirmations", "updates", "webhook_bodies", "events",
        "messages",
    }  # fmt: skip
    await forget(rt)
    assert await traces(rt) == set()
    message, question = await row(rt, "messages", done), await row(rt, "confirmations", asked)
    assert (message["state"], message["content"], message["wamid"]) == ("read", {"type": "erased"}, None)
    assert (question["status"], question["outcome"]) == ("decided", "withdrawn")
    assert (await row(rt, "messages", question["message_id"]))["state"] == "cancelled"
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT erased_at FROM people WHERE id = $1", person.id) == rt.now()
        items = [bytes(each["item"]) for each in await tx.fetch("SELECT item FROM updates ORDER BY id")]
    assert items[0] == b""
    assert b"wamid.bob" in items[1]  # what came along of somebody else stays, byte for byte


async def test_who_comes_with_the_number_afterwards_is_somebody_new(mail: Mail) -> None:
    before = await alice(mail.rt, "bot")
    await forget(mail.rt)
    assert (await alice(mail.rt, "bot")).id != before.id


async def test_a_leaving_outlives_the_person_under_every_spelling(mail: Mail) -> None:
    rt = mail.rt
    async with rt.db.tx() as tx:
        given = Given(phone="+5541988887777")
        person = await links.put(tx, rt, client_id="bot", external_id="alice", given=given)
    await mail.said(person, "withdrawn", rt.now())
    await forget(rt)
    for phone in ("+5541988887777", "+554188887777"):
        async with rt.db.tx() as tx:
            heir = await service.by_phone(tx, rt, phone, learned_from="assistant:bot")
            assert (await consent.verdict(tx, rt, heir)).out is not None, phone


async def test_what_comes_late_of_an_erased_person_brings_nothing_back(mail: Mail) -> None:
    rt, person = mail.rt, await alice(mail.rt, "bot")
    await forget(rt)
    async with rt.db.tx() as tx:
        facts = [(person.id, "wa_id", "15550001111"), (person.id, "bsuid", BSUID)]
        await service.learn(tx, rt, facts, learned_from="meta:status")
    assert await traces(rt) == set()


async def test_an_answer_written_after_an_erasure_brings_nothing_back(mail: Mail, clock: Clock) -> None:
    """A worker that was believed dead was cut off from the database with Meta's answer in its hands."""
    rt, person, worker = mail.rt, await alice(mail.rt, "bot"), await mail.enlist()
    message = await mail.queue(person)
    assert await mail.claim(worker) == [message]
    async with rt.db.tx(claims=True) as tx:
        await dispatch.lost_with_their_worker(rt, tx, [worker])
    clock.advance(seconds=17)
    await forget(rt)
    facts = ((person.id, "wa_id", "15550001111"),)
    await mail.apply(Result(message, 1, clock(), "accepted", WORDS, "wamid.secret", learned=facts))
    assert await mail.state(message) == ("accepted", None)
    assert await traces(rt) == set()


async def test_nobody_is_forgotten_while_something_is_on_its_way_to_them(mail: Mail) -> None:
    rt, person = mail.rt, await alice(mail.rt, "bot")
    under_way, waiting = await mail.queue(person), await mail.queue(person)
    async with rt.db.tx() as tx:
        await tx.execute("UPDATE messages SET state = 'sending', work = 'running' WHERE id = $1", under_way)
    with pytest.raises(StillSendingError):
        await forget(rt, wait_s=0)
    assert (await row(rt, "messages", waiting))["state"] == "cancelled"
    assert await traces(rt) != set()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(forget(rt, wait_s=20))
        async with rt.db.tx() as tx:
            await tx.execute("UPDATE messages SET state = 'accepted', work = NULL WHERE id = $1", under_way)
    assert await traces(rt) == set()


async def test_what_may_have_arrived_is_not_called_cancelled(mail: Mail) -> None:
    rt, person = mail.rt, await mail.person()
    doubtful, fresh = await mail.queue(person), await mail.queue(person)
    async with rt.db.tx() as tx:
        await tx.execute("UPDATE messages SET risked = true WHERE id = $1", doubtful)
        assert await forgetting.take_back(tx, rt, person, None, reason="the person is being forgotten") == 2
    assert [(await mail.state(each))[0] for each in (doubtful, fresh)] == ["unknown", "cancelled"]
    assert await mail.events() == ["message.unknown"], "that of the fresh one everybody knows"
    assert "an earlier attempt may have reached the person" in (await mail.row(doubtful))["reason"]


async def test_no_send_starts_within_the_fence_of_an_erasure(mail: Mail) -> None:
    rt, person = mail.rt, await alice(mail.rt, "bot")
    async with rt.db.tx() as sending:
        await service.lock(sending, [person.id], exclusive=False)
        erasing = asyncio.create_task(forget(rt))
        async with asyncio.timeout(20), rt.db.one() as tx:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
            while not await tx.fetchval(waits):  # noqa: ASYNC110 - a lock has no event
                await asyncio.sleep(0)
        assert not erasing.done()
    async with asyncio.timeout(20):
        await erasing


async def test_an_assistant_forgets_what_is_its_own_and_the_others_keep_theirs(mail: Mail) -> None:
    rt, person = mail.rt, await alice(mail.rt, "bot", "other")
    ours, theirs = await ask(rt, person), await ask(rt, person, "other")
    await forget(rt)
    assert (await row(rt, "confirmations", ours))["action"]["action_description"] == "(erased)"
    kept = await row(rt, "confirmations", theirs)
    assert (kept["status"], kept["action"]["action_description"]) == ("pending", WORDS)
    async with rt.db.one() as tx:
        assert await service.linked(tx, client_id="bot", external_id="alice") is None
        found = await service.linked(tx, client_id="other", external_id="alice")
    assert found is not None
    assert found[0].to == PHONE
    await forget(rt, "other")  # the last to know them
    assert await traces(rt) == set()


async def test_an_operator_forgets_for_everybody(mail: Mail) -> None:
    person = await alice(mail.rt, "bot", "other")
    await ask(mail.rt, person, "other")
    await forget(mail.rt, everywhere=True)
    assert await traces(mail.rt) == set()


async def test_forgetting_again_or_somebody_unknown_does_nothing(mail: Mail) -> None:
    await alice(mail.rt, "other")
    await forget(mail.rt)
    assert await traces(mail.rt) != set()


async def test_a_webhook_that_is_repeated_after_an_erasure_leaves_nothing_and_costs_others_nothing(
    mail: Mail,
) -> None:
    rt = mail.rt
    await alice(rt, "bot")
    await wrote(rt)
    await forget(rt)
    for messages in ([MINE, BOBS], [MINE], [BOBS, MINE]):
        await came(rt, *messages)
    assert await traces(rt) == set()
    new = {**BOBS, "id": "wamid.bob2"}
    await came(rt, MINE, new)
    assert await traces(rt) == set()
    async with rt.db.one() as tx:
        rows = await tx.fetch("SELECT key, item FROM updates ORDER BY id")
    assert [row["key"] for row in rows][1:] == ["m:wamid.bob", "m:wamid.bob2"]
    assert bytes(rows[2]["item"]) == msgspec.json.encode(new)


async def test_copies_in_other_webhooks_and_what_is_filed_under_nobody_go_too(mail: Mail) -> None:
    rt = mail.rt
    await alice(rt, "bot")
    await wrote(rt)
    await came(
        rt, MINE, {**BOBS, "id": "wamid.bob2"}
    )  # Alice's is a copy: its bytes stand in the other webhook
    await came(rt, {"from": "15550001111", "text": {"body": WORDS}})  # unreadable: it has no id
    await came(rt, user_id_update=[{"user_id": {"previous": "US.OLD", "current": BSUID}}])
    await forget(rt)
    assert await traces(rt) == set()
    async with rt.db.one() as tx:
        kept = await tx.fetch("SELECT item FROM updates WHERE item <> '' ORDER BY id")
    assert [msgspec.json.decode(bytes(row["item"]))["id"] for row in kept] == ["wamid.bob", "wamid.bob2"]


async def test_nobody_is_forgotten_while_a_word_of_theirs_is_not_read(mail: Mail) -> None:
    rt = mail.rt
    await alice(rt, "bot")
    await came(rt, MINE, digested=False)
    with pytest.raises(StillSendingError):
        await forget(rt, wait_s=0)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(forget(rt, wait_s=20))
        async with rt.db.tx() as tx:  # it was not read when the erasure began: its bytes go all the same
            await tx.execute("UPDATE updates SET work = NULL, state = 'done'")
    assert await traces(rt) == set()


async def test_what_is_filed_under_a_name_that_is_learned_meanwhile_goes_too(mail: Mail) -> None:
    rt = mail.rt
    await alice(rt, "bot")
    await came(rt, {**MINE, "from_user_id": "US.LATER"})

    async def then_learned(runtime: Runtime, names: Any) -> Any:
        looked = await history.empty(runtime, names)
        async with rt.db.tx() as tx:
            person = await meeting.find(tx, {"wa_id": "15550001111"})
            assert person is not None
            fact = {
                "kind": "bsuid",
                "value": "US.LATER",
                "person_id": person.id,
                "learned_from": "m",
                "learned_at": rt.now(),
            }
            await past.remember(tx, rt, [fact], because="told late")
        return looked

    inbox = replace(INBOX, empty=then_learned)
    await erasure.forget_user(rt, inbox, client_id="bot", external_id="alice", everywhere=False)
    assert await traces(rt) == set()
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT person_key FROM updates") == ""


async def test_the_key_of_an_erased_update_tells_nothing_without_the_secret(mail: Mail) -> None:
    await alice(mail.rt, "bot")
    await wrote(mail.rt)
    await forget(mail.rt)
    async with mail.rt.db.one() as tx:
        key = await tx.fetchval("SELECT key FROM updates ORDER BY id LIMIT 1")
    assert key == history.erased_key(consent.key(mail.rt), "m:wamid.secret")
    assert key != history.erased_key(b"another", "m:wamid.secret")


async def test_an_operators_words_on_a_merge_go_with_the_person(mail: Mail) -> None:
    rt, person = mail.rt, await alice(mail.rt, "bot")
    async with rt.db.tx() as tx:
        other = await service.by_phone(tx, rt, "+15550009999", learned_from="assistant:bot")
        await merging.merge(tx, rt, other.id, person.id, because="meta:send said so")
        [merge] = await merging.merges_of(tx, await service.get(tx, person.id))
        await merging.undo(tx, rt, merge["id"], because="Alice called")
    await forget(rt)
    assert await traces(rt) == set()


async def told(rt: Runtime, person: Person, client: str | None) -> dict[str, Any]:
    async with rt.db.tx() as tx:
        whole: dict[str, Any] = msgspec.json.decode(
            msgspec.json.encode(await export(tx, rt, INBOX, person, client_id=client))
        )
    return whole


async def test_everything_known_is_told_with_its_source_and_time(mail: Mail, clock: Clock) -> None:
    rt, person = mail.rt, await alice(mail.rt, "bot")
    await ask(rt, person)
    await mail.said(person, "withdrawn", clock())
    await wrote(rt)
    whole = await told(rt, person, None)
    sources = {(each["kind"], each["value"]): each["learned_from"] for each in whole["identifiers"]}
    assert sources == {
        ("phone", PHONE): "assistant:bot",
        ("wa_id", "15550001111"): "meta:message",
        ("bsuid", BSUID): "meta:message",
    }
    assert all(each["learned_at"] for each in whole["identifiers"])
    assert [each["client_id"] for each in whole["users"]] == ["bot"]
    [entry] = whole["consent"]
    assert entry["action"] == "withdrawn"
    assert WORDS in str(whole["messages"])
    assert [step["state"] for step in whole["messages"][0]["timeline"]] == ["queued"]
    assert whole["confirmations"][0]["action"]["action_description"] == WORDS
    [update] = whole["updates"]
    assert update["item"]["text"]["body"] == WORDS


async def test_an_assistant_is_told_nothing_of_anothers(mail: Mail) -> None:
    rt, person = mail.rt, await alice(mail.rt, "bot", "other")
    await ask(rt, person, "other")
    async with rt.db.tx() as tx:
        given = Given(language="fi", time_zone="Asia/Tokyo")
        await links.put(tx, rt, client_id="other", external_id="alice", given=given)
    whole = await told(rt, person, "bot")
    assert whole["language"] == {"value": "en", "from": "guessed"}
    assert whole["time_zone"] == {"value": None, "from": None}
    whole = await told(rt, person, "other")
    assert (whole["language"], whole["time_zone"]["value"]) == ({"value": "fi", "from": "set"}, "Asia/Tokyo")
    whole = await told(rt, person, "bot")
    assert [each["client_id"] for each in whole["users"]] == ["bot"]
    assert whole["messages"] == whole["confirmations"] == whole["events"] == []
    assert "other" not in str(whole)
    assert "updates" not in whole
