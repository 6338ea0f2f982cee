"""Statuses of Meta's, joined to the messages and attempts they are about, many at a time; forward only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.telemetry import EARLIER_ATTEMPTS, META_ERRORS
from sayso.messages import attempts, price, trouble
from sayso.messages.outcome import Trouble, explain
from sayso.messages.rules import FINAL, RANK, STATUSES, moved
from sayso.messages.service import IN_DOUBT, QUEUE, Step, note
from sayso.people import service as people
from sayso.whatsapp.failures import classify
from sayso.whatsapp.updates import StatusUpdate

_WHICH = (
    "SELECT unnest($1::text[]) UNION SELECT m.id FROM messages m WHERE m.wamid = ANY($2) "
    "UNION SELECT m.id FROM messages m WHERE m.past_wamids && $2 AND m.past_wamids <> '{}'"
)
_COLUMNS = (
    "id, client_id, person_id, phone_number_id, purpose, confirmation_id, state, reason, error_code, wamid, "
    "past_wamids, attempt, form, fell_back, risked, work, if_unknown, posted_at, expires_at, category, "
    "template_name, template_language, outside_window IS NOT NULL AS has_template, "
    "content->>'type' = 'erased' AS erased"
)
_MOVE = """
UPDATE messages m SET state = s.state, wamid = CASE WHEN NOT s.again THEN coalesce(m.wamid, s.wamid) END,
    past_wamids = CASE WHEN s.again THEN array_append(array_remove(m.past_wamids, s.wamid), s.wamid)
        ELSE m.past_wamids END,
    reason = s.reason, error_code = s.code, fell_back = m.fell_back OR s.again, held = NULL, held_by = NULL,
    work = CASE WHEN m.work = 'running' THEN m.work WHEN s.again THEN 'ready' END,
    work_at = CASE WHEN s.again THEN $7 ELSE m.work_at END
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bool[])
    AS s (id, state, wamid, reason, code, again)
