"""Who is who, under whichever identifiers Meta and assistants give, in whatever order they come to be known."""

import asyncio
import itertools

import pytest

from harness.rooms import Clock
from sayso.core.runtime import Runtime
from sayso.people import meeting, service
from sayso.people.service import Person
from sayso.whatsapp.updates import Identity

ALICE = {"bsuid": "US.111", "wa_id": "15550001111"}
ALICES_PHONE = "+15550001111"


async def meet(rt: Runtime, name: str | None = None, **identity: str) -> Person:
    async with rt.db.tx() as tx:
        return await service.meet(tx, rt, Identity(name=name, **identity), learned_from="meta:message")


async def by_phone(rt: Runtime, phone: str) -> Person:
    async with rt.db.tx() as tx:
        return await service.by_phone(tx, rt, phone, learned_from="assistant:bot")


async def learn(rt: Runtime, person: Person, **facts: str) -> None:
    async with rt.db.tx() as tx:
        await service.learn(
            tx, rt, [(person.id, kind, value) for kind, value in facts.items()], learned_from="meta:send"
        )


async def count(rt: Runtime) -> int:
    """How many persons there are, records that stand for another left out."""
    async with rt.db.one() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM people WHERE merged_into IS NULL"))


async def test_somebody_new_is_remembered_by_every_identifier_given(rt: Runtime) -> None:
    alice = await meet(rt, "Alice", **ALICE, parent_bsuid="US.ENT.1")
    assert (alice.name, alice.bsuid, alice.wa_id, alice.to) == (
        "Alice",
        "US.111",
        "15550001111",
        ALICES_PHONE,
    )
    for known in ({"bsuid": "US.111"}, {"wa_id": "15550001111"}, {"parent_bsuid": "US.ENT.1"}):
        assert (await meet(rt, **known)).id == alice.id
    assert (await by_phone(rt, ALICES_PHONE)).id == alice.id
    assert await count(rt) == 1


async def test_somebody_whom_an_assistant_named_is_recognised_when_they_write(rt: Runtime) -> None:
    asked = await by_phone(rt, ALICES_PHONE)
    assert (asked.phone, asked.wa_id, asked.keys) == (ALICES_PHONE, None, ("15550001111",))
    wrote = await meet(rt, "Alice", **ALICE)
    assert wrote.id == asked.id
    assert set(wrote.keys) == {"US.111", "15550001111"}
    assert await count(rt) == 1


async def test_somebody_without_a_number_is_a_person_all_the_same(rt: Runtime) -> None:
    hidden = await meet(rt, "Zoe", bsuid="US.7")
    assert (hidden.to, hidden.keys) == (None, ("US.7",))
    assert (await meet(rt, bsuid="US.7")).id == hidden.id
    assert (await meet(rt, bsuid="US.7", wa_id="15550009999")).to == "+15550009999"


