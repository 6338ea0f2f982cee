"""What did not get through, and what can still be done about a message: cancel, retry, settle; refusals explain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sayso.core.database import Record, Tx
from sayso.core.errors import NotRetryableError, NotUnknownError, TooLateError
from sayso.core.runtime import Runtime
from sayso.messages import lost, prospects
from sayso.messages.results import Failed
from sayso.messages.service import QUEUE, Step, ended_as, note, tell_ended, tell_failed

Settlement = Literal["delivered", "failed", "retry"]
MOST_AT_ONCE: Final = 1000
#: How often a retry of many looks further for messages that would go, where those it found would not.
_LOOKS: Final = 10

#: A dead letter: nothing more happens to it by itself.
_DEAD = "(state IN ('failed', 'expired') OR (state = 'unknown' AND work IS NULL))"
#: Those of them that :func:`refusal` has no objection to.
_RETRYABLE = "(state IN ('failed', 'expired') AND purpose = 'send' AND type <> 'erased' AND NOT risked)"
_MATCHES = (
    "($1::text IS NULL OR client_id = $1) AND ($2::int IS NULL OR error_code = $2) "
    "AND ($3::text IS NULL OR phone_number_id = $3) AND ($4::text IS NULL OR template_name = $4) "
    "AND ($5::timestamptz IS NULL OR created_at >= $5) AND ($6::timestamptz IS NULL OR created_at < $6) "
    "AND ($7::text[] IS NULL OR id = ANY($7))"
)
#: How long a message lives: since it was to go, or since the last time it was given a new life.
_LIFE = (
    "expires_at - greatest(created_at, send_at, "
    "(SELECT max(t.at) FROM message_timeline t WHERE t.message_id = messages.id AND t.detail ? 'until'))"
)
#: A new life as long as the first was, and no attempt counted; what Meta called it before is remembered.
_REVIVE = f"""
UPDATE messages SET state = 'queued', reason = $2, error_code = NULL, retries = 0, held = NULL, held_by = NULL,
    past_wamids = past_wamids || array_remove(ARRAY[wamid], NULL), wamid = NULL,
    expires_at = greatest(expires_at, $3::timestamptz + ({_LIFE})),
    work = CASE WHEN work = 'running' THEN work ELSE 'ready' END, work_at = $3, tries = 0
WHERE id = ANY($1) RETURNING id, expires_at
"""
_ON_ITS_WAY = frozenset({"queued", "sending", "accepted", "sent"})
_ERASED: Final = "what it said has been erased"
_NOT_AGAIN: Final = {
    "delivered": "it reached the person",
    "read": "the person has read it",
    "unknown": "it may have reached the person: if a second copy is acceptable, settle it as `retry`, by "
    '`sayso messages settle` or POST /messages/{id}/settle with {"as": "retry"}',
    "cancelled": "it was cancelled; send it as a new message",
}


@dataclass(frozen=True, slots=True)
class Which:
    """A choice of messages, by what they are and when we took them; None does not choose.

    ``client_id`` None means every assistant's. ``since`` is included, ``until`` is not.
    """

    client_id: str | None
    code: int | None = None
    sender: str | None = None
    template: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[str] | None = None

    def columns(self) -> tuple[object, ...]:
        """As the statements take them."""
        ids = None if self.ids is None else list(self.ids)
        return self.client_id, self.code, self.sender, self.template, self.since, self.until, ids


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of a retry of many: those that go again, those that do not and why, and whether there are more."""

    going: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    more: bool


async def letters(tx: Tx, which: Which, *, before: str | None, limit: int) -> list[Record]:
    """Dead letters, newest first."""
    return await tx.fetch(
        f"SELECT * FROM messages WHERE {_DEAD} AND {_MATCHES} AND ($8::text IS NULL OR id < $8) "
        "ORDER BY id DESC LIMIT $9",
        *which.columns(),
        before,
        limit,
    )


async def locked(tx: Tx, message_id: str) -> Record | None:
    """A message's row, which nobody else changes until this transaction ends."""
    return await tx.fetchrow("SELECT * FROM messages WHERE id = $1 FOR UPDATE", message_id)


