"""Attempts of one message: a status is about the POST it names, and moves no other."""

from datetime import timedelta
from typing import Any

import pytest

from harness.mail import Mail
from harness.rooms import Clock
from sayso.core import claims
from sayso.core.telemetry import METRICS
from sayso.core.worker import Lease
from sayso.messages import claiming, dead, forgetting, service
from sayso.messages.attempts import callback, named
from sayso.messages.outcome import REPORT_UNKNOWN_AFTER, Result
from sayso.messages.service import QUEUE


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("msg_1:2", ("msg_1", 2)),
        ("msg_1", ("msg_1", None)),
        ("msg_1:", ("msg_1", None)),
        ("msg_1:two", ("msg_1", None)),
        ("msg_1:²", ("msg_1", None)),
        ("msg_1:99999999999", ("msg_1", None)),
        (":1", (None, 1)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_what_comes_back_names_a_message_and_an_attempt(said: str | None, means: tuple[Any, Any]) -> None:
    assert named(said) == means
    assert named(callback("msg_1", 12)) == ("msg_1", 12)


def counted(status: str) -> float:
    return METRICS.get_sample_value("sayso_earlier_attempts_total", {"status": status}) or 0.0


async def posted_again(mail: Mail, clock: Clock) -> str:
    """A message whose first answer was lost, and which is on the wire for the second time."""
    message = await mail.queue(
        await mail.person(), if_unknown="retry_once", expires_at=clock() + timedelta(hours=2)
    )
    assert await mail.claim() == [message]
    await mail.apply(
        Result(message, 1, clock(), state="unknown", reason="cut", again_at=clock() + REPORT_UNKNOWN_AFTER)
    )
    clock.advance(minutes=16)
    await reported(mail)
    assert await mail.claim() == [message]
    return message


async def reported(mail: Mail) -> None:
    """The deadlines of lost answers that have come are dealt with; nothing is posted yet."""
    await mail.promote()
    async with mail.rt.db.tx(claims=True) as tx:
        await claiming.report(tx, mail.rt)


async def last(mail: Mail, message: str) -> Any:
    async with mail.rt.db.one() as tx:
        return await tx.fetchrow(
            "SELECT state, reason, detail FROM message_timeline WHERE message_id = $1 ORDER BY id DESC LIMIT 1",
            message,
        )


async def test_an_attempt_that_failed_does_not_fail_the_next(mail: Mail, clock: Clock) -> None:
    message = await posted_again(mail, clock)
    joined = await mail.status("failed", callback=f"{message}:1", wamid="wamid.first", code=131026)
    assert joined is not None
    assert not joined.moved
    assert await mail.state(message) == ("sending", "running")
    assert mail.failed == []
    await mail.apply(Result(message, 2, clock(), state="accepted", wamid="wamid.second"))
    await mail.status("read", callback=f"{message}:2", wamid="wamid.second")
    assert (await mail.row(message))["wamid"] == "wamid.second"
    assert await mail.state(message) == ("read", None)


async def test_an_earlier_attempt_that_did_arrive_is_written_down_and_counted(
    mail: Mail, clock: Clock
) -> None:
    message = await posted_again(mail, clock)
    before = counted("delivered")
    await mail.status("delivered", callback=f"{message}:1", wamid="wamid.first")
    assert await mail.state(message) == ("sending", "running")
    step = await last(mail, message)
    assert "attempt 1 did reach the person after all" in step["reason"]
    assert (step["detail"]["attempt"], step["detail"]["wamid"]) == (1, "wamid.first")
    assert counted("delivered") == before + 1
    assert (await mail.row(message))["wamid"] is None


async def test_before_the_second_attempt_the_first_can_still_settle_the_message(
    mail: Mail, clock: Clock
) -> None:
    message = await mail.queue(
        await mail.person(), if_unknown="retry_once", expires_at=clock() + timedelta(hours=2)
    )
    assert await mail.claim() == [message]
    await mail.apply(Result(message, 1, clock(), state="unknown", again_at=clock() + REPORT_UNKNOWN_AFTER))
    clock.advance(minutes=16)
    await reported(mail)
    assert await mail.state(message) == ("queued", "ready")
    await mail.status("sent", callback=f"{message}:1", wamid="wamid.first")
    assert await mail.claim() == []
    assert await mail.state(message) == ("sent", None)


async def lost(mail: Mail, clock: Clock, **changes: Any) -> str:
    """A message whose deadline has come."""
    drafted: dict[str, Any] = {"expires_at": clock() + timedelta(hours=2), **changes}
    message = await mail.queue(await mail.person(), **drafted)
    assert await mail.claim() == [message]
    again = clock() + REPORT_UNKNOWN_AFTER
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=again))
    clock.advance(minutes=16)
    await reported(mail)
    return message


@pytest.mark.parametrize("policy", ["give_up", "ask"])
async def test_it_is_reported_with_what_can_be_done(mail: Mail, clock: Clock, policy: str) -> None:
    message = await lost(mail, clock, if_unknown=policy)
    assert await mail.state(message) == ("unknown", None)
    async with mail.rt.db.one() as tx:
        told = await tx.fetchval("SELECT data FROM events WHERE type = 'message.unknown'")
    assert told["asks"] == (policy == "ask")
    assert told["settle"] == {
        "route": f"POST /messages/{message}/settle",
        "as": ["delivered", "failed", "retry"],
    }


