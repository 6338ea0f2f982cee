"""One judge for every ring: given what was sent, said, stored and told, which promises were broken? Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness import kept
from harness.kept import Deliveries, Keyed, Proof
from harness.wire import Post

Row = Mapping[str, Any]

_RANK = {"queued": 0, "sending": 0, "unknown": 0, "accepted": 1, "sent": 2, "delivered": 3, "read": 4}
_ENDED = {"failed", "suppressed", "expired", "cancelled"}
_BY_PERSON = {"confirmed": "confirm", "declined": "decline", "cancelled": "cancel"}
_LEFT, _CAME_BACK = "unsubscribed", "opting in"


@dataclass(frozen=True, slots=True)
class History:
    """Facts of one run.

    ``acknowledged`` names, as (kind, wamid, status), every update that we answered with 200, and ``stored`` every one
    that is in the database, once for each time it is there. ``proofs``: the decision log, each entry with what it says
    was decided and whether it has a receipt. ``asked``: who was asked, as (confirmation, person); ``merged``: which
    person became which. ``keyed``: what a test asked with keys, and was answered. ``rules``: those of the policy that
    decide by themselves, by the policy's stamp and their names.
    """

    posts: Sequence[Post]
    messages: Sequence[Row]
    steps: Sequence[Row]
    confirmations: Sequence[Row]
    answers: Sequence[Row]
    updates: Sequence[Row]
    events: Sequence[Row]
    acknowledged: frozenset[tuple[str, str, str]]
    stored: Sequence[tuple[str, str, str]]
    proofs: Sequence[Row] = ()
    asked: frozenset[tuple[str, str]] = frozenset()
    merged: Mapping[str, str] = field(default_factory=dict)
    proof: Proof = field(default_factory=Proof)
    deliveries: Deliveries = field(default_factory=Deliveries)
    keyed: Sequence[Keyed] = ()
    rules: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)


def violations(history: History) -> list[str]:
    """Every broken promise, as a sentence; empty when all were kept."""
    return [sentence for promise in PROMISES for sentence in promise(history)]


def posted_once(history: History) -> Iterator[str]:
    """No message is posted again unless Meta told us that it had refused it, or somebody accepted that it goes twice.

    A failure that came late is in the timeline, and so is whoever asked for one attempt more.
    """
    again = Counter(step["message_id"] for step in history.steps if _again(step))
    by_message: defaultdict[str, list[Post]] = defaultdict(list)
    for post in history.posts:
        by_message[post.message_id].append(post)
    for message_id, posts in by_message.items():
        if sum(not earlier.refused for earlier in posts[:-1]) > again[message_id]:
            yield f"{message_id} was posted again although an earlier POST was not proved refused"
        if sum(post.accepted for post in posts) > 1 + again[message_id]:
            yield f"{message_id} reached the person {sum(post.accepted for post in posts)} times"


def one_outcome(history: History) -> Iterator[str]:
    """A confirmation has one outcome, told once, and the answer that gave it."""
    told: defaultdict[str, list[str]] = defaultdict(list)
    deciding: defaultdict[str, list[str]] = defaultdict(list)
    for event in history.events:
        if event["type"] == "confirmation.decided":
            told[event["subject"]].append(event["data"]["outcome"])
    for answer in history.answers:
        if answer["effect"] == "decided":
            deciding[answer["confirmation_id"]].append(answer["verdict"])
    for row in history.confirmations:
        expected = [row["outcome"]] if row["outcome"] else []
        if told[row["id"]] != expected:
            yield f"{row['id']} is {row['outcome']}, but {told[row['id']]} was told"
        verdict = None if kept.by_rule(row) else _BY_PERSON.get(row["outcome"] or "")
        if deciding[row["id"]] != ([verdict] if verdict else []):
            yield f"{row['id']} is {row['outcome']}, but the answers that decided it are {deciding[row['id']]}"


def every_decision_proved(history: History) -> Iterator[str]:
    """Each decision has one entry in the log, which says the same, and a receipt; nothing else has."""
    said: defaultdict[str, list[Any]] = defaultdict(list)
    for proof in history.proofs:
        said[proof["confirmation_id"]].append(proof["outcome"] if proof["receipt"] else "(no receipt)")
    for row in history.confirmations:
        expected = [row["outcome"]] if row["outcome"] else []
        if said[row["id"]] != expected:
            yield f"{row['id']} is {row['outcome']}, but {said[row['id']]} is proved"


def forward_only(history: History) -> Iterator[str]:
    """A message's state never moves down, and what has ended stays ended."""
    at: dict[str, str] = {}
    for step in history.steps:
        before, after = at.get(step["message_id"]), step["state"]
        if _again(step) or _in_doubt(step):
            before = None
        if before in _ENDED and after != before:
            yield f"{step['message_id']} went from {before} to {after}"
        elif before in _RANK and after in _RANK and _RANK[after] < _RANK[before]:
            yield f"{step['message_id']} fell from {before} to {after}"
        at[step["message_id"]] = after
    for row in history.messages:
        if at.get(row["id"]) != row["state"]:
            yield f"{row['id']} is {row['state']}, but its timeline ends with {at.get(row['id'])}"