async def cancel(tx: Tx, rt: Runtime, row: Record, *, by: str, on_failed: Failed) -> str:
    """Take a locked message out of the queue; its state. Raises :class:`TooLateError` once it may be on the wire."""
    if row["state"] == "cancelled":
        return "cancelled"
    if row["state"] != "queued" or row["work"] == "running":
        raise TooLateError(
            f"It is {row['state']}: only what is queued, held or scheduled can be cancelled. {_LATE[row['state']]}"
        )
    state, reason = ended_as(row, "cancelled", f"taken back by {by}")
    await _end(tx, rt, row, state, reason)
    ended = {**row, "state": state, "reason": reason}
    if state == "unknown" or by != row["client_id"]:  # whoever takes back its own knows
        await tell_ended(tx, rt, ended)
    if state != "unknown":
        await on_failed(tx, rt, ended)
    return state


async def take_back(tx: Tx, rt: Runtime, message_ids: Sequence[str]) -> list[str]:
    """Cancel the questions among these that nobody has in hand, since what they ask has ended; their ids."""
    rows = await tx.fetch(
        "SELECT * FROM messages WHERE id = ANY($1) AND state = 'queued' AND work IN ('ready', 'waiting') "
        "AND NOT risked ORDER BY id FOR UPDATE SKIP LOCKED",
        list(message_ids),
    )
    for row in rows:
        await _end(tx, rt, row, "cancelled", "what it asks has ended")
    return [row["id"] for row in rows]


_WIRE = "What may be on its way cannot be called back."
_LATE: Final = {
    **dict.fromkeys(("queued", "sending", "accepted", "sent", "unknown"), _WIRE),
    **dict.fromkeys(("delivered", "read"), "It has reached the person."),
    **dict.fromkeys(("failed", "suppressed", "expired"), "It does not go out any more."),
}


async def retry(tx: Tx, rt: Runtime, row: Record, *, by: str) -> bool:
    """Send a locked message again; False when it is on its way already, so that asking twice does nothing twice.

    Raises :class:`NotRetryableError`, with why: also when it would not get past what the wire asks of it now.
    """
    if row["state"] in _ON_ITS_WAY:
        return False
    why_not = refusal(row) or await _obstacle(tx, rt, row)
    if why_not:
        raise NotRetryableError(f"{row['id']} is not sent again: {why_not}.")
    await _revive(tx, rt, [row], by=by)
    return True


async def _obstacle(tx: Tx, rt: Runtime, row: Record) -> str | None:
    return (await prospects.obstacles(tx, rt, [row])).get(row["id"])


def refusal(row: Record) -> str | None:
    """Why a message cannot be sent again, whatever it would meet now; or None."""
    if row["state"] in _NOT_AGAIN:
        return _NOT_AGAIN[row["state"]]
    if row["state"] == "suppressed":
        return f"it was suppressed, and stays so ({row['reason']}); once that has changed, send it as a new message"
    if row["risked"]:
        return _NOT_AGAIN["unknown"]
    return _ERASED if row["type"] == "erased" else _over(row)


def _over(row: Record) -> str | None:
    """Why what a message was about is over with it."""
    if row["purpose"] == "prompt":
        return "its question has ended with it; ask it anew"
    if row["purpose"] != "send":
        return "it spoke of something that is over"
    return None


async def retry_many(
    tx: Tx, rt: Runtime, which: Which, *, by: str, limit: int = MOST_AT_ONCE, dry_run: bool = False
) -> Retried:
    """Send dead letters again, the oldest first, at most ``limit`` at once; with ``dry_run`` only say which."""
    others = await tx.fetch(
        f"SELECT * FROM messages WHERE {_DEAD} AND {_MATCHES} AND NOT {_RETRYABLE} ORDER BY id LIMIT $8",
        *which.columns(),
        limit,
    )
    refused = [(row["id"], why) for row in others if (why := refusal(row))]
    going, stopped, more = await _those_that_go(tx, rt, which, limit)
    if going and not dry_run:
        await _revive(tx, rt, going, by=by)
    return Retried(tuple(row["id"] for row in going), tuple([*refused, *stopped][:limit]), more)