async def test_it_is_posted_once_more_and_then_reported(mail: Mail, clock: Clock) -> None:
    message = await lost(mail, clock, if_unknown="retry_once")
    assert "twice" in (await last(mail, message))["reason"]
    assert await mail.claim() == [message]
    again = clock() + REPORT_UNKNOWN_AFTER
    await mail.apply(Result(message, 2, clock(), state="unknown", reason="cut", again_at=again))
    clock.advance(minutes=16)
    await reported(mail)
    assert await mail.state(message) == ("unknown", None)
    assert await mail.events() == ["message.unknown"]
    assert (await mail.row(message))["attempt"] == 2


async def test_what_has_no_life_left_is_reported_and_not_posted(mail: Mail, clock: Clock) -> None:
    message = await lost(mail, clock, if_unknown="retry_once", expires_at=clock() + timedelta(minutes=5))
    assert await mail.state(message) == ("unknown", None)


@pytest.mark.parametrize("policy", ["give_up", "retry_once"])
async def test_what_was_erased_meanwhile_is_reported_and_not_posted(
    mail: Mail, clock: Clock, policy: Any
) -> None:
    alice = await mail.person()
    message = await mail.queue(alice, if_unknown=policy)
    assert await mail.claim() == [message]
    again = clock() + REPORT_UNKNOWN_AFTER
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=again))
    async with mail.rt.db.tx() as tx:
        await forgetting.empty(tx, alice, None)
    clock.advance(minutes=16)
    await reported(mail)
    assert await mail.claim() == []
    assert await mail.state(message) == ("unknown", None)
    assert await mail.events() == ["message.unknown"]


async def accepted(mail: Mail, **changes: Any) -> str:
    """A message in free form that Meta took."""
    alice = await mail.person()
    await mail.wrote(alice, mail.rt.now() - timedelta(hours=1))
    message = await mail.queue(alice, **changes)
    assert await mail.claim() == [message]
    assert (await mail.row(message))["form"] == "session"
    await mail.apply(Result(message, 1, mail.rt.now(), state="accepted", wamid="wamid.1"))
    return message


async def test_it_goes_once_more_as_its_template(mail: Mail) -> None:
    message = await accepted(mail, template=True, purpose="prompt")
    joined = await mail.status("failed", callback=f"{message}:1", code=131047)
    assert joined is not None
    assert joined.message["state"] == "queued"
    row = await mail.row(message)
    assert (row["wamid"], row["past_wamids"], row["fell_back"]) == (None, ["wamid.1"], True)
    assert await mail.claim() == [message]
    row = await mail.row(message)
    assert (row["form"], row["attempt"], mail.failed) == ("template", 2, [])
    await mail.apply(Result(message, 2, mail.rt.now(), state="accepted", wamid="wamid.2"))
    await mail.status("failed", callback=f"{message}:2", wamid="wamid.2", code=131047)
    assert await mail.state(message) == ("failed", None)


async def test_without_a_template_it_fails(mail: Mail) -> None:
    message = await accepted(mail)
    await mail.status("failed", callback=f"{message}:1", code=131047)
    assert await mail.state(message) == ("failed", None)


async def test_the_same_failure_again_does_not_fail_it(mail: Mail) -> None:
    message = await accepted(mail, template=True)
    for _ in range(3):
        await mail.status("failed", callback=f"{message}:1", code=131047)
    assert await mail.state(message) == ("queued", "ready")


async def test_the_failure_of_one_wamid_without_our_id_is_known_for_what_it_is(mail: Mail) -> None:
    message = await accepted(mail, template=True)
    for _ in range(2):
        assert await mail.status("failed", callback=None, code=131047) is not None
    assert await mail.state(message) == ("queued", "ready")


async def test_word_of_its_delivery_stops_the_template(mail: Mail) -> None:
    message = await accepted(mail, template=True)
    await mail.status("failed", callback=f"{message}:1", code=131047)
    await mail.status("sent", callback=f"{message}:1")
    assert await mail.state(message) == ("queued", "ready")
    await mail.status("delivered", callback=f"{message}:1")
    assert await mail.claim() == []
    assert await mail.state(message) == ("delivered", None)


async def test_a_failure_that_overtakes_metas_answer_loses_nothing(mail: Mail) -> None:
    alice = await mail.person()
    await mail.wrote(alice, mail.rt.now() - timedelta(hours=1))
    message = await mail.queue(alice, template=True)
    assert await mail.claim() == [message]
    await mail.status("failed", callback=f"{message}:1", code=131047)
    assert await mail.state(message) == ("queued", "running")
    await mail.apply(Result(message, 1, mail.rt.now(), state="accepted", wamid="wamid.1"))
    assert await mail.state(message) == ("queued", "ready")
    assert await mail.claim() == [message]
    assert (await mail.row(message))["form"] == "template"