def _again(step: Row) -> bool:
    """Whether a message begins anew here: a template after a late failure, or somebody asked for one attempt more."""
    return step["state"] == "queued" and bool((step["detail"] or {}).get("again"))


def _in_doubt(step: Row) -> bool:
    """Whether Meta said that the last attempt did not arrive, and nobody knows about an earlier one."""
    return step["state"] == "unknown" and (step["detail"] or {}).get("status") == "failed"


def nothing_lost_coming_in(history: History) -> Iterator[str]:
    """What was acknowledged is stored, and whatever is stored comes to an end."""
    for missing in sorted(history.acknowledged - set(history.stored)):
        yield f"the update {missing} was acknowledged, and is gone"
    for update, count in Counter(history.stored).items():
        if count > 1:
            yield f"the update {update} was taken for {count} updates"
    for row in history.updates:
        if row["state"] not in ("done", "parked", "stale") or row["work"] is not None:
            yield f"the update {row['key']} was never finished: {row['state']}, work {row['work']}"
        elif row["state"] == "parked" and not row["result"]:
            yield f"the update {row['key']} was parked without a reason"


def nothing_lost_going_out(history: History) -> Iterator[str]:
    """Every message ends, or is reported unknown, and says why it did not go out."""
    reported = {event["subject"] for event in history.events if event["type"] == "message.unknown"}
    accepted = {post.message_id for post in history.posts if post.accepted}
    for row in history.messages:
        state = row["state"]
        if state in ("queued", "sending"):
            yield f"{row['id']} was never finished: {state}, work {row['work']}"
        elif state == "unknown" and row["work"] is None and row["id"] not in reported:
            yield f"{row['id']} is unknown, and nobody will be told"
        if state in (*_ENDED, "unknown") and not row["reason"]:
            yield f"{row['id']} is {state}, and does not say why"
        if row["id"] in accepted and state in ("queued", "suppressed", "expired", "cancelled"):
            yield f"Meta took {row['id']}, and we call it {state}"


def silence_after_leaving(history: History) -> Iterator[str]:
    """When the answer to an opt-out leaves, nothing else is under way, and nothing starts until they come back."""
    purpose = {row["id"]: row["purpose"] for row in history.messages}
    left: dict[str, Post] = {}
    for post in sorted(history.posts, key=lambda each: each.began):
        about_leaving = purpose.get(post.message_id) == "consent"
        if about_leaving and post.touches(_LEFT):
            left[post.to] = post
            for other in history.posts:
                if other is not post and other.to == post.to and other.began < post.began < _end(other):
                    yield f"{post.to} was told they had left while {other.message_id} was under way"
        elif about_leaving and post.touches(_CAME_BACK):
            left.pop(post.to, None)
        elif post.to in left and not about_leaving:  # HELP is answered to whoever has left, too
            yield f"{post.message_id} was posted to {post.to} after they had left"


