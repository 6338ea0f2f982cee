"""What language somebody reads: set by an assistant, said by a word of theirs, or guessed, in this order."""

from datetime import datetime, timedelta

import pytest

from harness.rooms import Clock
from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.people import links, merging, service
from sayso.people.links import Given
from sayso.people.service import Person
from sayso.whatsapp.updates import Identity

GERMAN = "+4915112345678"


async def known(tx: Tx, rt: Runtime, **given: str) -> Person:
    given.setdefault("phone", GERMAN)
    return await links.put(tx, rt, client_id="bot", external_id="u", given=Given(**given))


async def said(rt: Runtime, person: Person, at: datetime, *languages: str) -> tuple[str | None, str | None]:
    """Let them use a word of these languages; what is in force for their assistant then, and where it comes from."""
    async with rt.db.tx() as tx:
        await service.note_language(tx, await service.get(tx, person.id), languages, at)
        seen = await links.seen_by(tx, "bot", "u")
    assert seen is not None
    async with rt.db.one() as tx:
        now = await service.get(tx, person.id)
    assert now.language == seen["language"]
    return now.language, str(seen["language_from"])


async def test_what_was_set_beats_what_was_said_and_that_beats_the_number(rt: Runtime, clock: Clock) -> None:
    async with rt.db.tx() as tx:
        person = await known(tx, rt)
    assert (person.language, person.in_force("language", None)) == ("de", ("de", "guessed"))
    assert await said(rt, person, clock(), "el") == ("el", "said")
    async with rt.db.tx() as tx:
        await known(tx, rt, language="fi")
    assert await said(rt, person, clock.advance(seconds=1), "es") == ("fi", "set")


async def test_of_several_words_the_last_one_counts_in_whatever_order_they_come(
    rt: Runtime, clock: Clock
) -> None:
    async with rt.db.tx() as tx:
        person = await known(tx, rt)
    assert await said(rt, person, clock(), "el") == ("el", "said")
    assert await said(rt, person, clock() - timedelta(days=2), "es") == ("el", "said")
    assert await said(rt, person, clock() + timedelta(seconds=1), "es") == ("es", "said")


async def test_a_word_of_many_languages_says_nothing_of_another_country(rt: Runtime, clock: Clock) -> None:
    async with rt.db.tx() as tx:
        person = await known(tx, rt)
    assert await said(rt, person, clock(), "sv", "nb") == ("de", "guessed")
    assert await said(rt, person, clock(), "de", "sv", "nb") == ("de", "said")


@pytest.mark.parametrize("told_first", [True, False])
async def test_what_is_known_of_one_record_holds_for_the_person_it_was_merged_into(
    rt: Runtime, clock: Clock, *, told_first: bool
) -> None:
    async with rt.db.tx() as tx:
        person = await known(tx, rt, **({"language": "fi", "time_zone": "Asia/Tokyo"} if told_first else {}))
        root = await service.meet(tx, rt, Identity("DE.1", None, None, None), learned_from="meta:message")
        if not told_first:
            await service.note_language(tx, person, ["el"], clock())
        await merging.merge(tx, rt, person.id, root.id, because="meta:send")
        merged = await service.get(tx, person.id)
        assert (merged.id, len(merged.ids)) == (root.id, 2)
        assert merged.language == ("fi" if told_first else "el")
        assert merged.time_zone == ("Asia/Tokyo" if told_first else "Europe/Berlin")
        met = await service.meet(tx, rt, Identity("DE.1", None, None, None), learned_from="meta:message")
        assert met.language == merged.language
        [merge] = await merging.merges_of(tx, merged)
        await merging.undo(tx, rt, merge["id"], because="two people")
        assert (await service.get(tx, root.id)).language is None
