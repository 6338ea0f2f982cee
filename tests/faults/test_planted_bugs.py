"""The judge is no rubber stamp: each scenario is run as we are, and with a bug in us that it must catch.

The bugs, each a function below: what was lost is posted again, what Meta may have taken, and what a dead worker posted;
the answer to a leaving goes at once; nobody looks who left; a result is written twice; every status is believed; what
is decided is decided again; a word is taken for the last question; a question expires over an unread reply; updates are
told apart by their bodies; a webhook is acknowledged before its commit; work is done without a fence.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness import evidence
from harness.forgetful import Forgetful
from harness.history import violations
from harness.planting import plant
from harness.waiting import eventually
from harness.world import ALICE, World, a_world
from sayso.confirmations import asked, moving, receipts, service, timers
from sayso.confirmations import reading as readings
from sayso.confirmations.rules import AskWhich, Decide
from sayso.core import claims
from sayso.inbound import handle as conductor
from sayso.inbound import receive
from sayso.inbound.receive import Intake
from sayso.messages import deciding, dispatch, outcome, results, rules
from sayso.messages import service as messages
from sayso.simulator.faults.model import DropAfter, RefuseWithError

Patch = pytest.MonkeyPatch
LEFT = "unsubscribed"


async def send(world: World, words: str = "good morning") -> str:
    _, body = await world.api.call("POST", "/send", json={"recipient": ALICE, "content": words})
    return str(body["id"])


async def a_lost_answer(world: World, _patch: Patch) -> None:
    world.sim.hold_webhooks(on=True)
    world.sim.arm(DropAfter())
    message_id = await send(world)
    settled = "SELECT 1 FROM messages WHERE id = $1 AND (state = 'unknown' OR attempt > 1)"
    await eventually(lambda: world.rows(settled, message_id), "the answer being given up, or not")
    world.sim.hold_webhooks(on=False)
    await world.stands(message_id, "read")


def resend_what_was_lost(patch: Patch) -> None:
    lost = "return replace(result, reason=reason, again_at=now + REPORT_UNKNOWN_AFTER)"
    plant(patch, outcome, "result_of", (lost, lost.replace("result,", 'result, state="queued",').replace(
        "REPORT_UNKNOWN_AFTER", "timedelta(0)")))  # fmt: skip


async def a_failure_without_a_name(world: World, _patch: Patch) -> None:
    world.sim.arm(RefuseWithError(code=131000, http_status=500))
    message_id = await send(world)
    ended = "SELECT 1 FROM messages WHERE id = $1 AND (state = 'unknown' OR attempt > 1)"
    await eventually(lambda: world.rows(ended, message_id), "the failure being written down, or not")
    world.let_pass(minutes=16)


def resend_what_may_have_been_taken(patch: Patch) -> None:
    held = "return replace(result, again_at=now + REPORT_UNKNOWN_AFTER)"
    plant(patch, outcome, "_refused", (held, 'return replace(result, state="queued", again_at=now)'))


async def two_taps(world: World, _patch: Patch) -> None:
    _, prompt = await world.asked()
    await world.tapped(prompt["wamid"], 0)
    await world.tapped(prompt["wamid"], 1)


def decide_what_is_decided(patch: Patch) -> None:
    plant(patch, asked, "question", ('row["status"] == "pending" and row["standing"] == "asked" and ', ""))
    plant(patch, moving, "_may_answer", ('row["status"] == "decided" or ', ""), (
          'return asked if row["status"] == "pending" and answered is None else None',
          "return asked or everyone[0]"))  # fmt: skip
    plant(patch, service, "decide_all", (" AND status <> 'decided'", ""))
    patch.setattr(receipts, "prove", lambda *_: None)  # the log would refuse a second decision


async def stop_while_a_post_is_under_way(world: World, _patch: Patch) -> None:
    held = world.wire.hold("before", containing="slow line")
    await send(world, "slow line")
    await held.arrived()
    wamid = await world.sim.inbound(ALICE, text="STOP")
    await world.digested(wamid)

    async def turned_up() -> bool:
        """The farewell left, or was looked at twice and held back."""
        [row] = await world.rows("SELECT * FROM messages WHERE purpose = 'consent'")
        posted = any(post.touches(LEFT) for post in world.wire.posts)
        return posted or (row["work_at"] - row["created_at"]).total_seconds() > 0.1

    await eventually(turned_up, "the farewell's turn")
    held.release()
    await world.sim.expect_message(to=ALICE, containing=LEFT)


def say_farewell_at_once(patch: Patch) -> None:
    plant(patch, rules, "_answer", ("if facts.in_flight else", "if False else"))


async def stop_before_what_is_queued(world: World, patch: Patch) -> None:
    patch.setattr(rules, "_RETRY_CAP_S", 0.2)
    await world.wire.go_down()
    await send(world)
    await world.said("STOP")

    async def only_the_message_waits() -> bool:
        rows = await world.rows("SELECT purpose, state FROM messages ORDER BY id")
        return [(row["purpose"], row["state"]) for row in rows][-1:] == [("consent", "queued")]

    await eventually(only_the_message_waits, "both being queued")

    async def it_is_put_off() -> bool:  # it may be on its way just now
        await world.rows("UPDATE messages SET work = 'waiting', work_at = now() + interval '1 hour' "
                         "WHERE purpose = 'send' AND state = 'queued' RETURNING 1")  # fmt: skip
        return not await world.rows("SELECT 1 FROM messages WHERE purpose = 'send' AND (state = 'sending' OR "
                                    "state = 'queued' AND work_at < now() + interval '30 minutes')")  # fmt: skip

    await eventually(it_is_put_off, "the message being put off")
    await world.wire.come_up()
    await world.sim.expect_message(to=ALICE, containing=LEFT)
    await world.rows("UPDATE messages SET work_at = now() WHERE work = 'waiting' RETURNING 1")


def forget_who_left(patch: Patch) -> None:
    """Neither what waits is taken back, nor is anything looked at again at the wire."""
    plant(patch, messages, "suppress_all", ("AND state = 'queued' ", "AND false "))
    plant(patch, deciding, "decide", ("if facts.not_permitted:", "if False:"))


async def a_deadline_over_an_unread_reply(world: World, patch: Patch) -> None:
    gate, act = asyncio.Event(), conductor._message

    async def when_let(*args: Any) -> Any:
        await gate.wait()
        return await act(*args)

    patch.setattr(conductor, "_message", when_let)
    _, prompt = await world.asked()
    wamid = await world.sim.tap(ALICE, prompt["wamid"], 0)
    await eventually(lambda: world.update(wamid), "the reply being in")
    await evidence.time_is_up(world.dsn)
    over = "SELECT 1 FROM confirmations WHERE clock_timestamp() > expires_at AND (tries > 1 OR outcome IS NOT NULL)"
    await eventually(lambda: world.rows(over), "the deadline being looked at")
    gate.set()


def expire_without_looking(patch: Patch) -> None:
    plant(patch, timers, "handle", ("if not await _unread(", "if True or await _unread("))


async def one_update_in_two_shapes(world: World, _patch: Patch) -> None:
    _, prompt = await world.asked()
    await world.tapped(prompt["wamid"], 0)
    [hook] = [each for each in world.sim.webhooks(kind="inbound") if "button" in each["body"]]
    assert await world.deliver(body=json.dumps(json.loads(hook["body"]), indent=1).encode()) == 200


def tell_updates_apart_by_their_body(patch: Patch) -> None:
    plant(patch, receive, "_columns", ("[update.key for update, _ in updates]",
          "[update.key + post.digest.hex() for update, post in updates]"))  # fmt: skip


async def statuses_backwards(world: World, _patch: Patch) -> None:
    world.sim.hold_webhooks(on=True)
    message_id = await send(world)
    await world.stands(message_id, "accepted")

    async def all_three() -> bool:
        return len(world.sim.webhooks(state="held")) >= 3

    await eventually(all_three, "three statuses")
    for hook in reversed(world.sim.webhooks(state="held")):
        assert await world.deliver(body=hook["body"].encode()) == 200
        await eventually(lambda: _digested_all(world), "digesting it")
    world.sim.hold_webhooks(on=False)


async def _digested_all(world: World) -> bool:
    return not await world.rows("SELECT 1 FROM updates WHERE work IS NOT NULL")


def believe_every_status(patch: Patch) -> None:
    for user in _users_of(rules.moved):
        plant(patch, user, "moved", ("return RANK[to] > RANK[state]", "return True"))


def _users_of(function: Any) -> list[Any]:
    """Every module of ours that knows a function by its name."""
    named = function.__name__
    return [
        m
        for key, m in sorted(sys.modules.items())
        if key.startswith("sayso.") and vars(m).get(named) is function
    ]


async def two_open_and_a_bare_word(world: World, _patch: Patch) -> None:
    await world.asked("buy the blue bicycle")
    await world.asked("sell the red car")
    await world.said("Y")


def take_a_word_for_the_last_question(patch: Patch) -> None:
    honest = readings.read

    def guessing(reply: Any, questions: Any, lists: Any) -> Any:
        reading = honest(reply, questions, lists)
        if not isinstance(reading, AskWhich) or reading.verdict not in ("confirm", "decline", "cancel"):
            return reading
        last = [each for each in questions if each.open and each.shown_at is not None][-1]
        return Decide(last.id, reading.verdict, "word")

    patch.setattr(readings, "read", guessing)


async def a_commit_that_fails(world: World, patch: Patch) -> None:
    real, failures = Intake._commit, iter([OSError("the disk is full")])

    async def commit(self: Intake, batch: Any) -> None:
        for error in failures:
            raise error
        await real(self, batch)

    patch.setattr(Intake, "_commit", commit)
    wamid = await world.sim.inbound(ALICE, text="hello")

    async def answered() -> bool:
        return any(wamid in hook["body"] and hook["state"] == "delivered" for hook in world.sim.webhooks())

    await eventually(answered, "the webhook being acknowledged")


def acknowledge_before_the_commit(patch: Patch) -> None:
    plant(patch, receive, "_fail", ("post.durable.set_exception(error)", "post.durable.set_result(None)"),
          ("post.durable.exception()", "pass"))  # fmt: skip


async def a_result_committed_unheard(world: World, patch: Patch) -> None:
    database = Forgetful(patch, claims=False, statement="was_open")
    database.left = 1
    world.sim.arm(RefuseWithError(code=131016))
    message_id = await send(world)
    await eventually(lambda: _came_to_rest(world, message_id), "the message coming to rest")
    assert database.forgot == 1


async def _came_to_rest(world: World, message_id: str) -> bool:
    [row] = await world.rows("SELECT state, work, attempt FROM messages WHERE id = $1", message_id)
    return bool(
        row["state"] == "read" or (row["attempt"] and row["work"] is None and row["state"] == "queued")
    )


def write_a_result_twice(patch: Patch) -> None:
    """What has been written is written again, and nobody works on it any more."""
    fence = (
        " AND (m.state IN ('sending', 'unknown') OR m.work = 'running'\n"
        "        OR m.state = 'queued' AND m.risked AND r.state = 'accepted')"
    )
    assert fence in results._APPLY
    again = "WHEN m.state = 'queued' AND NOT was.open THEN 'ready' END"
    assert again in results._APPLY
    patch.setattr(results, "_APPLY", results._APPLY.replace(fence, "").replace(again, "END"))


async def _give_up_every_worker(world: World) -> None:
    """What another process does when it has not heard of a worker for the length of a lease."""
    worker = world.running.service.worker

    async def given_up() -> bool:
        async with world.rt.db.tx(claims=True) as tx:
            dead = await claims.bury(tx, lease_s=-60)
            for work in worker.works:
                await worker._hand_on(tx, work, dead)
            return bool(dead)  # not while it is just claiming

    await eventually(given_up, "the worker being given up")


async def a_worker_given_up_during_its_post(world: World, _patch: Patch) -> None:
    world.sim.hold_webhooks(on=True)
    held = world.wire.hold("before", containing="slow line")
    message_id = await send(world, "slow line")
    await held.arrived()
    await _give_up_every_worker(world)
    handed_on = "SELECT 1 FROM messages WHERE id = $1 AND (state = 'unknown' OR attempt > 1)"
    await eventually(lambda: world.rows(handed_on, message_id), "the message being handed on")
    held.release()
    world.sim.hold_webhooks(on=False)
    await world.stands(message_id, "read")


def post_what_a_dead_worker_posted(patch: Patch) -> None:
    plant(patch, dispatch, "lost_with_their_worker", ("SET state = 'unknown'", "SET state = 'queued'"),
          ("work = 'waiting'", "work = 'ready'"))  # fmt: skip


async def a_worker_given_up_while_it_reads(world: World, patch: Patch) -> None:
    await world.api.link(ALICE)
    gate, first, act = asyncio.Event(), asyncio.Event(), conductor._message

    async def slow_at_first(*args: Any) -> Any:
        if not first.is_set():
            first.set()
            await gate.wait()
        return await act(*args)

    patch.setattr(conductor, "_message", slow_at_first)
    wamid = await world.sim.inbound(ALICE, text="what is this?")
    await first.wait()
    await _give_up_every_worker(world)
    await world.digested(wamid)
    gate.set()
    await eventually(lambda: _nobody_holds_a_transaction(world), "the late one coming to its end")


async def _nobody_holds_a_transaction(world: World) -> bool:
    return not await world.rows(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
    )


def work_without_a_fence(patch: Patch) -> None:
    patch.setattr(claims, "check_fence", lambda *_, **__: None)


@dataclass(frozen=True)
class Case:
    """A scenario, a bug it must catch, and how the judge words it."""

    scenario: Callable[[World, Patch], Awaitable[None]]
    bug: Callable[[Patch], None]
    caught: str


CASES = [
    Case(a_lost_answer, resend_what_was_lost, "posted again although"),
    Case(a_failure_without_a_name, resend_what_may_have_been_taken, "posted again although"),
    Case(two_taps, decide_what_is_decided, "was told"),
    Case(stop_while_a_post_is_under_way, say_farewell_at_once, "was under way"),
    Case(stop_before_what_is_queued, forget_who_left, "after they had left"),
    Case(a_deadline_over_an_unread_reply, expire_without_looking, "expired over the answer"),
    Case(one_update_in_two_shapes, tell_updates_apart_by_their_body, "was taken for 2 updates"),
    Case(statuses_backwards, believe_every_status, "fell from"),
    Case(two_open_and_a_bare_word, take_a_word_for_the_last_question, "was open too"),
    Case(a_commit_that_fails, acknowledge_before_the_commit, "and is gone"),
    Case(a_result_committed_unheard, write_a_result_twice, "never finished: queued"),
    Case(a_worker_given_up_during_its_post, post_what_a_dead_worker_posted, "posted again although"),
    Case(a_worker_given_up_while_it_reads, work_without_a_fence, "was told 2 times"),
]


async def judged(case: Case, dsn: str, directory: Path, patch: Patch) -> list[str]:
    async with a_world(dsn, directory) as world:
        await world.open_window()
        await case.scenario(world, patch)
        await world.at_rest()
        return violations(await evidence.gather(world.dsn, world.wire, world.sim.webhooks()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.scenario.__name__)
async def test_as_we_are_every_promise_is_kept(
    case: Case, dsn: str, tmp_path: Path, monkeypatch: Patch
) -> None:
    assert await judged(case, dsn, tmp_path, monkeypatch) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.bug.__name__)
async def test_the_judge_catches_the_bug(case: Case, dsn: str, tmp_path: Path, monkeypatch: Patch) -> None:
    case.bug(monkeypatch)
    found = await judged(case, dsn, tmp_path, monkeypatch)
    assert any(case.caught in sentence for sentence in found), found
