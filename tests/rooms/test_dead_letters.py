"""What did not get through: listed with its reason; cancelled, retried and settled, or refused with why not."""

from datetime import timedelta
from typing import Any

import pytest

from harness.mail import Mail
from harness.rooms import Clock
from harness.service import PHONE_NUMBER_ID
from sayso.core.errors import NotRetryableError, NotUnknownError, TooLateError
from sayso.messages import dead, dispatch, forgetting, service
from sayso.messages.dead import Settlement, Which
from sayso.messages.outcome import Result

ALL = Which(None)


async def at(mail: Mail, state: str, *, code: int | None = None, **changes: Any) -> str:
    """A message in a state."""
    message = await mail.queue(await mail.person(), **changes)
    async with mail.rt.db.tx() as tx:
        await tx.execute(
            "UPDATE messages SET state = $2, error_code = $3, wamid = $4, attempt = 1, reason = 'a reason', "
            "work = CASE WHEN $2 = 'queued' THEN work END WHERE id = $1",
            message,
            state,
            code,
            f"wamid.{message}",
        )
    return message


async def act(mail: Mail, message: str, what: str, *args: Any) -> Any:
    """Cancel, retry or settle it."""
    async with mail.rt.db.tx() as tx:
        row = await dead.locked(tx, message)
        assert row is not None
        if what == "retry":
            return await dead.retry(tx, mail.rt, row, by="bot")
        if what == "cancel":
            return await dead.cancel(tx, mail.rt, row, by="bot", on_failed=mail.on_failed)
        return await dead.settle(tx, mail.rt, row, *args, by="bot", on_failed=mail.on_failed)


async def letters(mail: Mail, which: Which = ALL) -> list[str]:
    async with mail.rt.db.one() as tx:
        return [row["id"] for row in await dead.letters(tx, which, before=None, limit=50)]


async def test_dead_is_what_nothing_more_happens_to_by_itself(mail: Mail) -> None:
    ends = [await at(mail, state) for state in ("failed", "expired", "unknown")]
    for state in ("queued", "sending", "accepted", "sent", "delivered", "read", "suppressed", "cancelled"):
        await at(mail, state)
    assert await letters(mail) == ends[::-1]


async def test_they_are_found_by_code_sender_template_time_and_client(mail: Mail, clock: Clock) -> None:
    one = await at(mail, "failed", code=131042, template=True)
    clock.advance(hours=1)
    two = await at(mail, "failed", code=131026, client_id="another bot")
    assert await letters(mail, Which(None, code=131042)) == [one]
    assert await letters(mail, Which("another bot")) == [two]
    assert await letters(mail, Which(None, template="t")) == [one]
    assert await letters(mail, Which(None, sender=PHONE_NUMBER_ID)) == [two, one]
    assert await letters(mail, Which(None, sender="100000000000009")) == []
    assert await letters(mail, Which(None, since=clock())) == [two]
    assert await letters(mail, Which(None, until=clock())) == [one]


async def test_a_retry_gives_a_message_a_new_life_and_no_attempt_counted(mail: Mail, clock: Clock) -> None:
    message = await at(mail, "failed", code=131042)
    clock.advance(hours=30)
    assert await act(mail, message, "retry") is True
    row = await mail.row(message)
    assert (row["state"], row["retries"], row["error_code"], row["wamid"]) == ("queued", 0, None, None)
    assert row["past_wamids"] == [f"wamid.{message}"]
    assert row["expires_at"] == clock() + timedelta(hours=1)
    assert await act(mail, message, "retry") is False
    assert await mail.claim() == [message]
    assert (await mail.row(message))["attempt"] == 2
    assert await act(mail, message, "retry") is False


@pytest.mark.parametrize("state", ["failed", "unknown"])
async def test_every_new_life_is_as_long_as_the_first(mail: Mail, clock: Clock, state: str) -> None:
    message = await at(mail, state)
    for _ in range(3):
        clock.advance(hours=30)
        await act(mail, message, *(("retry",) if state == "failed" else ("settle", "retry")))
        assert (await mail.row(message))["expires_at"] == clock() + timedelta(hours=1)
        async with mail.rt.db.tx() as tx:
            await tx.execute("UPDATE messages SET state = $2, work = NULL WHERE id = $1", message, state)


