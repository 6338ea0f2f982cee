"""The decision at the wire, made in the claim's transaction, and what becomes of intents whose worker is gone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from harness.mail import NEWS, PHONE, Mail
from harness.rooms import Clock, until_one_waits_for_a_lock
from harness.service import PHONE_NUMBER_ID
from sayso.consent import service as consent
from sayso.consent.service import Said
from sayso.core.worker import Lease
from sayso.inbound import leaving
from sayso.inbound.leaving import Chat
from sayso.messages import forgetting
from sayso.messages.dispatch import lost_with_their_worker
from sayso.messages.outcome import REPORT_UNKNOWN_AFTER
from sayso.messages.results import Result
from sayso.messages.rules import Purpose
from sayso.people import service as people
from sayso.people.service import Person
from sayso.templates import mirror
from sayso.whatsapp.content import Template, Text
from sayso.whatsapp.updates import Identity


def body_of(mail: Mail, message_id: str) -> dict[str, Any]:
    """What would be posted."""
    found: dict[str, Any] = msgspec.json.decode(mail.dispatcher._ready[message_id].outgoing.body)
    return found


async def test_inside_the_window_a_message_goes_as_it_is_with_its_intent_committed(mail: Mail) -> None:
    alice = await mail.person()
    await mail.wrote(alice, mail.rt.now() - timedelta(hours=1))
    message = await mail.queue(alice, template=True)
    assert await mail.claim() == [message]
    row = await mail.row(message)
    assert (row["state"], row["work"], row["form"], row["attempt"]) == ("sending", "running", "session", 1)
    assert row["posted_at"] == mail.rt.now()
    assert await mail.steps(message) == ["queued", "sending"]
    posted = body_of(mail, message)
    assert (posted["to"], posted["type"], posted["biz_opaque_callback_data"]) == (
        PHONE,
        "text",
        f"{message}:1",
    )


async def test_outside_the_window_the_template_goes(mail: Mail) -> None:
    alice = await mail.person()
    await mail.wrote(alice, mail.rt.now() - timedelta(hours=24))
    message = await mail.queue(alice, template=True)
    assert await mail.claim() == [message]
    assert body_of(mail, message)["type"] == "template"
    assert (await mail.row(message))["form"] == "template"


async def test_who_left_gets_nothing_under_whatever_record(mail: Mail) -> None:
    hidden = await people_met(mail, bsuid="US.1")
    await mail.said(hidden, "withdrawn", mail.rt.now())
    numbered = await mail.person()
    message = await mail.queue(numbered)
    await people_met(mail, bsuid="US.1", wa_id="15550001111")  # they were one all along
    assert await mail.claim() == []
    assert await mail.state(message) == ("suppressed", None)
    assert "opted out" in (await mail.row(message))["reason"]
    assert mail.failed == [message]


async def people_met(mail: Mail, **ids: str) -> Person:
    async with mail.rt.db.tx() as tx:
        return await people.meet(tx, mail.rt, Identity(**ids), learned_from="meta:message")


async def test_who_came_back_gets_it(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.said(alice, "withdrawn", clock())
    await mail.said(alice, "granted", clock.advance(seconds=1))
    message = await mail.queue(alice)
    assert await mail.claim() == [message]


async def test_what_has_outlived_its_time_is_not_sent(mail: Mail, clock: Clock) -> None:
    message = await mail.queue(await mail.person(), expires_at=clock() + timedelta(minutes=1))
    clock.advance(minutes=1)
    assert await mail.claim() == []
    assert await mail.state(message) == ("expired", None)
    assert mail.failed == [message]


async def test_somebody_without_any_address_cannot_be_reached_and_a_user_id_is_one(mail: Mail) -> None:
    hidden = await people_met(mail, bsuid="US.1")
    message = await mail.queue(hidden)
    assert await mail.claim() == [message]
    assert body_of(mail, message)["recipient"] == "US.1"
    async with mail.rt.db.tx() as tx:
        await tx.execute("INSERT INTO people (id, created_at) VALUES ('per_x', now())")
        nobody = await people.get(tx, "per_x")
    lost = await mail.queue(nobody)
    assert await mail.claim() == []
    assert await mail.state(lost) == ("failed", None)


async def test_answers_overtake_questions_and_the_rest(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.wrote(alice, clock())
    later: list[str] = []
    purposes: tuple[Purpose, ...] = ("send", "prompt", "notice", "send", "closing")
    for purpose in purposes:
        clock.advance(milliseconds=5)
        later.append(await mail.queue(alice, purpose=purpose))
    assert await mail.claim() == [later[2], later[4], later[1], later[0], later[3]]


async def test_the_answer_to_a_leaving_waits_for_what_is_under_way_and_passes_over_the_opt_out(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    under_way = await mail.queue(alice)
    assert await mail.claim() == [under_way]
    await mail.said(alice, "withdrawn", clock())
    answer = await mail.queue(alice, purpose="consent", dedupe="left:1")
    assert await mail.claim() == []
    assert await mail.state(answer) == ("queued", "waiting")
    await mail.apply(Result(under_way, 1, clock(), state="accepted", wamid="wamid.1"))
    clock.advance(seconds=1)
    await mail.promote()
    assert await mail.claim() == [answer]


async def test_a_claim_passes_over_somebody_who_is_just_leaving_and_obeys_it_afterwards(mail: Mail) -> None:
    alice, ben = await mail.person(), await mail.person("+15550002222")
    message, other = await mail.queue(alice), await mail.queue(ben)
    async with mail.rt.db.tx() as leaving:
        await people.lock(leaving, [alice.id], exclusive=True)
        said = Said(person=alice, action="withdrawn", method="keyword", captured_at=mail.rt.now())
        await consent.append(leaving, mail.rt, [said])
        assert await mail.claim() == [other], "nobody else waits for it"
    assert await mail.claim() == []
    assert await mail.state(message) == ("suppressed", None)


async def test_a_leaving_waits_for_a_claim_that_has_begun_and_knows_it_as_under_way(mail: Mail) -> None:
    alice = await mail.person()
    message = await mail.queue(alice)
    worker = Lease(await mail.enlist())
    async with mail.rt.db.tx(claims=True) as claiming:
        assert (await mail.dispatcher.claim(mail.rt, claiming, worker, 9)).todo
        leaving = asyncio.create_task(mail.said(alice, "withdrawn", mail.rt.now()))
        await until_one_waits_for_a_lock(mail.rt)
    await leaving
    assert await mail.state(message) == ("sending", "running")
    answer = await mail.queue(alice, purpose="consent", dedupe="left:1")
    assert await mail.claim() == []
    assert await mail.state(answer) == ("queued", "waiting")


async def test_what_was_under_way_with_a_dead_worker_is_unknown_and_never_posted_again(mail: Mail) -> None:
    alice = await mail.person()
    message = await mail.queue(alice)
    worker = await mail.enlist()
    assert await mail.claim(worker) == [message]
    async with mail.rt.db.tx(claims=True) as tx:
        await lost_with_their_worker(mail.rt, tx, [worker])
    assert await mail.state(message) == ("unknown", "waiting")
    assert (await mail.row(message))["work_at"] == mail.rt.now() + REPORT_UNKNOWN_AFTER
    assert await mail.claim() == []
    assert await mail.steps(message) == ["queued", "sending", "unknown"]


async def test_what_a_worker_that_seems_dead_may_still_post_is_under_way_until_it_cannot(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    await mail.queue(alice)
    worker = await mail.enlist()
    await mail.claim(worker)
    clock.advance(seconds=6)
    async with mail.rt.db.tx(claims=True) as tx:
        await lost_with_their_worker(mail.rt, tx, [worker])
    await mail.said(alice, "withdrawn", clock())
    answer = await mail.queue(alice, purpose="consent", dedupe="left:x", client_id="")
    for seconds, claimed, still in ((0, [], True), (9, [], True), (2, [answer], False)):
        clock.advance(seconds=seconds)
        await mail.promote()
        async with mail.rt.db.one() as tx:
            assert bool(await leaving.in_flight(tx, mail.rt, alice, ["all"])) is still
            assert await forgetting.under_way(tx, mail.rt, alice, "bot") is still
        assert await mail.claim() == claimed


@pytest.mark.parametrize(
    ("state", "work"), [("queued", "ready"), ("unknown", "ready"), ("sent", None), ("failed", None)]
)
async def test_what_a_dead_worker_had_not_posted_goes_on_and_what_is_settled_stays(
    mail: Mail, state: str, work: str | None
) -> None:
    message = await mail.queue(await mail.person())
    worker = await mail.enlist()
    async with mail.rt.db.tx() as tx:
        await tx.execute("UPDATE messages SET state = $1, work = 'running', worker = $2", state, worker)
        await lost_with_their_worker(mail.rt, tx, [worker])
    assert await mail.state(message) == (state, work)


async def test_an_unknown_message_is_reported_once_its_time_is_over(mail: Mail, clock: Clock) -> None:
    message = await mail.queue(await mail.person())
    await mail.claim()
    again = clock() + REPORT_UNKNOWN_AFTER
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=again))
    clock.advance(minutes=15)
    await mail.promote()
    assert await mail.claim() == []
    assert await mail.state(message) == ("unknown", None)
    assert await mail.events() == ["message.unknown"]
    await mail.promote()
    assert await mail.claim() == []
    assert await mail.events() == ["message.unknown"]
    joined = await mail.status("delivered", callback=message)
    assert joined is not None
    assert await mail.state(message) == ("delivered", None)


async def test_a_claim_that_fails_leaves_no_intent(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    message = await mail.queue(await mail.person())

    async def fails(*_args: object) -> None:
        raise LookupError

    monkeypatch.setattr("sayso.messages.dispatch.note", fails)
    with pytest.raises(LookupError):
        await mail.claim()
    assert await mail.state(message) == ("queued", "ready")
    assert (await mail.row(message))["attempt"] == 0


async def test_what_may_have_reached_the_person_before_does_not_end_as_if_it_had_not(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    message = await mail.queue(alice, if_unknown="retry_once")
    await mail.claim()
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=clock()))
    await mail.said(alice, "withdrawn", clock())
    await mail.promote()
    assert await mail.claim() == []
    assert await mail.state(message) == ("unknown", None)
    assert "may have reached" in (await mail.row(message))["reason"]
    assert mail.failed == []
    await mail.status("delivered", callback=f"{message}:1")
    assert await mail.state(message) == ("delivered", None)


async def test_after_a_stop_of_everything_what_was_opted_in_to_again_goes_and_nothing_else(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    await mail.wrote(alice, clock())
    await mail.said(alice, "withdrawn", clock())
    await mail.said(alice, "granted", clock.advance(seconds=1), scope=("daily_summary",))
    wanted = await mail.queue(alice, category="daily_summary")
    others = [await mail.queue(alice, category=c) for c in ("notifications", "marketing", "service")]
    assert await mail.claim() == [wanted]
    assert [await mail.state(each) for each in others] == [("suppressed", None)] * 3


async def test_a_stop_of_service_alone_stops_answers_and_nothing_else(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.wrote(alice, clock())
    await mail.said(alice, "withdrawn", clock(), scope=("service",))
    goes, answer = await mail.queue(alice), await mail.queue(alice, category="service")
    assert await mail.claim() == [goes]
    assert await mail.state(answer) == ("suppressed", None)


@pytest.mark.parametrize("content", ['{"type": "erased"}', '{"type": "text"}', "7"])
async def test_a_message_that_cannot_be_read_fails_alone(mail: Mail, content: str) -> None:
    spoilt, whole = await mail.queue(await mail.person()), await mail.queue(await mail.person("+15550002222"))
    async with mail.rt.db.tx() as tx:
        sql = (
            "UPDATE messages SET content = $2::jsonb, type = coalesce($2::jsonb->>'type', type) WHERE id = $1"
        )
        await tx.execute(sql, spoilt, msgspec.json.decode(content))
    assert await mail.claim() == [whole]
    assert await mail.state(spoilt) == ("failed", None)
    assert (await mail.row(spoilt))["attempt"] == 0
    assert mail.failed == [spoilt]


async def test_thanks_for_coming_back_are_not_sent_after_the_answer_to_the_next_leaving(
    mail: Mail, clock: Clock
) -> None:
    alice = await mail.person()
    thanks = await mail.queue(alice, purpose="consent")
    assert await mail.claim() == [thanks]
    chat = Chat(phone_number_id=PHONE_NUMBER_ID, language="en")
    said = Said(person=alice, action="withdrawn", method="keyword", captured_at=clock())
    async with mail.rt.db.tx() as tx:
        assert (await leaving.leave(tx, mail.rt, said, chat)).news
    assert await mail.claim() == [], "the thanks are under way"
    again = clock.advance(seconds=1)
    await mail.apply(Result(thanks, 1, again, state="queued", reason="busy", again_at=again))
    async with mail.rt.db.tx() as tx:
        assert not (await leaving.leave(tx, mail.rt, said, chat)).news
        await leaving.answer(tx, mail.rt, alice, chat, Text("help"))
    clock.advance(seconds=1)
    await mail.promote()
    assert len(await mail.claim()) == 2, "the answer to the leaving, and the help they asked for afterwards"
    assert await mail.state(thanks) == ("suppressed", None)


async def test_a_template_that_is_marketing_to_meta_needs_the_persons_word_on_marketing(
    mail: Mail, clock: Clock
) -> None:
    async with mail.rt.db.tx() as tx:
        await mirror.take_in(tx, mail.rt, [NEWS], began=clock())
    alice = await mail.person()
    await mail.said(alice, "withdrawn", clock(), scope=("marketing",))
    await mail.wrote(alice, clock())
    template = Template("news", "en", ("Ben",))
    text = await mail.queue(alice, outside_window=template)
    advert = await mail.queue(alice, content=template)
    assert await mail.claim() == [text]
    assert (await mail.state(advert))[0] == "suppressed"
    assert "opted out of marketing" in (await mail.row(advert))["reason"]
    clock.advance(hours=25)
    outside = await mail.queue(alice, outside_window=template)
    assert await mail.claim() == []
    assert (await mail.state(outside))[0] == "suppressed"


@pytest.mark.parametrize("suspended", [False, True])
async def test_a_machine_that_was_suspended_before_its_post_does_not_make_it(
    mail: Mail, suspended: bool
) -> None:
    """The loop's clock stands meanwhile: to it no time has passed."""
    message = await mail.queue(await mail.person())
    assert await mail.claim() == [message]
    later = 3600.0 if suspended else 0.0
    resumed = replace(mail.rt, booted=lambda: mail.rt.booted() + later)
    why_not = await mail.dispatcher._turn(resumed, mail.dispatcher._ready[message])
    assert bool(why_not) is suspended
