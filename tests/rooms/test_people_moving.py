"""Numbers and user ids that change: they move with the person, and whoever has the old one next is somebody else."""

import pytest

from harness.rooms import Clock
from sayso.core.runtime import Runtime
from sayso.people import links, moving, service
from sayso.people.links import Given
from sayso.people.moving import Moved
from sayso.people.service import Person
from sayso.whatsapp.updates import Identity

OLD, NEW = Identity("US.OLD", None, "15550001111"), Identity("US.NEW", None, "15550003333")
OLD_PHONE, NEW_PHONE = "+15550001111", "+15550003333"


async def meet(rt: Runtime, identity: Identity) -> Person:
    async with rt.db.tx() as tx:
        return await service.meet(tx, rt, identity, learned_from="meta:message")


async def by_phone(rt: Runtime, phone: str) -> Person:
    async with rt.db.tx() as tx:
        return await service.by_phone(tx, rt, phone, learned_from="assistant:bot")


async def change(rt: Runtime, before: Identity, after: Identity, *, number: bool = True) -> Moved:
    async with rt.db.tx() as tx:
        return await moving.change(tx, rt, before, after, number=number, learned_from="meta:system")


async def now(rt: Runtime, person: Person) -> Person:
    async with rt.db.one() as tx:
        return await service.get(tx, person.id)


async def past(rt: Runtime, person: Person) -> set[str]:
    async with rt.db.one() as tx:
        rows = await tx.fetch(
            "SELECT value FROM people_past_identifiers WHERE person_id = ANY($1)", list(person.ids)
        )
    return {row["value"] for row in rows}


async def test_a_number_change_moves_everything_and_lets_the_old_number_go(rt: Runtime) -> None:
    await by_phone(rt, OLD_PHONE)  # an assistant gave it
    alice = await meet(rt, OLD)
    moved = await change(rt, OLD, NEW)
    assert moved.news
    assert moved.person.id == alice.id
    assert (moved.person.to, moved.person.bsuid) == (NEW_PHONE, "US.NEW")
    assert set(moved.person.keys) == {"US.NEW", "15550003333"}
    assert await past(rt, alice) == {"US.OLD", "15550001111", OLD_PHONE}
    assert (await by_phone(rt, NEW_PHONE)).id == alice.id
    heir = await meet(rt, Identity("US.HEIR", None, "15550001111"))
    assert heir.id != alice.id
    assert (await by_phone(rt, OLD_PHONE)).id == heir.id


async def test_each_of_our_numbers_tells_of_it_and_it_is_done_once(rt: Runtime) -> None:
    alice = await meet(rt, OLD)
    assert (await change(rt, OLD, NEW)).news
    for before in (OLD, Identity("US.OLD"), Identity(None, None, "15550003333")):
        again = await change(rt, before, NEW)
        assert (again.news, again.person.id) == (False, alice.id)
    assert (await now(rt, alice)).to == NEW_PHONE


async def test_a_hidden_number_changes_without_being_told_and_the_old_one_is_not_used_again(
    rt: Runtime,
) -> None:
    alice = await meet(rt, OLD)
    moved = await change(rt, Identity("US.OLD"), Identity("US.NEW"))
    assert (moved.person.id, moved.person.to, moved.person.bsuid) == (alice.id, None, "US.NEW")


async def test_another_user_id_leaves_the_number_as_it_is(rt: Runtime) -> None:
    alice = await meet(rt, OLD)
    moved = await change(rt, Identity("US.OLD"), Identity("US.NEW"), number=False)
    assert (moved.person.id, moved.person.to, moved.person.bsuid) == (alice.id, OLD_PHONE, "US.NEW")


async def test_what_comes_late_under_the_old_user_id_is_theirs_and_brings_nothing_back(rt: Runtime) -> None:
    alice = await meet(rt, OLD)
    await change(rt, OLD, NEW)
    late = await meet(rt, OLD)
    assert (late.id, late.to) == (alice.id, NEW_PHONE)
    async with rt.db.tx() as tx:
        facts = [(alice.id, "wa_id", "15550001111"), (alice.id, "bsuid", "US.OLD")]
        await service.learn(tx, rt, facts, learned_from="meta:status")
    assert (await now(rt, alice)).keys == (await now(rt, late)).keys
    assert (await now(rt, alice)).to == NEW_PHONE


async def test_who_has_written_from_the_new_number_already_is_recognised(rt: Runtime) -> None:
    alice, early = await meet(rt, OLD), await meet(rt, NEW)
    assert early.id != alice.id
    moved = await change(rt, OLD, NEW)
    assert set(moved.person.ids) == {alice.id, early.id}
    assert (moved.person.to, moved.person.bsuid) == (NEW_PHONE, "US.NEW")


