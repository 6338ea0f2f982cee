"""What an error of Meta's holds besides its message, as its row says: at once, late, and no longer than it should."""

from datetime import timedelta
from typing import Any

import pytest

from harness.mail import NEWS, Mail
from harness.rooms import Clock
from harness.service import PHONE_NUMBER_ID
from sayso.consent import service as consent
from sayso.messages import service, statuses, trouble
from sayso.messages.outcome import Trouble
from sayso.people import merging
from sayso.people import service as people
from sayso.people.service import Person
from sayso.senders import service as senders
from sayso.templates import mirror
from sayso.whatsapp.content import Template, Text
from sayso.whatsapp.failures import GraphError, classify
from sayso.whatsapp.updates import Identity, StatusUpdate

OTHER = "+15550002222"


async def held(mail: Mail, person: Person) -> trouble.Standing:
    """What holds a person."""
    async with mail.rt.db.one() as tx:
        found = await trouble.holds_of(tx, [person], mail.rt.now())
    return found.get((person.id, PHONE_NUMBER_ID), trouble.Standing())


async def test_one_person_is_held_four_times_as_long_each_time_and_others_go_on(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    message = await mail.on_the_wire(expires_at=clock() + timedelta(days=1))
    waits = []
    for _ in range(6):
        await mail.refused(message, 131056)
        hold = (await held(mail, alice)).everything
        assert hold is not None
        waits.append((hold.until - clock()).total_seconds())
        clock.at = hold.until + timedelta(seconds=1)
        await mail.promote()
        assert await mail.claim() == [message]
    assert waits == [6, 24, 96, 384, 1536, 3600]
    await mail.refused(message, 131056)
    other = await mail.queue(await mail.person(OTHER))
    assert await mail.claim() == [other]


async def test_the_same_verdict_on_what_was_under_way_is_no_repetition(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    one = await mail.queue(alice)
    two = await mail.queue(alice)
    await mail.claim()
    await mail.refused(one, 131056)
    await mail.refused(two, 131056)
    hold = (await held(mail, alice)).everything
    assert hold is not None
    assert hold.until == clock() + timedelta(seconds=6)


async def test_a_hold_is_told_once_and_not_at_each_look(mail: Mail, clock: Clock) -> None:
    message = await mail.on_the_wire()
    await mail.refused(message, 131056)
    second = await mail.queue(await mail.person())
    for _ in range(3):
        assert await mail.claim() == []
        async with mail.rt.db.tx() as tx:
            await tx.execute("UPDATE messages SET work = 'ready' WHERE id = $1", second)
    assert await mail.steps(second) == ["queued", "queued"]


async def test_marketing_to_one_person_waits_for_a_day_and_nothing_else_does(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    message = await mail.on_the_wire(category="marketing")
    await mail.refused(message, 131049, marketing=True)
    assert await mail.state(message) == ("failed", None)
    standing = await held(mail, alice)
    assert standing.everything is None
    assert standing.marketing is not None
    assert standing.marketing.until == clock() + timedelta(days=1)
    marketing = await mail.queue(alice, category="marketing")
    other = await mail.queue(alice, category="notifications")
    assert await mail.claim() == [other]
    assert await mail.state(marketing) == ("queued", "waiting")


async def test_a_template_that_meta_has_filed_as_marketing_since_it_was_queued_waits_too(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    await mail.refused(await mail.on_the_wire(category="marketing"), 131049, marketing=True)
    template = Template("news", "en", ("a",))
    news = await mail.queue(alice, content=template, price_estimate="utility")
    instead = await mail.queue(alice, outside_window=template, price_estimate="service")
    async with mail.rt.db.tx() as tx:
        await mirror.take_in(tx, mail.rt, [NEWS], began=clock())
    assert await mail.claim() == []
    for message in (news, instead):
        assert await mail.state(message) == ("queued", "waiting")
    await mail.wrote(alice, clock())
    text = await mail.queue(alice, outside_window=template)
    assert await mail.claim() == [text]


async def test_three_undeliverable_in_a_row_hold_a_person_until_they_write(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    for number in range(3):
        assert (await held(mail, alice)).everything is None, number
        await mail.refused(await mail.on_the_wire(), 131026)
    hold = (await held(mail, alice)).everything
    assert hold is not None
    assert hold.until == clock() + timedelta(days=1)
    await mail.wrote(alice, clock())
    assert (await held(mail, alice)).everything is None


async def test_one_that_arrives_ends_the_row_of_undeliverable_ones(mail: Mail) -> None:
    alice = await mail.person()
    for _ in range(2):
        await mail.refused(await mail.on_the_wire(), 131026)
    arrived = await mail.on_the_wire()
    await mail.status("delivered", callback=f"{arrived}:1")
    await mail.refused(await mail.on_the_wire(), 131026)
    assert (await held(mail, alice)).everything is None


async def test_a_stop_at_meta_that_is_heard_of_after_the_resume_takes_nothing_back(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    message = await mail.on_the_wire(category="marketing")
    await mail.said(alice, "lifted_by_meta", clock() + timedelta(seconds=1), scope=("marketing",))
    waits = await mail.queue(alice, category="marketing")
    await mail.status("failed", callback=f"{message}:1", code=131050)
    assert await mail.state(waits) == ("queued", "ready")


@pytest.mark.parametrize("late", [False, True])
async def test_who_stopped_marketing_is_in_the_ledger_and_what_waits_of_it_is_taken_back(
    mail: Mail, clock: Clock, late: bool
) -> None:
    alice = await mail.person()
    message = await mail.on_the_wire(category="marketing")
    to_come: dict[str, Any] = {
        "send_at": clock() + timedelta(hours=1),
        "expires_at": clock() + timedelta(hours=2),
    }
    waits = await mail.queue(alice, category="marketing", **to_come)
    stays = await mail.queue(alice, category="notifications", **to_come)
    if late:
        await mail.status("failed", callback=f"{message}:1", code=131050)
    else:
        await mail.refused(message, 131050, marketing=True)
    assert (await mail.state(message))[0] == "failed"
    row = await mail.row(waits)
    assert row["state"] == "suppressed"
    assert await mail.state(stays) == ("queued", "waiting")
    async with mail.rt.db.one() as tx:
        permit = (await consent.verdict(tx, mail.rt, alice)).permits("marketing", initiated=False)
    assert (permit.allowed, permit.entry_id) == (False, row["suppressed_by"])


@pytest.mark.parametrize("late", [False, True])
async def test_a_locked_account_holds_its_sender(mail: Mail, clock: Clock, late: bool) -> None:
    message = await mail.on_the_wire()
    if late:
        await mail.status("failed", callback=f"{message}:1", code=131031)
    else:
        await mail.refused(message, 131031)
    async with mail.rt.db.one() as tx:
        sender = await senders.get(tx, PHONE_NUMBER_ID)
    assert sender is not None
    assert sender.held(clock())
    assert sender.hold_code == 131031
    second = await mail.queue(await mail.person(OTHER))
    assert await mail.claim() == []
    assert await mail.state(second) == ("queued", "ready")
    assert (await mail.state(message))[0] == ("failed" if late else "queued")


async def test_an_old_failure_says_nothing_about_how_things_are_now(mail: Mail, clock: Clock) -> None:
    message = await mail.on_the_wire()
    was = clock.at
    clock.advance(hours=5)
    now, clock.at = clock.at, was
    error = GraphError(131031, "Locked")
    old = Trouble(was, "per_x", PHONE_NUMBER_ID, None, was, error, classify(error, None), message)
    clock.at = now
    async with mail.rt.db.tx() as tx:
        await trouble.obey(tx, mail.rt, [old])
        sender = await senders.get(tx, PHONE_NUMBER_ID)
    assert sender is not None
    assert sender.held(clock()) is None


async def test_what_held_is_released_at_once_and_says_so(mail: Mail, clock: Clock) -> None:
    message = await mail.on_the_wire()
    await mail.refused(message, 132015, template=("t", "en"))
    row = await mail.row(message)
    assert (row["state"], row["work"], row["held_by"]) == ("queued", "waiting", "template:t:en")
    async with mail.rt.db.tx() as tx:
        assert await service.release(tx, mail.rt, "template:t:de") == 0
        assert await service.release(tx, mail.rt, "template:t:en") == 1
    row = await mail.row(message)
    assert (row["work"], row["held"], row["held_by"]) == ("ready", None, None)
    async with mail.rt.db.one() as tx:
        assert (await service.timeline(tx, message))[-1]["reason"].startswith(
            "no longer held: template t (en)"
        )


async def look_at_meta(mail: Mail) -> bool:
    """Whether the templates are to be compared with Meta."""
    async with mail.rt.db.one() as tx:
        return bool(await tx.fetchval("SELECT EXISTS (SELECT 1 FROM template_syncs WHERE work = 'ready')"))


async def mirrored(mail: Mail, status: str) -> None:
    """Meta has the template in this state."""
    entry = {"name": "t", "language": "en", "status": status, "category": "UTILITY", "components": []}
    async with mail.rt.db.tx() as tx:
        await mirror.take_in(tx, mail.rt, [entry], began=mail.rt.now())
        await tx.execute("UPDATE template_syncs SET work = 'waiting'")


@pytest.mark.parametrize(
    ("code", "compared"),
    [
        *((code, True) for code in (132000, 132001, 132005, 132007, 132012, 132015, 132016, 132068)),
        *((code, False) for code in (131026, 132018, 132069)),
    ],
)
async def test_what_is_refused_for_its_template_has_it_compared_with_meta(
    mail: Mail, code: int, compared: bool
) -> None:
    await mirrored(mail, "APPROVED")
    message = await mail.on_the_wire()
    await mail.refused(message, code, template=("t", "en"))
    assert await look_at_meta(mail) is compared


async def test_what_waits_for_a_template_that_meta_then_calls_disabled_ends_at_once(
    mail: Mail, clock: Clock
) -> None:
    await mirrored(mail, "APPROVED")
    lives: dict[str, Any] = {"content": Template("t", "en", ()), "expires_at": clock() + timedelta(days=1)}
    alice, ben = await mail.person(), await mail.person(OTHER)
    first, second = await mail.queue(alice, **lives), await mail.queue(ben, **lives)
    assert sorted(await mail.claim()) == sorted([first, second])
    await mail.refused(first, 132015, template=("t", "en"))
    assert await mail.state(first) == ("queued", "waiting")
    await mail.refused(second, 132016, template=("t", "en"))
    assert (await mail.state(second))[0] == "failed"
    for _ in range(2):  # one claim releases, the next decides
        assert await mail.claim() == []
    row = await mail.row(first)
    assert row["state"] == "failed"
    assert "disabled it for good" in row["reason"]


async def test_leaving_takes_back_everything_that_waits_but_the_answer_to_it(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    later: dict[str, Any] = {
        "send_at": clock() + timedelta(hours=1),
        "expires_at": clock() + timedelta(hours=2),
    }
    messages = [await mail.queue(alice), await mail.queue(alice, **later)]
    answer = await mail.queue(alice, purpose="consent")
    others = await mail.queue(await mail.person(OTHER))
    async with mail.rt.db.tx() as tx:
        rows = await service.suppress_all(tx, mail.rt, alice, "con_1", scope=None, reason="they left")
    assert sorted(row["id"] for row in rows) == sorted(messages)
    for message in messages:
        row = await mail.row(message)
        assert (row["state"], row["work"], row["suppressed_by"], row["reason"]) == (
            "suppressed",
            None,
            "con_1",
            "they left",
        )
    assert sorted(await mail.claim()) == sorted([answer, others])
    assert await mail.events() == ["message.failed", "message.failed"]


async def test_the_same_message_is_queued_once(mail: Mail) -> None:
    alice = await mail.person()
    first = await mail.queue(alice, dedupe="welcome")
    assert await mail.queue(alice, dedupe="welcome", content=Text("again")) == first
    assert await mail.queue(alice, dedupe="other") != first
    assert await mail.queue(alice, dedupe="welcome", client_id="another bot") != first
    assert await mail.steps(first) == ["queued"]


async def test_what_is_to_go_later_waits_until_then(mail: Mail, clock: Clock) -> None:
    at = clock() + timedelta(hours=3)
    message = await mail.queue(await mail.person(), send_at=at, expires_at=at + timedelta(hours=1))
    await mail.promote()
    assert await mail.claim() == []
    clock.at = at
    await mail.promote()
    assert await mail.claim() == [message]


@pytest.mark.parametrize("longer", [0, 1])
async def test_of_two_records_of_one_person_the_longer_hold_counts(
    mail: Mail, clock: Clock, longer: int
) -> None:
    one, two = await mail.person(), await mail.person(OTHER)
    async with mail.rt.db.tx() as tx:
        await merging.merge(tx, mail.rt, one.id, two.id, because="test")
        person = await people.get(tx, one.id)
        for number, record in enumerate(sorted(person.ids)):
            until = clock() + timedelta(hours=2 if number == longer else 1)
            await tx.execute(
                "INSERT INTO conversations (person_id, phone_number_id, hold_until, hold_why, marketing_until, "
                "marketing_why) VALUES ($1, $2, $3, 'x', $3, 'y')",
                record,
                PHONE_NUMBER_ID,
                until,
            )
    standing = await held(mail, person)
    for hold in (standing.everything, standing.marketing):
        assert hold is not None
        assert hold.until == clock() + timedelta(hours=2)


@pytest.mark.parametrize("code", [131050, 131026])
async def test_what_meta_dates_into_the_future_holds_from_now(mail: Mail, clock: Clock, code: int) -> None:
    """Else a stop could never be lifted by what Meta says later, and a person never be written to again."""
    message = await mail.on_the_wire()
    told = StatusUpdate(
        "wamid.1", PHONE_NUMBER_ID, "failed", clock() + timedelta(days=900_000), Identity(), f"{message}:1",
        (GraphError(code, "Undeliverable"),), None,
    )  # fmt: skip
    async with mail.rt.db.tx() as tx:
        await statuses.record(tx, mail.rt, [told])
        dates = await tx.fetch(
            "SELECT captured_at AS at FROM consent_entries UNION ALL "
            "SELECT struck_at FROM conversations WHERE struck_at IS NOT NULL"
        )
    assert [row["at"] for row in dates] == [clock()]


async def test_whoever_leaves_marketing_gets_no_template_that_is_marketing_to_meta(mail: Mail) -> None:
    alice = await mail.person()
    template = Template("news", "en", ("a",))
    advert = await mail.queue(alice, content=template, price_estimate="marketing")
    others = [await mail.queue(alice, content=template, price_estimate="utility"), await mail.queue(alice)]
    async with mail.rt.db.tx() as tx:
        rows = await service.suppress_all(
            tx, mail.rt, alice, "con_1", scope=("marketing",), reason="they left"
        )
    assert [row["id"] for row in rows] == [advert]
    assert sorted(await mail.claim()) == sorted(others)