async def test_a_late_word_of_the_first_attempt_moves_no_second(mail: Mail) -> None:
    message = await at(mail, "failed", code=131000)
    await act(mail, message, "retry")
    await mail.claim()
    await mail.status("failed", callback=f"{message}:1", wamid=f"wamid.{message}", code=131000)
    assert await mail.state(message) == ("sending", "running")


@pytest.mark.parametrize(
    ("state", "purpose", "why"),
    [
        ("delivered", "send", "reached the person"),
        ("read", "send", "has read it"),
        ("unknown", "send", "settle it"),
        ("suppressed", "send", "send it as a new message"),
        ("cancelled", "send", "cancelled"),
        ("failed", "prompt", "ask it anew"),
        ("failed", "closing", "over"),
    ],
)
async def test_a_refused_retry_says_why(mail: Mail, state: str, purpose: Any, why: str) -> None:
    message = await at(mail, state, purpose=purpose)
    with pytest.raises(NotRetryableError, match=why):
        await act(mail, message, "retry")
    assert await mail.state(message) == (state, None)


async def test_a_retry_that_would_be_suppressed_is_refused_with_the_entry_that_forbids_it(
    mail: Mail, clock: Clock
) -> None:
    message = await at(mail, "failed", code=131042)
    await mail.said(await mail.person(), "withdrawn", clock())
    with pytest.raises(NotRetryableError, match="the person opted out \\(consent entry"):
        await act(mail, message, "retry")
    assert await mail.state(message) == ("failed", None)
    unknown = await at(mail, "unknown")
    with pytest.raises(NotRetryableError, match="opted out"):
        await act(mail, unknown, "settle", "retry")
    assert await mail.state(unknown) == ("unknown", None)
    await mail.said(await mail.person(), "granted", clock() + timedelta(seconds=1))
    assert await act(mail, message, "retry") is True


async def test_a_retry_outside_the_window_is_refused_unless_there_is_a_template(
    mail: Mail, clock: Clock
) -> None:
    await mail.wrote(await mail.person(), clock() - timedelta(days=2))
    message = await at(mail, "failed", code=131047)
    with pytest.raises(NotRetryableError, match="only a template may be sent"):
        await act(mail, message, "retry")
    assert await act(mail, await at(mail, "failed", code=131047, template=True), "retry") is True


async def test_of_many_those_that_would_not_go_keep_nobody_behind_them(mail: Mail, clock: Clock) -> None:
    left = [await at(mail, "failed", code=131042) for _ in range(3)]
    await mail.said(await mail.person(), "withdrawn", clock())
    clock.advance(seconds=1)
    ben = await mail.queue(await mail.person("+15550002222"))
    async with mail.rt.db.tx() as tx:
        await tx.execute(
            "UPDATE messages SET state = 'failed', error_code = 131042, work = NULL WHERE id = $1", ben
        )
    which = Which(None, code=131042)
    async with mail.rt.db.tx() as tx:
        done = await dead.retry_many(tx, mail.rt, which, by="bot", limit=2)
    assert (done.going, done.more) == ((ben,), False)
    assert {message for message, _ in done.refused} <= set(left)
    assert all("opted out" in why for _, why in done.refused)


async def test_what_is_settled_by_a_retry_gets_a_new_life_unless_it_is_over(mail: Mail, clock: Clock) -> None:
    message, prompt = await at(mail, "unknown"), await at(mail, "unknown", purpose="prompt")
    assert await act(mail, prompt, "settle", "retry") == "queued", "its question is still open"
    prompt = await at(mail, "unknown", purpose="prompt")
    clock.advance(hours=3)
    assert await act(mail, message, "settle", "retry") == "queued"
    assert (await mail.row(message))["expires_at"] == clock() + timedelta(hours=1)
    with pytest.raises(NotRetryableError, match="ask it anew"):
        await act(mail, prompt, "settle", "retry")
    assert message in await mail.claim()


