"""`messages why`: what is said of a message is what is known, said once; the next step fits the cause."""

from datetime import timedelta
from typing import Any

from harness.mail import Mail
from harness.rooms import Clock
from sayso.consent import service as consent
from sayso.consent.service import Said
from sayso.messages import dead, service, story
from sayso.messages.rules import WINDOW
from sayso.messages.story import Story
from sayso.people.service import Person
from sayso.templates import mirror
from sayso.whatsapp.content import Template

DAY = timedelta(days=1)


async def why(mail: Mail, message: str) -> Story:
    async with mail.rt.db.tx() as tx:
        told = await story.tell(tx, mail.rt, message)
    assert told is not None
    return told


async def fact(mail: Mail, message: str, what: str) -> str:
    return dict((await why(mail, message)).facts)[what]


async def refused(mail: Mail, message: str, code: int) -> None:
    """Meta refuses a message that is on the wire, in many words."""
    await mail.refused(message, code, f"(#{code}) A title.", "Some details.")


async def suppressed(mail: Mail, **changes: Any) -> str:
    """A message that the wire has suppressed."""
    message = await mail.queue(await mail.person(), **changes)
    assert await mail.claim() == []
    assert (await mail.row(message))["state"] == "suppressed"
    return message


async def opts_out(mail: Mail, person: Person, method: str, *scope: str) -> None:
    async with mail.rt.db.tx() as tx:
        said = Said(
            person=person,
            action="withdrawn",
            method=method,
            captured_at=mail.rt.now(),
            scope=scope or ("all",),
            personal={"wording": "x"},
        )
        await consent.append(tx, mail.rt, [said])


async def test_a_window_that_meta_says_is_closed_is_no_message_of_the_persons(
    mail: Mail, clock: Clock
) -> None:
    message = await mail.on_the_wire()
    await refused(mail, message, 131047)
    window = await fact(mail, message, "window")
    assert "131047" in window
    assert "no message from the person has come" in window
    assert "wrote" not in window
    await mail.wrote(await mail.person(), clock() + timedelta(seconds=1))
    assert "the person last wrote at" in await fact(mail, message, "window")


async def test_metas_sentence_is_said_once_in_each_place_and_ends_once(mail: Mail) -> None:
    message = await mail.on_the_wire()
    await refused(mail, message, 131026)
    told = await why(mail, message)
    said = (
        [sentence for _, sentence in told.facts] + [sentence for _, _, sentence in told.steps] + [told.next]
    )
    for sentence in said:
        assert ".." not in sentence
        assert ".;" not in sentence
        assert sentence.count("A title") <= 1
        assert sentence.count("131026") <= 1
    assert dict(told.facts)["state"] == "failed: Meta 131026 A title: Some details"
    assert told.next.endswith(f"To send it again: sayso messages retry {message}")
    assert "Nothing." not in told.next


async def test_who_left_by_word_has_to_come_back(mail: Mail) -> None:
    alice = await mail.person()
    await opts_out(mail, alice, "keyword")
    told = await why(mail, await suppressed(mail))
    assert "by writing START, or by a new opt-in" in told.next
    assert "new message" in told.next


async def test_who_was_taken_out_otherwise_is_not_brought_back_by_start(mail: Mail) -> None:
    await opts_out(mail, await mail.person(), "api")
    assert "START does not bring them back" in (await why(mail, await suppressed(mail))).next