async def test_somebody_known_by_a_parent_business_alone_can_be_written_to(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        given = await meeting.by_user_id(tx, rt, "US.ENT.7", learned_from="assistant:bot")
    assert (given.to, given.bsuid, given.user_id) == (None, None, "US.ENT.7")
    wrote = await meet(rt, bsuid="US.7", parent_bsuid="US.ENT.7")
    assert (wrote.id, wrote.user_id) == (given.id, "US.7")
    await learn(rt, wrote, bsuid="US.ENT.7")  # as Meta's answer to a message that was sent to it says
    assert (await meet(rt, bsuid="US.7")).bsuid == "US.7"


async def test_two_records_that_turn_out_to_be_one_person_are_merged_with_all_they_are_known_by(
    rt: Runtime,
) -> None:
    hidden, numbered = await meet(rt, bsuid="US.111"), await by_phone(rt, ALICES_PHONE)
    assert hidden.id != numbered.id
    alice = await meet(rt, **ALICE)
    assert set(alice.ids) == {hidden.id, numbered.id}
    assert await count(rt) == 1
    async with rt.db.one() as tx:
        found = await service.get_many(tx, [hidden.id, numbered.id])
    assert found[hidden.id] == found[numbered.id]
    assert found[hidden.id].to == ALICES_PHONE


async def test_merging_goes_on_through_what_was_merged_before(rt: Runtime) -> None:
    one, two, three = (
        await meet(rt, bsuid="US.1"),
        await by_phone(rt, "+15550000002"),
        await by_phone(rt, "+15550000003"),
    )
    await meet(rt, bsuid="US.1", wa_id="15550000002")
    all_of_them = await meet(rt, bsuid="US.1", wa_id="15550000003")
    assert set(all_of_them.keys) == {"US.1", "15550000002", "15550000003"}  # whichever they write from
    assert set(all_of_them.ids) == {one.id, two.id, three.id}
    async with rt.db.one() as tx:
        for record in (one, two, three):
            assert (await service.get(tx, record.id)).ids == all_of_them.ids


async def test_a_number_that_comes_with_another_user_id_has_changed_hands(rt: Runtime) -> None:
    before = await meet(rt, "Alice", **ALICE)
    after = await meet(rt, "Bob", bsuid="US.222", wa_id="15550001111")
    assert after.id != before.id
    assert after.to == ALICES_PHONE
    async with rt.db.one() as tx:
        old = await service.get(tx, before.id)
    assert (old.to, old.bsuid, old.keys) == (None, "US.111", ("US.111",))
    assert (await by_phone(rt, ALICES_PHONE)).id == after.id


async def test_a_number_taken_over_by_somebody_known_moves_to_them_and_merges_nobody(
    rt: Runtime, clock: Clock
) -> None:
    alice = await meet(rt, "Alice", **ALICE)
    bob = await meet(rt, "Bob", bsuid="US.222", wa_id="15550002222")
    clock.advance(minutes=1)
    bob_now = await meet(rt, "Bob", bsuid="US.222", wa_id="15550001111")
    assert bob_now.id == bob.id != alice.id
    assert bob_now.to == ALICES_PHONE
    assert bob_now.ids == (bob.id,)
    async with rt.db.one() as tx:
        assert (await service.get(tx, alice.id)).to is None
    assert await count(rt) == 2


async def test_a_number_an_assistant_gave_moves_with_the_one_meta_knows(rt: Runtime) -> None:
    await by_phone(rt, ALICES_PHONE)
    await meet(rt, "Alice", **ALICE)
    bob = await meet(rt, "Bob", bsuid="US.222", wa_id="15550001111")
    assert (await by_phone(rt, ALICES_PHONE)).id == bob.id


async def test_what_metas_answer_says_is_learned_and_recognised(rt: Runtime) -> None:
    """Brazil: an assistant writes the ninth digit, Meta knows the number without it."""
    asked = await by_phone(rt, "+5541988887777")
    await learn(rt, asked, wa_id="554188887777", bsuid="BR.1")
    assert (await meet(rt, wa_id="554188887777")).id == asked.id
    assert (await meet(rt, bsuid="BR.1")).id == asked.id
    async with rt.db.one() as tx:
        assert (await service.get(tx, asked.id)).to == "+5541988887777"


async def test_merges_at_once_leave_no_record_behind(rt: Runtime) -> None:
    phones = [await by_phone(rt, f"+1555000{n:04}") for n in range(10)]

    async def learns(n: int) -> None:
        await learn(rt, phones[n], wa_id=f"99{n // 2}", parent_bsuid="US.ENT.1")

    async with asyncio.timeout(20):
        await asyncio.gather(*(learns(n) for n in range(10)))
    async with rt.db.one() as tx:
        found = await service.get_many(tx, [person.id for person in phones])
    assert {person.ids for person in found.values()} == {found[phones[0].id].ids}
    assert set(found[phones[0].id].ids) == {person.id for person in phones}


@pytest.mark.parametrize("who_wrote", [{"wa_id": "554188887777"}, {"wa_id": "554188887777", "bsuid": "BR.1"}])
async def test_who_wrote_first_and_whom_meta_then_names_are_one(
    rt: Runtime, who_wrote: dict[str, str]
) -> None:
    wrote = await meet(rt, "João", **who_wrote)
    asked = await by_phone(rt, "+5541988887777")
    assert asked.id != wrote.id  # nobody can know yet
    await learn(rt, asked, wa_id="554188887777")
    async with rt.db.one() as tx:
        found = await service.get_many(tx, [asked.id, wrote.id])
    assert found[asked.id].id == found[wrote.id].id
    assert await count(rt) == 1


async def test_what_is_known_of_somebody_with_another_user_id_is_not_taken_from_them(rt: Runtime) -> None:
    alice, bob = await meet(rt, **ALICE), await meet(rt, bsuid="US.222", wa_id="15550002222")
    await learn(rt, bob, wa_id="15550001111")
    async with rt.db.one() as tx:
        found = await service.get_many(tx, [alice.id, bob.id])
    assert found[alice.id].wa_id == "15550001111"
    assert found[bob.id].wa_id == "15550002222"
    assert await count(rt) == 2


async def test_in_whatever_order_it_becomes_known_it_is_one_person(rt: Runtime) -> None:
    for number, order in enumerate(itertools.permutations(range(4)), start=10):
        ids = {"bsuid": f"US.{number}", "wa_id": f"155500001{number}"}
        ways: list[dict[str, str] | str] = [ids, {"bsuid": ids["bsuid"]}, {"wa_id": ids["wa_id"]}, "phone"]
        for way in (ways[index] for index in order):
            await (by_phone(rt, f"+{ids['wa_id']}") if isinstance(way, str) else meet(rt, **way))
        last = await by_phone(rt, f"+{ids['wa_id']}")
        assert (last.bsuid, last.wa_id) == (ids["bsuid"], ids["wa_id"]), order
        assert await count(rt) == number - 9, order


async def test_a_first_contact_from_many_sides_at_once_makes_one_person(rt: Runtime) -> None:
    calls = [meet(rt, **ALICE) if n % 2 else by_phone(rt, ALICES_PHONE) for n in range(16)]
    people = await asyncio.gather(*calls)
    assert {person.id for person in people} == {people[0].id}
    assert await count(rt) == 1


async def test_ids_that_are_one_persons_in_different_pairs_do_not_deadlock(rt: Runtime) -> None:
    pairs = [ALICE, {"bsuid": "US.111"}, {"wa_id": "15550001111"}, {**ALICE, "parent_bsuid": "US.ENT.1"}]
    async with asyncio.timeout(20):
        await asyncio.gather(*(meet(rt, **pair) for pair in pairs * 4))
    assert await count(rt) == 1


async def test_the_name_is_the_one_last_heard_and_never_lost(rt: Runtime) -> None:
    await by_phone(rt, ALICES_PHONE)
    assert (await meet(rt, "Alice", **ALICE)).name == "Alice"
    assert (await meet(rt, **ALICE)).name == "Alice"
    assert (await meet(rt, "Alice B.", **ALICE)).name == "Alice B."


async def test_each_assistant_has_its_own_names_for_people(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        for client, external_id, phone in (
            ("bot", "alice", ALICES_PHONE), ("other", "alice", "+15550002222"), ("other", "ally", ALICES_PHONE),
        ):  # fmt: skip
            await service.link(tx, rt, client_id=client, external_id=external_id, phone=phone, name=None)
        ours = await service.linked(tx, client_id="bot", external_id="alice")
        theirs = await service.linked(tx, client_id="other", external_id="alice")
        assert ours is not None
        assert theirs is not None
        assert (ours[0].to, theirs[0].to) == (ALICES_PHONE, "+15550002222")
        assert await service.linked(tx, client_id="third", external_id="alice") is None
        assert await service.clients_of(tx, ours[0]) == ["bot", "other"]
        assert await service.clients_of(tx, theirs[0]) == ["other"]


async def test_linking_again_moves_the_link_and_keeps_a_name_that_is_not_given_anew(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        for phone, name in ((ALICES_PHONE, "Alice"), ("+15550003333", None)):
            await service.link(tx, rt, client_id="bot", external_id="alice", phone=phone, name=name)
        found = await service.linked(tx, client_id="bot", external_id="alice")
    assert found is not None
    assert (found[0].to, found[1]) == ("+15550003333", "Alice")


async def test_links_follow_a_merged_person(rt: Runtime) -> None:
    await meet(rt, bsuid="US.111")
    async with rt.db.tx() as tx:
        await service.link(tx, rt, client_id="bot", external_id="alice", phone=ALICES_PHONE, name=None)
    merged = await meet(rt, **ALICE)
    async with rt.db.one() as tx:
        found = await service.linked(tx, client_id="bot", external_id="alice")
        assert await service.clients_of(tx, merged) == ["bot"]
    assert found is not None
    assert found[0].id == merged.id


async def test_strangers_are_those_nobody_is_known_by(rt: Runtime) -> None:
    await meet(rt, **ALICE)
    await by_phone(rt, "+15550002222")
    async with rt.db.one() as tx:
        known = ["US.111", "15550001111", "15550002222"]
        assert await service.strangers(tx, [*known, "US.9", "15550009999"]) == ["US.9", "15550009999"]


async def test_sends_share_the_fence_and_a_leaving_takes_it_alone(rt: Runtime) -> None:
    alice, bob = await meet(rt, **ALICE), await meet(rt, bsuid="US.222")
    async with asyncio.timeout(10), rt.db.tx() as one, rt.db.tx() as two:
        await service.lock(one, [alice.id], exclusive=False)
        await service.lock(two, [bob.id, alice.id], exclusive=False)

        async def leave(person: Person) -> None:
            async with rt.db.tx() as tx:
                await service.lock(tx, person.ids, exclusive=True)

        leaving = asyncio.create_task(leave(alice))
        await one.fetchval("SELECT 1")
        assert not leaving.done()
    async with asyncio.timeout(10):
        await leaving
