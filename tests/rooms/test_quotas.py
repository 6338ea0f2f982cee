"""How often one person is asked has an end, out of the box: no more in an hour, in a day, and at once."""

from dataclasses import replace
from datetime import timedelta

from harness.decisions import Decisions
from harness.mail import Mail
from harness.rooms import Clock
from sayso.confirmations import quotas
from sayso.confirmations.caps import Caps
from sayso.confirmations.quotas import TooManyQuestionsError
from sayso.core.runtime import Runtime
from sayso.people.service import Person

NOBODY = "+15550009999"


async def refused(rt: Runtime, caps: Caps, person: Person, client: str = "bot") -> str | None:
    """What one more question is refused for, with the seconds until there is room; None when it may be asked."""
    try:
        async with rt.db.tx() as tx:
            await quotas.check(tx, rt, caps, client, [person])
    except TooManyQuestionsError as error:
        return f"{error.detail.rpartition(' as ')[2].split()[0]} {error.retry_after_s}"
    return None


async def asked(rt: Runtime, person: Person, count: int, client: str = "bot") -> list[str]:
    return [await Decisions(rt).ask(person, client=client) for _ in range(count)]


async def test_without_a_policy_a_person_has_ten_open_and_is_asked_twenty_in_an_hour(
    rt: Runtime, mail: Mail, clock: Clock
) -> None:
    alice, somebody = await mail.person(), await mail.person(NOBODY)
    began, caps = clock.at, Caps()
    ids = await asked(rt, alice, 9)
    assert await refused(rt, caps, alice) is None
    ids += await asked(rt, alice, 1)
    assert await refused(rt, caps, alice) == "person_open 60"
    assert await refused(rt, caps, somebody) is None
    assert await refused(rt, caps, alice, "other") is None, "each assistant has limits of its own"
    for each in ids:
        await Decisions(rt).decide(each, "withdrawn")
    clock.advance(minutes=10)
    for each in await asked(rt, alice, 10):
        assert await refused(rt, caps, alice) is not None
        await Decisions(rt).decide(each, "withdrawn")
    assert await refused(rt, caps, alice) == "person_hour 3000"
    clock.at = began + timedelta(hours=1, seconds=-1)
    assert await refused(rt, caps, alice) == "person_hour 1"
    clock.at = began + timedelta(hours=1, seconds=1)
    assert await refused(rt, caps, alice) is None


async def test_each_limit_holds_by_itself_and_can_be_taken_away(
    rt: Runtime, mail: Mail, clock: Clock
) -> None:
    off = dict.fromkeys(Caps.model_fields, "unlimited")
    alice, somebody = await mail.person(), await mail.person(NOBODY)
    await asked(rt, alice, 2)
    began = clock.at
    for cap in Caps.model_fields:
        clock.at = began
        caps = Caps.model_validate({**off, cap: 2})
        wait = {"hour": 3600, "day": 86400, "open": 60}[cap.partition("_")[2]]
        assert await refused(rt, caps, alice) == f"{cap} {wait}"
        other = await refused(rt, caps, somebody)
        assert other == (None if cap.startswith("person") else f"{cap} {wait}")
        assert await refused(rt, Caps.model_validate({**off, cap: 3}), alice) is None
        async with rt.db.one() as tx:
            assert await quotas.has_room(tx, rt, caps, "bot", alice) is cap.startswith("client")
        clock.advance(seconds=wait + 1)
        assert (await refused(rt, caps, alice) is None) is not cap.endswith("open")
    assert await refused(rt, Caps.model_validate(off), alice) is None


async def test_who_is_known_by_several_records_is_one_person(rt: Runtime, mail: Mail) -> None:
    alice, former = await mail.person(), await mail.person(NOBODY)
    await asked(rt, alice, 1)
    await asked(rt, former, 1)
    both = replace(alice, ids=(*alice.ids, *former.ids))
    assert await refused(rt, Caps(person_hour=2), both) == "person_hour 3600"
    assert await refused(rt, Caps(person_hour=2), alice) is None
