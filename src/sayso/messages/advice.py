"""What happens to a message next by itself, and what an operator can do about it, in sentences."""

from datetime import datetime
from typing import Final

from sayso.consent import service as consent
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import conversations, dead, prospects
from sayso.messages.rules import INSIDE_ALONE, ONLY_TEMPLATE, window_open
from sayso.people.service import Person
from sayso.senders.service import Sender
from sayso.whatsapp.failures import GraphError, classify


def moment(at: datetime) -> str:
    """A time, for people."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def sentence(said: str) -> str:
    """Without its full stop, to be gone on with."""
    return said.rstrip(". ")


async def what_next(tx: Tx, rt: Runtime, row: Record, person: Person, sender: Sender | None) -> str:
    """What happens to a message by itself, and what an operator can do."""
    match row["state"]:
        case "queued":
            return _queued(row, sender, rt.now())
        case "unknown":
            return _unknown(row)
        case "suppressed":
            return await _suppressed(tx, rt, row, person)
        case "failed" | "expired":
            return await _dead(tx, rt, row)
        case "cancelled":
            return " ".join(filter(None, (_UNSEEN, _AFTER_ALL.get(row["purpose"]))))
        case state:
            return _OTHERWISE[state]


_OTHERWISE: Final = {
    "sending": "It is being posted this moment.",
    "accepted": "Meta has it; its statuses will come.",
    "sent": "It has left Meta; the phone may be off. `delivered` will come, or nothing, if Meta drops it at its end.",
    "delivered": "Nothing: it has reached the person.",
    "read": "Nothing: the person has read it.",
}
_UNSEEN: Final = "It ended before it went out: the person has not seen it."
_AFTER_ALL: Final = {
    "send": "To say it after all, send it as a new message.",
    "prompt": "To ask it after all, ask it anew.",
}


def _unknown(row: Record) -> str:
    if row["work"] is not None:
        then = "it is posted once more" if row["if_unknown"] == "retry_once" else "it is reported"
        return (
            f"A status of Meta's may say what became of it; if none does, {then} at {moment(row['work_at'])}."
        )
    return (
        "A status of Meta's may still say what became of it. If you know: "
        f"sayso messages settle {row['id']} --as delivered, or --as failed. "
        "With --as retry it is sent again, and the person may get it twice."
    )


def _queued(row: Record, sender: Sender | None, now: datetime) -> str:
    ends = (
        f"If it has not gone by {moment(row['expires_at'])}, it ends as `expired`. "
        f"`sayso messages cancel {row['id']}` takes it back."
    )
    held = sender.held(now) if sender else None
    if held:
        return f"It waits until its sender may send again ({sentence(held)}). {ends}"
    if row["work"] != "waiting":
        return f"It is next in its lane as soon as its sender has a slot. {ends}"
    return f"{_waits(row, now)} {ends}"


def _waits(row: Record, now: datetime) -> str:
    """What a message waits for, and when it is its turn or looked at again at the latest."""
    at = moment(row["work_at"])
    kind = (row["held_by"] or "").partition(":")[0]
    if kind in ("tier", "pair", "person") and row["work_at"] >= row["expires_at"]:
        return "What holds it is not expected to end while it lives."
    if kind in _WAITS:
        return _WAITS[kind].format(at=at, template=f"{row['template_name']} ({row['template_language']})")
    if row["send_at"] is not None and row["send_at"] > now:
        return f"It is scheduled for {moment(row['send_at'])}."
    if row["attempt"]:
        return f"It is tried again at {at}."
    return "It waits until nothing else to this person is under way."


_WAITS: Final = {
    "template": "It goes as soon as Meta lets the template {template} be sent; whether it does is looked at again at "
    "{at} at the latest.",
    "tier": "It goes as soon as the messaging limit has room for one person more, which is expected at {at}.",
    "pair": "Its turn is at {at}, or a little later if answers to this person go first.",
    "person": "Its turn is at {at}, or later if Meta still refuses what goes to this person then.",
}


def category_of(row: Record) -> str:
    """What consent is asked about for a message: marketing, where it was stopped as what Meta calls its template."""
    reason, category = row["reason"] or "", str(row["category"])
    return "marketing" if "marketing" in reason and category not in reason else category


async def _suppressed(tx: Tx, rt: Runtime, row: Record, person: Person) -> str:
    """What would have to change, by what stopped it; a suppressed message itself does not go any more."""
    anew = _ANEW.get(row["purpose"], "What it spoke of is over.")
    reason = row["reason"] or ""
    if ONLY_TEMPLATE in reason:
        return (
            "Outside the 24-hour window only a template may go out: give the message a `fallback`, send a template, or "
            f"wait until they write. {anew}"
        )
    if INSIDE_ALONE in reason:
        return f"It answered something that the person wrote more than 24 hours ago. {anew}"
    category = category_of(row)
    talk = (await conversations.read(tx, [person])).of(person, row["phone_number_id"])
    standing = await consent.verdict(tx, rt, person)
    permit = standing.permits(category, initiated=not window_open(talk.opened_at, rt.now()))
    if permit.allowed:
        return f"What stopped it does not any more. {anew}"
    stop = standing.stopped(category)
    if stop is not None:
        return f"{await consent.way_back(tx, rt, person, category, stop)} {anew}"
    own = standing.own.get(category)
    if own is not None and own.action == "denied":
        return (
            f"The person said no to {category} when they were asked: it takes a new opt-in of theirs. {anew}"
        )
    return f"Record the person's opt-in to {category} (POST /consents), or wait until they write. {anew}"


_ANEW: Final = {
    "send": "Then send it as a new message: this one stays suppressed.",
    "prompt": "Then ask the question anew: this one has ended.",
}


async def _dead(tx: Tx, rt: Runtime, row: Record) -> str:
    """What the error means, what to do about it, and whether the message can go again."""
    code = row["error_code"]
    failure = classify(GraphError(code, ""), None) if code is not None else None
    operator = failure.operator if failure and failure.operator != "Nothing." else ""
    said = [failure.meaning, operator] if failure else []
    if row["state"] == "expired":
        said.insert(0, _UNSEEN)
    why_not = dead.refusal(row) or (await prospects.obstacles(tx, rt, [row])).get(row["id"])
    if why_not:
        said.append(f"It cannot be sent again: {sentence(why_not)}.")
    else:
        said.append(f"To send it again: sayso messages retry {row['id']}")
    return " ".join(filter(None, said))
