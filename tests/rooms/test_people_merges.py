"""A merge is recorded with its reason, and can be undone: everything goes back to where it was learned."""

from harness.rooms import Clock
from sayso.core.runtime import Runtime
from sayso.people import links, merging, service
from sayso.people.service import Person
from sayso.whatsapp.updates import Identity

ALICE = Identity("US.1", None, "15550001111")


async def meet(rt: Runtime, identity: Identity) -> Person:
    async with rt.db.tx() as tx:
        return await service.meet(tx, rt, identity, learned_from="meta:message")


async def by_phone(rt: Runtime, phone: str) -> Person:
    async with rt.db.tx() as tx:
        return await service.by_phone(tx, rt, phone, learned_from="assistant:bot")


async def merges(rt: Runtime, person: Person) -> list[dict[str, object]]:
    async with rt.db.one() as tx:
        return [dict(row) for row in await merging.merges_of(tx, person)]


async def undo(rt: Runtime, merge_id: object) -> tuple[Person, Person] | None:
    async with rt.db.tx() as tx:
        return await merging.undo(tx, rt, str(merge_id), because="two people, says the operator")


async def test_a_merge_says_why_and_undone_it_gives_back_what_each_had(rt: Runtime, clock: Clock) -> None:
    hidden = await meet(rt, Identity("US.1"))
    async with rt.db.tx() as tx:
        await links.link(tx, rt, client_id="bot", external_id="al", phone="+15550001111", name=None)
    clock.advance(seconds=1)
    numbered = await by_phone(rt, "+15550001111")
    whole = await meet(rt, ALICE)
    [merge] = await merges(rt, whole)
    assert (merge["other_id"], merge["root_id"]) == (numbered.id, hidden.id)
    assert merge["because"] == "meta:message gave bsuid and wa_id of one person"
    assert (merge["at"], merge["undone_at"]) == (clock(), None)
    apart = await undo(rt, merge["id"])
    assert apart is not None
    root, other = apart
    assert (root.id, root.ids, root.bsuid) == (hidden.id, (hidden.id,), "US.1")
    assert (other.id, other.ids, other.bsuid, other.to) == (numbered.id, (numbered.id,), None, "+15550001111")
    async with rt.db.one() as tx:
        found = await service.linked(tx, client_id="bot", external_id="al")
    assert found is not None
    assert found[0].id == numbered.id
    [undone] = await merges(rt, root)
    assert (undone["undone_because"], undone["undone_at"]) == ("two people, says the operator", clock())
    assert await undo(rt, merge["id"]) is None  # there is nothing to undo any more


async def test_what_was_taken_apart_stays_apart_and_a_number_goes_to_whom_meta_says_it_is(
    rt: Runtime,
) -> None:
    await meet(rt, Identity("US.1"))
    numbered = await by_phone(rt, "+15550001111")
    [merge] = await merges(rt, await meet(rt, ALICE))
    apart = await undo(rt, merge["id"])
    assert apart is not None
    again = await meet(rt, ALICE)  # Meta still says that they are one
    assert again.id == apart[0].id
    assert again.to == "+15550001111"
    async with rt.db.one() as tx:
        other = await service.get(tx, numbered.id)
    assert (other.to, other.ids) == (None, (numbered.id,))
    assert len(await merges(rt, again)) == 1


async def test_an_answer_of_metas_does_not_merge_again_what_was_taken_apart(rt: Runtime) -> None:
    given, wrote = await by_phone(rt, "+5541988887777"), await meet(rt, Identity(None, None, "554188887777"))

    async def learn() -> None:
        async with rt.db.tx() as tx:
            await service.learn(tx, rt, [(given.id, "wa_id", "554188887777")], learned_from="meta:send")

    await learn()
    async with rt.db.one() as tx:
        whole = await service.get(tx, given.id)
    assert set(whole.ids) == {given.id, wrote.id}
    [merge] = await merges(rt, whole)
    assert "meta:send" in str(merge["because"])
    assert await undo(rt, merge["id"]) is not None
    await learn()
    async with rt.db.one() as tx:
        assert (await service.get(tx, given.id)).ids == (given.id,)


async def test_of_merges_upon_merges_each_can_be_undone_and_the_others_hold(
    rt: Runtime, clock: Clock
) -> None:
    one = await meet(rt, Identity("US.1"))
    two, three = await by_phone(rt, "+15550000002"), await by_phone(rt, "+15550000003")
    four = await meet(rt, Identity(None, "US.ENT.4"))
    for known in (
        Identity("US.1", None, "15550000002"),
        Identity(None, "US.ENT.4", "15550000003"),
        Identity("US.1", "US.ENT.4"),
    ):
        clock.advance(seconds=1)
        whole = await meet(rt, known)
    assert set(whole.ids) == {one.id, two.id, three.id, four.id}
    first, second, third = await merges(rt, whole)
    assert await undo(rt, third["id"]) is not None
    async with rt.db.one() as tx:
        found = await service.get_many(tx, [one.id, two.id, three.id, four.id])
    assert set(found[one.id].ids) == set(found[two.id].ids) == {one.id, two.id}
    assert set(found[three.id].ids) == set(found[four.id].ids) == {three.id, four.id}
    for merge in (first, second):
        assert await undo(rt, merge["id"]) is not None
    async with rt.db.one() as tx:
        found = await service.get_many(tx, [one.id, two.id, three.id, four.id])
        assert await tx.fetchval("SELECT count(*) FROM people WHERE merged_into IS NOT NULL") == 0
    assert [person.ids for person in found.values()] == [(key,) for key in found]


async def test_a_merge_in_the_middle_undone_takes_with_it_what_hung_on_it(rt: Runtime, clock: Clock) -> None:
    two, three = await by_phone(rt, "+15550000002"), await by_phone(rt, "+15550000003")
    await meet(rt, Identity(None, "US.ENT.1", "15550000002"))
    clock.advance(seconds=1)
    await meet(rt, Identity(None, "US.ENT.1", "15550000003"))
    one = await meet(rt, Identity("US.9"))
    clock.advance(seconds=1)
    whole = await meet(rt, Identity("US.9", "US.ENT.1"))
    assert set(whole.ids) == {one.id, two.id, three.id}
    below, above = await merges(rt, whole)
    apart = await undo(rt, above["id"])
    assert apart is not None
    assert apart[0].ids == (one.id,)
    assert set(apart[1].ids) == {two.id, three.id}
    assert await undo(rt, below["id"]) is not None
