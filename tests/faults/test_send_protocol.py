"""The send protocol under everything at once: random walks over claims, POSTs, statuses, deaths and people's words.

Each walk is judged after every step, and once more when everything has come to its end. Each planted bug is caught by
some walk of a fixed row of seeds; the walks as we are begin at a seed that nobody chose.

The bugs, each a function below:

- what is posted again: what was lost; what Meta may have taken; what a dead worker posted; what a result of an earlier
  attempt calls refused; what may have arrived, by a retry
- leaving: a POST after the process stood still; the answer at once; nobody looks who left; nor under the other spelling
- states: every status is believed; an answer undoes the status before it; word that an earlier attempt arrived does
  not settle a message that nobody knows of
- ends: what is on the wire is cancelled; nobody is told of what stays unknown
"""

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from harness.mail import Mail
from harness.planting import plant
from harness.protocol_steps import Stroll
from harness.rooms import Clock, brief_logs, runtime
from sayso.consent import service as consent
from sayso.messages import dead, deciding, dispatch, lost, outcome, results, rules, statuses

Patch = pytest.MonkeyPatch

WALKS, STEPS = 5, 60
#: How often each thing happens, in proportion.
WEIGHTS = {
    "queue": 14, "claim": 22, "answer": 20, "write": 16, "status": 12, "wait": 10, "leave": 3, "come_back": 3,
    "hear": 3, "cancel": 3, "retry": 3, "settle": 2, "bury": 2, "kill": 2, "freeze": 4, "thaw": 2, "disown": 2,
    "release": 2, "break_line": 2, "mend": 4,
}  # fmt: skip


@pytest.fixture
async def mail(dsn: str) -> AsyncIterator[Mail]:
    """No message yet."""
    clock = Clock()
    with brief_logs():
        async with runtime(dsn, now=clock) as rt:
            yield Mail(rt)


async def walked(mail: Mail, seed: int) -> list[str]:
    """One walk; the promises it saw broken."""
    clock = mail.rt.now
    assert isinstance(clock, Clock)
    walk = Stroll(mail, clock, seed)
    try:
        await walk.begin()
        for _ in range(STEPS):
            step = walk.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            clock.advance(milliseconds=3)
            await getattr(walk, step)()
            if found := await walk.judge():
                return found
        return await walk.rest()
    finally:
        await walk.end()


async def test_whatever_happens_every_promise_is_kept(mail: Mail) -> None:
    first = random.SystemRandom().randrange(2**31)
    for seed in range(first, first + WALKS):
        assert await walked(mail, seed) == [], f"seed {seed}"


def resend_what_was_lost(patch: Patch) -> None:
    held = "return replace(result, reason=reason, again_at=now + REPORT_UNKNOWN_AFTER)"
    again = 'return replace(result, state="queued", reason=reason, again_at=now)'
    plant(patch, outcome, "result_of", (held, again))


def resend_what_may_have_been_taken(patch: Patch) -> None:
    plant(patch, outcome, "_refused", ('failure.accepted == "maybe"', "False"))


def post_what_a_dead_worker_posted(patch: Patch) -> None:
    plant(patch, dispatch, "lost_with_their_worker", ("SET state = 'unknown'", "SET state = 'queued'"),
          ("work = 'waiting'", "work = 'ready'"), ('now, "unknown", reason', 'now, "queued", reason'))  # fmt: skip


def post_after_standing_still(patch: Patch) -> None:
    plant(patch, dispatch.Dispatcher, "_turn", (".time() > ready.outgoing.post_before", ".time() < 0"),
          ("and slot <= ready.outgoing.post_before:", "and True:"))  # fmt: skip


def say_farewell_at_once(patch: Patch) -> None:
    plant(patch, rules, "_answer", ("if facts.in_flight else", "if False else"))


def forget_who_left(patch: Patch) -> None:
    plant(patch, deciding, "decide", ("if facts.not_permitted:", "if False:"))


def forget_the_other_spelling(patch: Patch) -> None:
    plant(patch, consent, "entries_of", ("in person.fence:", "in person.ids:"))


def believe_every_status(patch: Patch) -> None:
    plant(patch, statuses, "moved", ("return RANK[to] > RANK[state]", "return True"))


def let_no_earlier_attempt_settle_it(patch: Patch) -> None:
    settles = 'if row["state"] == "unknown" and row["risked"] and _reached(status):'
    plant(patch, statuses, "_earlier", (settles, "if False:"))


def let_the_answer_undo_the_status(patch: Patch) -> None:
    kept = "state = CASE WHEN NOT was.open THEN m.state WHEN"
    assert kept in results._APPLY
    patch.setattr(results, "_APPLY", results._APPLY.replace(kept, "state = CASE WHEN"))


def take_an_old_result_for_the_new_one(patch: Patch) -> None:
    fence = "m.attempt = r.attempt AND "
    assert fence in results._APPLY
    patch.setattr(results, "_APPLY", results._APPLY.replace(fence, ""))


def cancel_what_is_on_the_wire(patch: Patch) -> None:
    plant(patch, dead, "cancel", ('if row["state"] != "queued" or', "if False and"))


def retry_what_may_have_arrived(patch: Patch) -> None:
    plant(patch, dead, "refusal", ('if row["state"] in _NOT_AGAIN:', "if False:"))


def tell_nobody(patch: Patch) -> None:
    plant(patch, lost, "give_up_waiting", ("await _report(tx, rt, row)", "pass"))


@dataclass(frozen=True)
class Bug:
    """A bug, how the oracle words it, and the seed of a walk that has met it: the first to be tried."""

    plant: Callable[[Patch], None]
    caught: str
    seed: int = 0


BUGS = [
    Bug(resend_what_was_lost, "was posted again"),
    Bug(resend_what_may_have_been_taken, "was posted again", 25),
    Bug(post_what_a_dead_worker_posted, "was posted again"),
    Bug(post_after_standing_still, "after they had left", 6),
    Bug(say_farewell_at_once, "under way", 26),
    Bug(forget_who_left, "after they had left"),
    Bug(forget_the_other_spelling, "after they had left", 4),
    Bug(believe_every_status, "fell from"),
    Bug(let_no_earlier_attempt_settle_it, "though Meta told"),
    Bug(let_the_answer_undo_the_status, "fell from"),
    Bug(take_an_old_result_for_the_new_one, "was posted again", 393),
    Bug(cancel_what_is_on_the_wire, "is cancelled"),
    Bug(retry_what_may_have_arrived, "was posted again"),
    Bug(tell_nobody, "nobody will be told"),
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.plant.__name__)
async def test_some_walk_catches_the_bug(bug: Bug, mail: Mail, monkeypatch: Patch) -> None:
    bug.plant(monkeypatch)
    for seed in dict.fromkeys((bug.seed, *range(60))):
        found = await walked(mail, seed)
        if any(bug.caught in sentence for sentence in found):
            return
    raise AssertionError("no walk caught it")