async def test_many_are_retried_by_code_boundedly_and_dry_first(mail: Mail) -> None:
    ids = sorted([await at(mail, "failed", code=131042) for _ in range(3)])
    prompt = await at(mail, "failed", code=131042, purpose="prompt")
    await at(mail, "failed", code=131026)
    which = Which(None, code=131042)
    async with mail.rt.db.tx() as tx:
        dry = await dead.retry_many(tx, mail.rt, which, by="bot", dry_run=True)
        assert (dry.going, dry.more) == (tuple(ids), False)
        assert [message for message, _ in dry.refused] == [prompt]
        some = await dead.retry_many(tx, mail.rt, which, by="bot", limit=2)
        assert (some.going, some.more) == (tuple(ids[:2]), True)
        rest = await dead.retry_many(tx, mail.rt, which, by="bot")
        assert rest.going == (ids[2],)
        assert (await dead.retry_many(tx, mail.rt, which, by="bot")).going == ()
    assert sorted(await mail.claim()) == sorted(ids)


async def test_what_waits_can_be_cancelled_and_is_not_sent(mail: Mail, clock: Clock) -> None:
    later: dict[str, Any] = {"send_at": clock() + timedelta(minutes=30)}
    for changes in ({}, later):
        message = await mail.queue(await mail.person(), **changes)
        assert await act(mail, message, "cancel") == "cancelled"
        assert await act(mail, message, "cancel") == "cancelled"
        assert await mail.state(message) == ("cancelled", None)
        assert mail.failed.pop() == message
    assert await mail.claim() == []


@pytest.mark.parametrize(("by", "told"), [("bot", []), ("the operator", ["message.failed"])])
async def test_whose_message_somebody_else_takes_back_is_told(mail: Mail, by: str, told: list[str]) -> None:
    message = await mail.queue(await mail.person())
    async with mail.rt.db.tx() as tx:
        row = await dead.locked(tx, message)
        assert row is not None
        await dead.cancel(tx, mail.rt, row, by=by, on_failed=mail.on_failed)
    assert await mail.events() == told


@pytest.mark.parametrize("state", ["sending", "accepted", "sent", "delivered", "read", "failed", "unknown"])
async def test_anything_further_is_too_late(mail: Mail, state: str) -> None:
    message = await at(mail, state)
    with pytest.raises(TooLateError, match=state):
        await act(mail, message, "cancel")


async def test_cancelling_a_second_attempt_does_not_hide_the_first(mail: Mail, clock: Clock) -> None:
    message = await mail.queue(await mail.person())
    await mail.claim()
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=clock()))
    await act(mail, message, "settle", "retry")
    assert await act(mail, message, "cancel") == "unknown"
    assert "may have reached" in (await mail.row(message))["reason"]
    assert await mail.events() == ["message.unknown"]
    await mail.status("read", callback=f"{message}:1", wamid="wamid.first")
    assert await mail.state(message) == ("read", None)


async def test_leaving_before_a_second_attempt_does_not_hide_the_first(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    message = await mail.queue(alice)
    await mail.claim()
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=clock()))
    await act(mail, message, "settle", "retry")
    async with mail.rt.db.tx() as tx:
        await service.suppress_all(tx, mail.rt, alice, "con_1", scope=None, reason="they left")
    row = await mail.row(message)
    assert (row["state"], row["suppressed_by"]) == ("unknown", "con_1")
    assert row["reason"] == "they left; an earlier attempt may have reached the person"
    assert await mail.events() == ["message.unknown"]
    assert await mail.claim() == []
    await mail.status("delivered", callback=f"{message}:1", wamid="wamid.first")
    assert await mail.state(message) == ("delivered", None)