async def test_the_window_counts_as_closed_until_they_write(mail: Mail, clock: Clock) -> None:
    first = await accepted(mail, template=True)
    await mail.status("failed", callback=f"{first}:1", code=131047)
    await mail.claim()
    second = await mail.queue(await mail.person(), template=True)
    await mail.claim()
    assert (await mail.row(second))["form"] == "template"
    await mail.wrote(await mail.person(), clock.advance(minutes=1))
    third = await mail.queue(await mail.person(), template=True)
    await mail.claim()
    assert (await mail.row(third))["form"] == "session"


async def test_at_once_it_is_the_same(mail: Mail) -> None:
    alice = await mail.person()
    await mail.wrote(alice, mail.rt.now() - timedelta(hours=1))
    message = await mail.queue(alice, template=True)
    assert await mail.claim() == [message]
    now = mail.rt.now()
    await mail.apply(Result(message, 1, now, state="queued", again_at=now, falls_back=True))
    await mail.promote()
    assert await mail.claim() == [message]
    assert (await mail.row(message))["form"] == "template"


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
async def test_a_refused_second_attempt_proves_nothing_about_the_first(
    mail: Mail, clock: Clock, late: bool
) -> None:
    message = await posted_again(mail, clock)
    refused = Result(message, 2, clock(), state="failed", reason="Meta 131026", error_code=131026)
    for _ in range(2):
        if late:
            await in_doubt(mail, message)
        else:
            await mail.apply(refused)
    row = await mail.row(message)
    assert (row["state"], row["error_code"]) == ("unknown", 131026)
    assert row["reason"].endswith("an earlier attempt may have reached the person")
    assert (await mail.events(), mail.failed) == (["message.unknown"], [])
    if late:
        await mail.apply(Result(message, 2, clock(), state="accepted", wamid="wamid.second"))
    assert await mail.state(message) == ("unknown", None)
    async with mail.rt.db.tx() as tx:
        assert dead.refusal(await mail.row(message)) is not None
        assert (await dead.retry_many(tx, mail.rt, dead.Which(None), by="bot")).going == ()
    await mail.status("delivered", callback=f"{message}:1", wamid="wamid.first")
    assert await mail.state(message) == ("delivered", None)


async def in_doubt(mail: Mail, message: str) -> None:
    """Meta says that the second attempt did not arrive; whoever heard it tells what it left in doubt."""
    joined = await mail.status("failed", callback=f"{message}:2", wamid="wamid.second", code=131026)
    if joined and joined.moved:
        async with mail.rt.db.tx() as tx:
            await service.tell_unknown(tx, mail.rt, joined.message)


async def test_who_settles_a_second_attempt_as_failed_may_retry_it(mail: Mail, clock: Clock) -> None:
    message = await posted_again(mail, clock)
    await mail.apply(Result(message, 2, clock(), state="failed", reason="Meta 131026", error_code=131026))
    async with mail.rt.db.tx() as tx:
        row = await dead.locked(tx, message)
        assert row is not None
        await dead.settle(tx, mail.rt, row, "failed", by="bot", on_failed=mail.on_failed)
    assert dead.refusal(await mail.row(message)) is None
    await mail.status("read", callback=f"{message}:2", wamid="wamid.second")
    assert await mail.state(message) == ("read", None)


async def test_a_status_that_comes_after_the_end_says_so(mail: Mail, clock: Clock) -> None:
    message = await mail.on_the_wire()
    await mail.apply(Result(message, 1, clock(), state="failed", reason="Meta 131026", error_code=131026))
    await mail.status("read", callback=f"{message}:1", wamid="wamid.1")
    async with mail.rt.db.one() as tx:
        told = [step["reason"] for step in await service.timeline(tx, message)]
    assert told[-1] == "Meta said read; the message had ended before"


@pytest.mark.parametrize("forgotten", [False, True], ids=["given back", "disowned"])
async def test_a_result_that_could_not_be_recorded_has_its_time_to_be_settled(
    mail: Mail, clock: Clock, forgotten: bool
) -> None:
    """Meta may have taken it: nothing is posted again before a status had its chance."""
    posted_at = clock()
    message = await mail.queue(
        await mail.person(), if_unknown="retry_once", expires_at=clock() + timedelta(hours=2)
    )
    worker = await mail.enlist()
    assert await mail.claim(worker) == [message]
    clock.advance(seconds=2)
    async with mail.rt.db.tx(claims=True) as tx:
        if forgotten:
            mail.dispatcher._ready.clear()
            await mail.dispatcher.disown(mail.rt, tx, Lease(worker), [])
            await claims.disown(tx, QUEUE, worker=worker, keep=[])
        else:
            assert await claims.postpone(tx, QUEUE, worker=worker, row_id=message, until=clock())
    await reported(mail)
    row = await mail.row(message)
    assert (row["state"], row["work"], row["work_at"]) == (
        "unknown",
        "waiting",
        posted_at + REPORT_UNKNOWN_AFTER,
    )
    assert await mail.claim() == []
    assert (await mail.steps(message))[-1] == "unknown"
    clock.advance(minutes=16)
    await reported(mail)
    assert await mail.claim() == [message]