async def test_who_stopped_marketing_at_meta_can_allow_it_there_alone(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.said(alice, "suppressed_by_meta", clock(), scope=("marketing",))
    told = await why(mail, await suppressed(mail, category="marketing"))
    assert "in WhatsApp's own settings" in told.next


async def test_what_is_marketing_to_meta_alone_is_stopped_as_such(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    message = await mail.queue(alice, content=Template("news", "en", ("a",)), price_estimate="marketing")
    async with mail.rt.db.tx() as tx:
        entry = await consent.stopped_marketing(tx, mail.rt, alice, evidence="wamid.1", at=clock())
        reason = f"the person stopped marketing in WhatsApp (consent entry {entry.id})"
        await service.suppress_all(tx, mail.rt, alice, entry.id, scope=("marketing",), reason=reason)
    told = await why(mail, message)
    assert told.next.startswith("Only they can allow it again, in WhatsApp's own settings.")
    assert "not allowed now: the person switched marketing off in WhatsApp" in dict(told.facts)["consent"]


async def test_where_the_policy_stops_it_an_opt_in_is_to_be_recorded(mail: Mail) -> None:
    async with mail.rt.db.tx() as tx:
        await tx.execute("DELETE FROM consent_policies")
    message = await suppressed(mail, category="notifications")
    assert (await why(mail, message)).next.startswith(
        "Record the person's opt-in to notifications (POST /consents)"
    )
    async with mail.rt.db.tx() as tx:
        said = Said(
            person=await mail.person(),
            action="granted",
            method="api",
            captured_at=mail.rt.now(),
            personal={"wording": "yes", "evidence": ["form"]},
        )
        await consent.append(tx, mail.rt, [said])
    assert (await why(mail, message)).next.startswith("What stopped it does not any more.")


async def test_what_was_taken_back_or_outlived_its_time_was_not_seen_and_what_to_do_is_said(
    mail: Mail, clock: Clock
) -> None:
    cancelled = await mail.queue(await mail.person())
    async with mail.rt.db.tx() as tx:
        row = await dead.locked(tx, cancelled)
        assert row is not None
        await dead.cancel(tx, mail.rt, row, by="the operator", on_failed=_nothing)
    told = await why(mail, cancelled)
    assert dict(told.facts)["state"] == "cancelled: taken back by the operator"
    unseen = "It ended before it went out: the person has not seen it."
    assert told.next == f"{unseen} To say it after all, send it as a new message."
    expired = await mail.queue(await mail.person(), expires_at=clock() + timedelta(seconds=1))
    clock.advance(minutes=1)
    assert await mail.claim() == []
    told = await why(mail, expired)
    assert dict(told.facts)["state"] == "expired: its time to live ended before it could be sent"
    assert told.next == f"{unseen} To send it again: sayso messages retry {expired}"


async def _nothing(*_: object) -> None:
    pass


async def test_what_the_window_stops_is_told_what_may_go_outside_it(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.wrote(alice, clock() - 2 * DAY)
    assert "send a template" in (await why(mail, await suppressed(mail))).next
    answer = await suppressed(mail, needs_window=True, category="service", purpose="notice")
    told = await why(mail, answer)
    assert "more than 24 hours ago" in told.next
    assert "new message" not in told.next


async def test_a_hold_says_what_is_waited_for_and_until_when_at_the_latest(mail: Mail, clock: Clock) -> None:
    message = await mail.on_the_wire(expires_at=clock() + DAY)
    await refused(mail, message, 131056)
    told = await why(mail, message)
    assert dict(told.facts)["state"] == "queued"
    assert dict(told.facts)["held"] == "Meta 131056: too many messages to this person"
    until = f"{clock() + timedelta(seconds=6):%Y-%m-%d %H:%M:%S} UTC"
    assert told.next.startswith(f"Its turn is at {until}")
    assert f"If it has not gone by {clock() + DAY:%Y-%m-%d %H:%M:%S} UTC, it ends as `expired`." in told.next


async def test_no_turn_is_promised_to_what_ends_before_its_hold(mail: Mail, clock: Clock) -> None:
    message = await mail.on_the_wire(expires_at=clock() + timedelta(seconds=3))
    await refused(mail, message, 131056)
    told = await why(mail, message)
    assert told.next.startswith("What holds it is not expected to end while it lives. If it has not gone by")


async def test_what_waits_for_a_review_names_its_template_and_its_state_and_is_an_alert(
    mail: Mail, clock: Clock
) -> None:
    rt = mail.rt
    entry = {"name": "news", "language": "en", "status": "PENDING", "category": "UTILITY", "components": []}
    async with rt.db.tx() as tx:
        await mirror.take_in(tx, rt, [entry], began=clock())
    message = await mail.queue(await mail.person(), content=Template("news", "en", ()))
    for _ in range(2):
        assert await mail.claim() == []
    told = await why(mail, message)
    assert dict(told.facts)["held"] == "template news (en): it waits for Meta's review"
    assert dict(told.facts)["template"] == "news (en): it waits for Meta's review"
    assert "as soon as Meta lets the template news (en) be sent" in told.next
    async with rt.db.one() as tx:
        [alert] = await tx.fetch("SELECT * FROM alerts WHERE resolved_at IS NULL")
    assert alert["title"] == "Messages wait for the template news (en)"
    assert "it waits for Meta's review" in alert["detail"]
    clock.advance(minutes=1)
    async with rt.db.tx() as tx:
        await mirror.take_in(tx, rt, [entry | {"status": "APPROVED"}], began=clock())
        assert await tx.fetch("SELECT * FROM alerts WHERE resolved_at IS NULL") == []


async def test_a_window_is_open_until_a_day_after_the_last_word(mail: Mail, clock: Clock) -> None:
    message = await mail.queue(await mail.person())
    assert await fact(mail, message, "window") == "no message from the person has come"
    await mail.wrote(await mail.person(), clock())
    until = f"{clock() + WINDOW:%Y-%m-%d %H:%M:%S}"
    assert (await fact(mail, message, "window")).startswith(
        f"open until {until} UTC: the person last wrote at"
    )