async def _those_that_go(
    tx: Tx, rt: Runtime, which: Which, limit: int
) -> tuple[list[Record], list[tuple[str, str]], bool]:
    """The oldest dead letters that would get past the wire, locked; those that would not; whether there are more."""
    going: list[Record] = []
    stopped: list[tuple[str, str]] = []
    last = ""
    for _ in range(_LOOKS):
        wanted = limit - len(going)
        rows = await tx.fetch(
            f"SELECT * FROM messages WHERE {_DEAD} AND {_MATCHES} AND {_RETRYABLE} AND id > $8 ORDER BY id LIMIT $9 "
            "FOR UPDATE SKIP LOCKED",
            *which.columns(),
            last,
            wanted + 1,
        )
        found = rows[:wanted]
        why = await prospects.obstacles(tx, rt, found)
        going += [row for row in found if row["id"] not in why]
        stopped += why.items()
        if len(rows) <= wanted:
            return going, stopped, False
        if len(going) == limit:
            break
        last = found[-1]["id"]
    return going, stopped, True


async def _revive(tx: Tx, rt: Runtime, rows: Sequence[Record], *, by: str) -> None:
    now, reason = rt.now(), f"sent again by {by}"
    going = await tx.fetch(_REVIVE, [row["id"] for row in rows], reason, now)
    lives = {row["id"]: {"again": "retry", "until": row["expires_at"]} for row in going}
    await note(tx, [Step(message_id, now, "queued", reason, detail) for message_id, detail in lives.items()])
    tx.after_commit(lambda: rt.wakes.work(QUEUE.table))


async def settle(tx: Tx, rt: Runtime, row: Record, said: Settlement, *, by: str, on_failed: Failed) -> str:
    """Say what became of a locked message whose answer was lost; its state.

    ``retry`` posts it again, knowing that the person may get it twice. Raises :class:`NotUnknownError`, and
    :class:`NotRetryableError` where there is nothing left to post, or where it would not get past the wire.
    """
    state, reason = row["state"], f"settled by {by}: {said}"
    if state == ("queued" if said == "retry" else said):
        return said if said != "retry" else "queued"
    if state != "unknown" or row["work"] == "running":
        raise NotUnknownError(f"{row['id']} is {state}, not unknown: there is nothing to settle.")
    until = row["posting_until"]
    if until is not None and rt.now() < until:  # who leaves meanwhile is told once nothing is under way
        why = f"until {until:%H:%M:%S} UTC nobody can tell what became of it"
        raise NotUnknownError(f"{row['id']} may still be being posted: {why}.")
    if said == "retry":
        await _post_again(tx, rt, row, f"{reason}; the person may get it twice")
        return "queued"
    await _end(tx, rt, row, said, reason, settled=True)
    if said == "failed":
        ended = {**row, "state": "failed", "reason": reason}
        await tell_failed(tx, rt, ended)
        await on_failed(tx, rt, ended)
    return said


async def _post_again(tx: Tx, rt: Runtime, row: Record, reason: str) -> None:
    """One attempt more for a message that may have arrived, with a new life if its own has ended."""
    ended = rt.now() >= row["expires_at"]
    why_not = _ERASED if row["type"] == "erased" else _over(row) if ended else None
    if why_not := why_not or await _obstacle(tx, rt, row):
        raise NotRetryableError(f"{row['id']} is not sent again: {why_not}.")
    life = await tx.fetchval(f"SELECT {_LIFE} FROM messages WHERE id = $1", row["id"])
    await lost.post_again(tx, rt, row, reason, expires_at=rt.now() + life if ended else None)


async def _end(tx: Tx, rt: Runtime, row: Record, state: str, reason: str, *, settled: bool = False) -> None:
    """End a message; ``settled``: somebody knows what became of every attempt."""
    await tx.execute(
        "UPDATE messages SET state = $2, reason = $3, work = NULL, worker = NULL, held = NULL, held_by = NULL, "
        "risked = risked AND NOT $4, error_code = CASE WHEN NOT $4 THEN error_code END WHERE id = $1",
        row["id"],
        state,
        reason,
        settled,
    )
    await note(tx, [Step(row["id"], rt.now(), state, reason)])