WHERE m.id = s.id
"""
_PRICED = """
UPDATE messages m SET price_category = p.category, price_billable = p.billable
FROM unnest($1::text[], $2::text[], $3::bool[]) AS p (id, category, billable) WHERE m.id = p.id
"""


@dataclass(frozen=True, slots=True)
class Joined:
    """A status with its message as it was right after it, and whether it moved it."""

    message: Record
    moved: bool


async def record(tx: Tx, rt: Runtime, statuses: Sequence[StatusUpdate]) -> list[Joined | None]:
    """Join statuses, in the order given, to their messages: by our id in the callback data, or else by wamid.

    None for those that are about no message of ours. A status may come before our own commit of the answer, and
    settles a message whose answer was lost. One of an earlier attempt is evidence, and moves nothing. The messages
    are locked in the order of their ids, as everywhere; what an error holds besides them is held before that.
    """
    if not statuses:
        return []
    said = [attempts.named(status.callback) for status in statuses]
    which = ([message_id for message_id, _ in said if message_id], [status.wamid for status in statuses])
    await _learn(tx, rt, statuses, [message_id for message_id, _ in said])
    await _obey(tx, rt, statuses, said, which)
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM messages WHERE id IN ({_WHICH}) ORDER BY id FOR UPDATE", *which
    )
    now_is: dict[str, Record] = {row["id"]: row for row in rows}
    by_wamid = _by_wamid(rows)
    steps: list[Step] = []
    joined: list[Joined | None] = []
    for status, (message_id, attempt) in zip(statuses, said, strict=True):
        row = now_is.get(message_id or "") or now_is.get(by_wamid.get(status.wamid, ""))
        if row is None:
            joined.append(None)
            continue
        one, step = _join(row, status, attempt, rt.now())
        now_is[row["id"]] = one.message
        steps.append(step)
        joined.append(one)
    await _price(tx, zip(statuses, joined, strict=True))
    ended = {one.message["id"]: now_is[one.message["id"]] for one in joined if one and one.moved}
    await _write(tx, rt, ended, steps)
    return joined


def _by_wamid(rows: Sequence[Record]) -> dict[str, str]:
    """Which message of these each wamid, present or past, belongs to."""
    past = {wamid: row["id"] for row in rows for wamid in row["past_wamids"]}
    return past | {row["wamid"]: row["id"] for row in rows if row["wamid"]}


async def _obey(
    tx: Tx,
    rt: Runtime,
    statuses: Sequence[StatusUpdate],
    said: Sequence[tuple[str | None, int | None]],
    which: tuple[list[str], list[str]],
) -> None:
    """Hold what late failures ask to be held; a message that was delivered all the same asks for nothing."""
    if not any(status.errors for status in statuses):
        return
    rows = await tx.fetch(f"SELECT {_COLUMNS} FROM messages WHERE id IN ({_WHICH})", *which)
    by_id, by_wamid = {row["id"]: row for row in rows}, _by_wamid(rows)
    found = []
    for status, (message_id, _) in zip(statuses, said, strict=True):
        row = by_id.get(message_id or "") or by_id.get(by_wamid.get(status.wamid, ""))
        if row is not None and status.errors and moved(row["state"], "failed"):
            found.append(_trouble(row, status, rt.now()))
    await trouble.obey(tx, rt, found)


def _trouble(row: Record, status: StatusUpdate, now: datetime) -> Trouble:
    error = status.errors[0]
    name = row["template_name"] if row["form"] == "template" else None
    return Trouble(
        at=min(status.at or now, now),
        person_id=row["person_id"],
        phone_number_id=row["phone_number_id"],
        template=(name, row["template_language"]) if name else None,
        posted_at=row["posted_at"] or now,
        error=error,
        failure=classify(error, None),
        evidence=status.wamid,
    )


async def _learn(tx: Tx, rt: Runtime, statuses: Sequence[StatusUpdate], said: Sequence[str | None]) -> None:
    """Whom Meta says a message reached, where its own answer never told: it may name them otherwise than we do.

    First of all, as with the answers: whoever learns may wait for their turn, and must not hold messages meanwhile.
    """
    rows = await tx.fetch(
        "SELECT id, person_id FROM messages WHERE id = ANY($1) AND wamid IS NULL",
        sorted({message_id for message_id in said if message_id}),
    )
    persons = {row["id"]: row["person_id"] for row in rows}
    facts = [
        (persons[message_id], kind, value)
        for status, message_id in zip(statuses, said, strict=True)
        if message_id in persons
        for kind, value in (("wa_id", status.recipient.wa_id), ("bsuid", status.recipient.bsuid))
        if value
    ]
    if facts:
        await people.learn(tx, rt, list(dict.fromkeys(facts)), learned_from="meta:status")


async def _price(tx: Tx, told: Iterable[tuple[StatusUpdate, Joined | None]]) -> None:
    """What Meta says a message counts as; whichever status says it, and whether or not it moves the message."""
    found = {
        one.message["id"]: price.actual(status.pricing) for status, one in told if one and status.pricing
    }
    said = {message_id: each for message_id, each in found.items() if each is not None}
    if said:
        prices = said.values()
        await tx.execute(
            _PRICED, list(said), [each.category for each in prices], [each.billable for each in prices]
        )


def _join(row: Record, status: StatusUpdate, attempt: int | None, now: datetime) -> tuple[Joined, Step]:
    """What one status means for a message as it is, and the entry for its timeline."""
    state = STATUSES.get(status.status)
    reason = explain(status.errors[0]) if status.errors else None
    at = status.at or now
    if _earlier(row, status, attempt):
        return Joined(row, moved=False), _evidence(row, status, attempt, at)
    moves = state is not None and (moved(row["state"], state) or _belied(row, status))
    if state is None or not moves or (state == "failed" and _told_in_doubt(row)):
        stood = "had ended before" if row["state"] in FINAL else "was further already"
        reason = reason or f"Meta said {status.status}; the message {stood}"
        return Joined(row, moved=False), Step(
            row["id"], at, row["state"], reason, _detail(row, status), moved=False
        )
    again = state == "failed" and _falls_back(row, status, now)
    detail = _detail(row, status)
    if again:
        state, reason = "queued", f"{reason}; it goes once more, as its template"
        detail["again"] = "window"
    elif state == "failed" and row["risked"]:
        state, reason = "unknown", f"{reason or 'Meta said failed'}{IN_DOUBT}"
    now_is = {
        **row,
        "state": state,
        "work": row["work"] if row["work"] == "running" else "ready" if again else None,
        "wamid": None if row["erased"] else status.wamid if again else row["wamid"] or status.wamid,
        "reason": reason,
        "error_code": status.errors[0].code if status.errors else None,
        "fell_back": row["fell_back"] or again,
        "past_wamids": [*row["past_wamids"], status.wamid] if again else row["past_wamids"],
    }
    return Joined(now_is, moved=True), Step(row["id"], at, state, reason, detail)


def _belied(row: Record, status: StatusUpdate) -> bool:
    """Whether it ended as failed by somebody's word, with no error of Meta's, and Meta knows that it did reach them."""
    return row["state"] == "failed" and row["error_code"] is None and _reached(status)


def _told_in_doubt(row: Record) -> bool:
    """Whether it was told already that nobody knows: an earlier attempt may have arrived, though the last did not."""
    return bool(row["risked"] and row["state"] == "unknown" and row["work"] in (None, "running"))


def _falls_back(row: Record, status: StatusUpdate, now: datetime) -> bool:
    """Whether a message that came too late for its window goes once more, as the template it has for that."""
    if not status.errors or classify(status.errors[0], None).then != "fall_back":
        return False
    fresh = row["has_template"] and row["form"] == "session" and not row["fell_back"]
    return bool(fresh and now < row["expires_at"])


def _earlier(row: Record, status: StatusUpdate, attempt: int | None) -> bool:
    """Whether a status is about an attempt that another one follows, or is about to.

    While the next attempt is still to be posted, word that the earlier one reached the person after all is the truth
    about the message, and stops the next; so it is where the next did not settle the matter.
    """
    if row["state"] == "unknown" and row["risked"] and _reached(status):
        return False
    if attempt is not None and attempt < row["attempt"]:
        return True
    if status.wamid not in row["past_wamids"]:
        return False
    return row["state"] != "queued" or not _reached(status)


def _reached(status: StatusUpdate) -> bool:
    return RANK.get(STATUSES.get(status.status, ""), 0) >= RANK["delivered"]


def _evidence(row: Record, status: StatusUpdate, attempt: int | None, at: datetime) -> Step:
    which = f"attempt {attempt}" if attempt is not None else "an earlier attempt"
    if _reached(status):
        reason = (
            f"{which} did reach the person after all (Meta said {status.status}): they may have got it twice"
        )
    elif status.errors:
        reason = f"about {which}: {explain(status.errors[0])}"
    else:
        reason = f"about {which}: Meta said {status.status}"
    detail = _detail(row, status) | {"attempt": attempt, "earlier": True}
    return Step(row["id"], at, row["state"], reason, detail, moved=False)


async def _write(tx: Tx, rt: Runtime, messages: dict[str, Record], steps: Sequence[Step]) -> None:
    for row in messages.values():
        if row["error_code"] is not None or row["state"] == "failed":
            tx.after_commit(META_ERRORS.labels(str(row["error_code"] or "unknown")).inc)
    for step in steps:
        if step.detail and step.detail.get("earlier"):
            tx.after_commit(EARLIER_ATTEMPTS.labels(str(step.detail["status"])).inc)
    if messages:
        columns = ("id", "state", "wamid", "reason", "error_code")
        again = [row["state"] == "queued" for row in messages.values()]
        await tx.execute(
            _MOVE, *([row[name] for row in messages.values()] for name in columns), again, rt.now()
        )
        reached = [row for row in messages.values() if row["state"] in ("delivered", "read")]
        await trouble.reached(tx, reached)
        if any(again):
            tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
    if steps:
        await note(tx, steps)


def _detail(row: Record, status: StatusUpdate) -> dict[str, Any]:
    detail: dict[str, Any] = {"status": status.status}
    if not row["erased"]:
        detail["wamid"] = status.wamid  # it holds the person's number (cloud-api 2.2)
    if status.pricing:
        detail["pricing"] = status.pricing
    if status.errors:
        detail["code"] = status.errors[0].code
    return detail