async def test_whose_life_ends_before_a_second_attempt_is_unknown_and_told(mail: Mail, clock: Clock) -> None:
    message = await mail.queue(await mail.person())
    await mail.claim()
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=clock()))
    await act(mail, message, "settle", "retry")
    clock.advance(hours=2)
    assert await mail.claim() == []
    assert await mail.state(message) == ("unknown", None)
    assert "time to live ended" in (await mail.row(message))["reason"]
    assert (await mail.events(), mail.failed) == (["message.unknown"], [])
    await mail.status("delivered", callback=f"{message}:1", wamid="wamid.first")
    assert await mail.state(message) == ("delivered", None)


@pytest.mark.parametrize(("said", "told"), [("delivered", []), ("failed", ["message.failed"])])
async def test_what_is_unknown_can_be_settled_once(mail: Mail, said: Settlement, told: list[str]) -> None:
    message = await at(mail, "unknown")
    for _ in range(2):
        assert await act(mail, message, "settle", said) == said
    assert await mail.state(message) == (said, None)
    assert await mail.events() == told
    assert mail.failed == ([message] if told else [])
    with pytest.raises(NotUnknownError, match=said):
        await act(mail, message, "settle", "retry")


@pytest.mark.parametrize("code", [None, 131000])
async def test_what_was_settled_as_failed_and_reached_the_person_after_all_is_no_dead_letter(
    mail: Mail, code: int | None
) -> None:
    message = await at(mail, "unknown", code=code)
    await act(mail, message, "settle", "failed")
    for status, then in (
        ("sent", "failed"),
        ("failed", "failed"),
        ("delivered", "delivered"),
        ("read", "read"),
    ):
        await mail.status(status, callback=f"{message}:1", wamid=f"wamid.{message}")
        assert await mail.state(message) == (then, None)
    with pytest.raises(NotRetryableError, match="has read it"):
        await act(mail, message, "retry")


async def test_settled_as_retry_it_is_posted_again_and_says_that_it_may_come_twice(mail: Mail) -> None:
    message = await at(mail, "unknown")
    assert await act(mail, message, "settle", "retry") == "queued"
    assert await act(mail, message, "settle", "retry") == "queued"
    assert "twice" in (await mail.row(message))["reason"]
    assert await mail.claim() == [message]


@pytest.mark.parametrize("said", ["delivered", "failed", "retry"])
async def test_what_a_dead_worker_may_still_post_is_not_settled_before_it_cannot(
    mail: Mail, clock: Clock, said: Settlement
) -> None:
    alice = await mail.person()
    await mail.wrote(alice, clock())
    message = await mail.queue(alice)
    worker = await mail.enlist()
    assert await mail.claim(worker) == [message]
    async with mail.rt.db.tx(claims=True) as tx:
        await dispatch.lost_with_their_worker(mail.rt, tx, [worker])
    with pytest.raises(NotUnknownError, match="still be being posted"):
        await act(mail, message, "settle", said)
    await mail.said(alice, "withdrawn", clock())
    farewell = await mail.queue(alice, purpose="consent", dedupe=f"{service.TO_WHO_LEFT}1")
    assert await mail.claim() == [], "they are told that nothing more comes once nothing can"
    clock.advance(seconds=17)
    await mail.promote()
    assert await mail.claim() == [farewell]
    if said != "retry":  # who has left gets nothing a second time
        assert await act(mail, message, "settle", said) == said


async def test_what_was_erased_is_not_sent_again_by_whatever_way(mail: Mail) -> None:
    failed, unknown = await at(mail, "failed"), await at(mail, "unknown")
    async with mail.rt.db.tx() as tx:
        await forgetting.empty(tx, await mail.person(), None)
    with pytest.raises(NotRetryableError, match="erased"):
        await act(mail, failed, "retry")
    with pytest.raises(NotRetryableError, match="erased"):
        await act(mail, unknown, "settle", "retry")
    async with mail.rt.db.tx() as tx:
        many = await dead.retry_many(tx, mail.rt, ALL, by="bot")
    assert many.going == ()
    assert "erased" in dict(many.refused)[failed]
    assert [await mail.state(message) for message in (failed, unknown)] == [
        ("failed", None),
        ("unknown", None),
    ]