def replies_before_expiry(history: History) -> Iterator[str]:
    """No question expires over a reply that came in before its end, and was read as late."""
    rows = {row["id"]: row for row in history.confirmations}
    for answer in history.answers:
        row, late = rows[answer["confirmation_id"]], answer["effect"] == "late"
        if late and row["outcome"] == "expired" and answer["received_at"] < row["expires_at"]:
            yield f"{row['id']} expired over the answer {answer['wamid']} that came before its end"


def a_word_decides_one(history: History) -> Iterator[str]:
    """A bare word decides only when exactly one question was open to that person and sender."""
    posted = {
        row["confirmation_id"]: row["posted_at"] for row in history.messages if row["purpose"] == "prompt"
    }
    rows = {row["id"]: row for row in history.confirmations}
    for answer in history.answers:
        if answer["how"] != "word" or answer["effect"] != "decided":
            continue
        decided = rows[answer["confirmation_id"]]
        for other in history.confirmations:
            if other["id"] != decided["id"] and _open_beside(other, decided, posted.get(other["id"])):
                yield f"the word {answer['said']!r} decided {decided['id']} while {other['id']} was open too"


def told_once(history: History) -> Iterator[str]:
    """What a person's message led to is told to each assistant once."""
    told = Counter(
        (event["client_id"], event["type"], event["data"]["wamid"])
        for event in history.events
        if event["data"].get("wamid")
    )
    for (client_id, kind, wamid), count in told.items():
        if count > 1:
            yield f"{client_id} was told {count} times of {kind} by {wamid}"


def only_who_was_asked(history: History) -> Iterator[str]:
    """Only somebody who was asked decides."""
    return kept.by_whom(history.answers, history.asked, history.merged)


def rules_decide_alone(history: History) -> Iterator[str]:
    """What a rule decided is told as that, and no rule decides that is only tried out."""
    return kept.ruled(history.confirmations, history.messages, history.proof, history.rules)


def one_key_one_effect(history: History) -> Iterator[str]:
    """One key, one effect, one answer; a question is put to a person once."""
    yield from kept.one_effect(history.keyed, history.confirmations)
    yield from kept.put_once(history.messages)


def every_event_delivered(history: History) -> Iterator[str]:
    """Every event reaches its endpoint, in order, with one id and one wording."""
    yield from kept.delivered(history.deliveries, history.events)
    yield from kept.in_order(history.deliveries)
    yield from kept.the_same_to_all(history.deliveries, history.events)


def receipts_hold(history: History) -> Iterator[str]:
    """A receipt verifies, for this action alone, and stands in a log that holds."""
    return kept.proven(history.proof, history.confirmations)


def _open_beside(other: Row, decided: Row, posted_at: datetime | None) -> bool:
    same = all(other[name] == decided[name] for name in ("person_id", "phone_number_id"))
    shown = posted_at is not None and posted_at < decided["decided_at"]
    return same and shown and (other["decided_at"] is None or other["decided_at"] > decided["decided_at"])


def _end(post: Post) -> float:
    """When it could not reach the person any more as something new: Meta had it, or nobody waited for it."""
    return min((at for at in (post.met, post.ended) if at is not None), default=float("inf"))


PROMISES: tuple[Callable[[History], Iterator[str]], ...] = (
    posted_once,
    one_outcome,
    every_decision_proved,
    forward_only,
    nothing_lost_coming_in,
    nothing_lost_going_out,
    silence_after_leaving,
    replies_before_expiry,
    a_word_decides_one,
    told_once,
    only_who_was_asked,
    rules_decide_alone,
    one_key_one_effect,
    every_event_delivered,
    receipts_hold,
)
