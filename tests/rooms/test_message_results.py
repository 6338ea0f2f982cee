"""Results and statuses meet on one row: in whatever order they come, the message is where it was seen furthest."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from harness.mail import Mail
from harness.rooms import Clock
from harness.waiting import eventually
from sayso.core.runtime import Runtime
from sayso.messages import lost
from sayso.messages.results import Result
from sayso.messages.rules import RANK


@pytest.fixture
def mail(rt: Runtime) -> Mail:
    """No message yet."""
    return Mail(rt)


async def posted(mail: Mail) -> str:
    """A message whose intent is committed."""
    message = await mail.queue(await mail.person())
    assert await eventually(mail.claim, "a slot for it") == [message]
    return message


def accepted(mail: Mail, message: str, *, attempt: int = 1, wamid: str = "wamid.1") -> Result:
    return Result(message, attempt, mail.rt.now(), state="accepted", wamid=wamid)


async def test_an_accepted_message_has_its_wamid_and_no_work_left(mail: Mail) -> None:
    message = await posted(mail)
    await mail.apply(accepted(mail, message))
    assert await mail.state(message) == ("accepted", None)
    assert (await mail.row(message))["wamid"] == "wamid.1"
    assert await mail.steps(message) == ["queued", "sending", "accepted"]


async def test_what_did_not_get_through_waits_for_its_next_attempt(mail: Mail, clock: Clock) -> None:
    message = await posted(mail)
    again = clock() + timedelta(seconds=3)
    await mail.apply(Result(message, 1, clock(), state="queued", reason="no connection", again_at=again))
    assert await mail.state(message) == ("queued", "waiting")
    clock.advance(seconds=3)
    await mail.promote()
    assert await eventually(mail.claim, "a slot for it") == [message]
    assert (await mail.row(message))["attempt"] == 2


@pytest.mark.parametrize(
    ("code", "changes"),
    [(132015, {"template": ("t", "en")}), (131056, {})],
    ids=["its template", "its person"],
)
async def test_a_message_that_is_held_after_a_refusal_ends_with_its_life(
    mail: Mail, clock: Clock, code: int, changes: dict[str, Any]
) -> None:
    message = await mail.on_the_wire(expires_at=clock() + timedelta(seconds=5))
    await mail.refused(message, code, **changes)
    assert await mail.state(message) == ("queued", "waiting")
    clock.advance(seconds=5)
    await mail.promote()
    assert await mail.claim() == []
    assert await mail.state(message) == ("expired", None)


async def test_a_refusal_for_good_is_told(mail: Mail) -> None:
    message = await posted(mail)
    await mail.apply(
        Result(message, 1, mail.rt.now(), state="failed", reason="Meta 131026", error_code=131026)
    )
    row = await mail.row(message)
    assert (row["state"], row["work"], row["error_code"]) == ("failed", None, 131026)
    assert await mail.events() == ["message.failed"]
    assert mail.failed == [message]


@pytest.mark.parametrize("state", ["accepted", "queued", "failed", "unknown"])
async def test_a_result_written_twice_changes_nothing_the_second_time(
    mail: Mail, clock: Clock, state: str
) -> None:
    """As after a commit whose answer was lost."""
    message = await posted(mail)
    again = clock() + timedelta(seconds=3) if state in ("queued", "unknown") else None
    result = Result(message, 1, clock(), state=state, again_at=again)  # type: ignore[arg-type] # each of its literals
    await mail.apply(result)
    before = (await mail.state(message), await mail.events(), list(mail.failed))
    await mail.apply(result)
    assert (await mail.state(message), await mail.events(), mail.failed) == before


async def test_a_result_of_an_earlier_attempt_is_refused(mail: Mail, clock: Clock) -> None:
    message = await posted(mail)
    await mail.apply(Result(message, 1, clock(), state="queued", again_at=clock()))
    await mail.promote()
    assert await eventually(mail.claim, "a slot for it") == [message]
    for late in ("failed", "unknown"):
        await mail.apply(Result(message, 1, clock(), state=late, reason="late"))
    assert await mail.state(message) == ("sending", "running")
    await mail.apply(accepted(mail, message, attempt=2))
    assert await mail.state(message) == ("accepted", None)
    assert mail.failed == []


async def test_a_status_that_comes_before_our_own_commit_is_kept(mail: Mail) -> None:
    message = await posted(mail)
    joined = await mail.status("delivered", callback=message)
    assert joined is not None
    assert joined.moved
    assert await mail.state(message) == ("delivered", "running")
    await mail.apply(accepted(mail, message))
    assert await mail.state(message) == ("delivered", None)
    assert await mail.steps(message) == ["queued", "sending", "delivered", "delivered"]


async def test_a_failure_that_comes_before_our_own_commit_is_told_once(mail: Mail) -> None:
    message = await posted(mail)
    joined = await mail.status("failed", callback=message, code=131047)
    assert joined is not None
    assert joined.moved
    await mail.apply(accepted(mail, message))
    row = await mail.row(message)
    assert (row["state"], row["work"], row["error_code"], row["wamid"]) == ("failed", None, 131047, "wamid.1")
    assert mail.failed == []  # the status told it


async def test_a_status_joins_by_wamid_when_it_carries_nothing_of_ours(mail: Mail) -> None:
    message = await posted(mail)
    await mail.apply(accepted(mail, message))
    assert await mail.status("sent") is not None
    assert await mail.state(message) == ("sent", None)


@pytest.mark.parametrize("callback", [None, "", "msg_" + "0" * 26, "somebody else's", "x" * 512])
async def test_a_status_of_no_message_of_ours_joins_nothing(mail: Mail, callback: str | None) -> None:
    message = await posted(mail)
    assert await mail.status("sent", wamid="wamid.other", callback=callback) is None
    assert await mail.state(message) == ("sending", "running")


async def test_our_own_id_outweighs_a_wamid(mail: Mail) -> None:
    one = await posted(mail)
    await mail.apply(accepted(mail, one))
    two = await posted(mail)
    await mail.status("read", wamid="wamid.1", callback=two)
    assert await mail.state(one) == ("accepted", None)
    assert await mail.state(two) == ("read", "running")


async def test_a_status_settles_a_message_whose_answer_was_lost(mail: Mail, clock: Clock) -> None:
    message = await posted(mail)
    again = clock() + timedelta(minutes=15)
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=again))
    await mail.status("sent", wamid="wamid.7", callback=message)
    row = await mail.row(message)
    assert (row["state"], row["work"], row["wamid"], row["reason"]) == ("sent", None, "wamid.7", None)
    clock.advance(hours=1)
    await mail.promote()
    assert await mail.claim() == []
    assert await mail.events() == []


async def test_a_status_for_a_message_about_to_be_posted_again_ends_that(mail: Mail, clock: Clock) -> None:
    message = await posted(mail)
    await mail.apply(Result(message, 1, clock(), state="queued", again_at=clock()))
    await mail.status("sent", callback=message)
    await mail.promote()
    assert await mail.claim() == []
    assert await mail.state(message) == ("sent", None)


async def test_an_acceptance_that_comes_very_late_ends_a_second_attempt_before_it_begins(
    mail: Mail, clock: Clock
) -> None:
    message = await mail.queue(await mail.person(), if_unknown="retry_once")
    await mail.claim()
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=clock()))
    async with mail.rt.db.tx() as tx:
        await lost.post_again(tx, mail.rt, await mail.row(message), "nobody knows what became of it")
    assert await mail.state(message) == ("queued", "ready")
    await mail.apply(Result(message, 1, clock(), state="accepted", wamid="wamid.1"))
    assert await mail.state(message) == ("accepted", None)
    assert await mail.claim() == [], "it is not posted again"


async def test_an_unknown_status_is_written_down_and_moves_nothing(mail: Mail) -> None:
    message = await posted(mail)
    joined = await mail.status("warmed", callback=message)
    assert joined is not None
    assert not joined.moved
    assert await mail.state(message) == ("sending", "running")
    assert len(await mail.steps(message)) == 3


async def test_in_any_order_the_message_ends_where_it_was_seen_furthest(mail: Mail) -> None:
    for number, order in enumerate(itertools.permutations(["result", "sent", "delivered", "read"])):
        message, wamid = await posted(mail), f"wamid.{number}"
        ranks = []
        for what in order:
            if what == "result":
                await mail.apply(accepted(mail, message, wamid=wamid))
            else:
                await mail.status(what, callback=message, wamid=wamid)
            ranks.append(RANK[(await mail.state(message))[0]])
        assert ranks == sorted(ranks), order
        assert await mail.state(message) == ("read", None), order
        assert (await mail.row(message))["wamid"] == wamid