async def test_the_number_moved_to_is_taken_from_whoever_had_it(rt: Runtime) -> None:
    alice, before = await meet(rt, OLD), await meet(rt, Identity("US.BEFORE", None, "15550003333"))
    moved = await change(rt, OLD, NEW)
    assert moved.person.ids == (alice.id,)
    assert (await now(rt, before)).to is None


@pytest.mark.parametrize("later_first", [False, True])
async def test_two_changes_in_a_row_end_at_the_last_in_whatever_order_they_come(
    rt: Runtime, *, later_first: bool
) -> None:
    alice, last = await meet(rt, OLD), Identity("US.LAST", None, "15550004444")
    steps = [(OLD, NEW), (NEW, last)]
    for before, after in reversed(steps) if later_first else steps:
        await change(rt, before, after)
    whole = await now(rt, alice)
    assert (whole.to, whole.bsuid) == ("+15550004444", "US.LAST")
    assert (await meet(rt, last)).id == whole.id
    assert (await meet(rt, Identity("US.NEW"))).id == whole.id


async def test_a_change_of_somebody_elses_who_had_the_number_before_touches_nobody(rt: Runtime) -> None:
    heir = await meet(rt, Identity("US.HEIR", None, "15550001111"))
    await change(rt, OLD, NEW)
    assert (await now(rt, heir)).to == OLD_PHONE
    assert (await now(rt, heir)).bsuid == "US.HEIR"


async def test_a_recycled_number_goes_under_every_spelling(rt: Runtime) -> None:
    """Else what is meant for the one who had it would reach the one who has it."""
    given = await by_phone(rt, "+5541988887777")
    async with rt.db.tx() as tx:
        await service.learn(tx, rt, [(given.id, "wa_id", "554188887777")], learned_from="meta:send")
    joao = await meet(rt, Identity("BR.1", None, "554188887777"))
    assert joao.id == given.id
    heir = await meet(rt, Identity("BR.2", None, "554188887777"))
    assert heir.id != joao.id
    assert ((await now(rt, joao)).to, (await now(rt, joao)).bsuid) == (None, "BR.1")
    assert (await now(rt, heir)).twins == ()


async def test_metas_word_on_a_number_beats_an_assistants(rt: Runtime, clock: Clock) -> None:
    """Linked by Meta to a user id whose number is another, what an assistant once gave is not dialled any more."""
    one, other = await by_phone(rt, OLD_PHONE), await meet(rt, Identity("US.1"))
    await meet(rt, Identity("US.1", None, "15550001111"))
    clock.advance(minutes=1)
    whole = await meet(rt, Identity("US.1", None, "15550003333"))
    assert set(whole.ids) == {one.id, other.id}
    assert whole.to == NEW_PHONE
    clock.advance(minutes=1)
    assert (await meet(rt, Identity("US.1", None, "15550001111"))).to == OLD_PHONE  # said last


async def test_where_meta_answered_with_another_spelling_what_was_given_is_dialled(rt: Runtime) -> None:
    asked = await by_phone(rt, "+22507070707")
    async with rt.db.tx() as tx:
        await service.learn(tx, rt, [(asked.id, "wa_id", "2250707070707")], learned_from="meta:send")
    assert (await now(rt, asked)).to == "+22507070707"


async def test_an_assistant_that_says_the_old_number_again_still_means_who_moved(rt: Runtime) -> None:
    async def put(phone: str) -> Person:
        async with rt.db.tx() as tx:
            return await links.put(tx, rt, client_id="bot", external_id="alice", given=Given(phone=phone))

    alice = await put(OLD_PHONE)
    await meet(rt, OLD)
    await change(rt, OLD, NEW)
    assert (await put(OLD_PHONE)).to == NEW_PHONE
    async with rt.db.one() as tx:
        seen = await links.seen_by(tx, "bot", "alice")
    assert seen is not None
    assert seen["phone"] == OLD_PHONE
    assert seen["phone_left_at"] == rt.now()
    assert (await by_phone(rt, OLD_PHONE)).id != alice.id


async def test_other_keys_are_noted_once_and_an_older_change_changes_nothing(
    rt: Runtime, clock: Clock
) -> None:
    alice = await meet(rt, OLD)
    first, second = clock(), clock.advance(hours=1)
    async with rt.db.tx() as tx:
        assert await moving.note_identity_change(tx, alice, second)
        assert not await moving.note_identity_change(tx, alice, second)
        assert not await moving.note_identity_change(tx, alice, first)
        assert await tx.fetchval("SELECT identity_changed_at FROM people") == second
