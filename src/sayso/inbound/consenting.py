"""What a person says about being messaged at all: read before anything else sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sayso.confirmations import approvers, payloads, render
from sayso.confirmations import rules as confirmation_rules
from sayso.confirmations import service as confirmations
from sayso.confirmations.answers import Inbound
from sayso.consent import questions, texts
from sayso.consent import service as consent
from sayso.consent.rules import ALL, Action
from sayso.consent.service import Said
from sayso.consent.words import Word, reading
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.inbound import leaving
from sayso.inbound.leaving import Chat
from sayso.messages import service as messages
from sayso.messages.rules import MAY_BE_SEEN
from sayso.messages.service import OURSELVES, Draft
from sayso.people import service as people
from sayso.whatsapp.content import Text
from sayso.whatsapp.updates import Identity, OtherUpdate


@dataclass(frozen=True, slots=True)
class Heard:
    """``result``: it was about consent, and is done. ``soft``: it calls off what is open, or leaves."""

    result: str | None = None
    soft: bool = False


NOTHING = Heard()


async def hear(tx: Tx, rt: Runtime, inbound: Inbound) -> Heard:
    """Read a message for consent, and act on it.

    A label of a button counts as a word when it stops; nobody is opted in or called off by a stranger's button.
    """
    message = inbound.message
    tap = questions.parse_payload(message.payload)
    if tap is not None:
        return Heard(await _tapped(tx, rt, inbound, *tap))
    if payloads.is_ours(message.payload):
        return NOTHING
    word = reading(message.text)
    if message.payload is not None:
        word = next((w for w in (word, reading(message.payload)) if w and w.meaning in _STOPS), None)
    elif word is not None:  # a button's label is in a language of ours
        await people.note_language(tx, inbound.person, word.languages, inbound.sent_at)
    if word is not None:
        return await _act(tx, rt, inbound, word)
    answered = await _typed(tx, rt, inbound)
    return Heard(answered) if answered else NOTHING


_STOPS = frozenset({"stop", "promotions"})


async def _act(tx: Tx, rt: Runtime, inbound: Inbound, word: Word) -> Heard:
    match word.meaning:
        case "stop":
            return Heard(await leave(tx, rt, inbound, word=word))
        case "promotions":
            return Heard(await leave(tx, rt, inbound, word=word, scope=("marketing",)))
        case "start":
            return Heard(await _come_back(tx, rt, inbound, word))
        case "help":
            chat = _chat(inbound, word)
            await leaving.answer(tx, rt, inbound.person, chat, leaving.help_text(rt, chat.language))
            return Heard("help: said who writes here and how to stop")
        case "soft":
            return Heard(soft=True)


async def leave(
    tx: Tx,
    rt: Runtime,
    inbound: Inbound,
    *,
    word: Word | None = None,
    scope: tuple[str, ...] = (ALL,),
    aside: str = "",
) -> str:
    """Opt out by a word; what came of it. ``aside``: what was confirmed just before, and is not undone by it."""
    chat = _chat(inbound, word or reading(inbound.message.text))
    said = _said(inbound, chat, action="withdrawn", scope=scope)
    still = render.not_undone(aside, chat.language) if aside else ""
    left = await leaving.leave(tx, rt, said, chat, aside=still)
    if left.stale:
        return "opt-out: older than the opt-in that holds"
    if not left.news:
        return "opt-out: was out already"
    return f"opt-out: entry {left.entry.id}, {left.ended} open questions ended, {left.suppressed} messages taken back"


async def _come_back(tx: Tx, rt: Runtime, inbound: Inbound, word: Word) -> str:
    chat = _chat(inbound, word)
    back = await leaving.come_back(tx, rt, _said(inbound, chat, action="granted"), chat)
    if back.entry is None:
        await leaving.answer(tx, rt, inbound.person, chat, leaving.help_text(rt, chat.language))
        return "opt-in: everything was stopped otherwise than in the chat, and stays so"
    if back.stale:
        return "opt-in: older than the opt-out that holds"
    return f"opt-in: entry {back.entry.id}" if back.news else "opt-in: was in already"


async def clarify(tx: Tx, rt: Runtime, inbound: Inbound) -> None:
    """One line to somebody whose word called off a question: had they meant to leave, this is how."""
    chat = _chat(inbound, reading(inbound.message.text))
    await messages.send(
        tx,
        rt,
        Draft(
            client_id=OURSELVES,
            person=inbound.person,
            phone_number_id=inbound.message.phone_number_id,
            purpose="notice",
            content=Text(
                texts.text("clarify", chat.language, business=rt.settings.sayso_business_name),
            ),
            needs_window=True,
            expires_at=rt.now() + confirmations.NOTICE_LIVES,
        ),
    )


def _chat(inbound: Inbound, word: Word | None) -> Chat:
    """The person's language as they said or as it was set, else that of the word they used, else their number's."""
    person = inbound.person
    spoken = texts.language(person.language_known, word.language if word else None, person.language)
    return Chat(phone_number_id=inbound.message.phone_number_id, language=spoken, wamid=inbound.message.wamid)


def _said(inbound: Inbound, chat: Chat, **changes: Any) -> Said:
    """An entry to be, with the words and the message as evidence."""
    given: dict[str, Any] = {"method": "keyword", "captured_at": inbound.sent_at, **changes}
    personal = {
        "wording": inbound.message.text or "",
        "locale": chat.language,
        "evidence": [inbound.message.wamid],
        "sender": inbound.message.phone_number_id,
        "lawful_basis": "consent",
        "time_zone": inbound.person.time_zone,
    }
    return Said(person=inbound.person, personal=personal | given.pop("personal", {}), **given)


async def _tapped(tx: Tx, rt: Runtime, inbound: Inbound, question_id: str, verdict: questions.Verdict) -> str:
    rows = [row for row in await questions.unanswered(tx, inbound.person) if row["id"] == question_id]
    if not rows:
        return "opt-in: answered a question that is nobody's, or had its answer"
    return await _answered(tx, rt, inbound, rows, verdict, method="button")


async def _typed(tx: Tx, rt: Runtime, inbound: Inbound) -> str | None:
    """A yes or no in words: only in reply to a question of ours to opt in, or when it can mean nothing else."""
    said = confirmation_rules.word(inbound.message.text)
    if said is None or said == "cancel" or inbound.message.forwarded:
        return None
    rows = await questions.unanswered(tx, inbound.person)
    rows = [row for row in rows if row["phone_number_id"] == inbound.message.phone_number_id]
    if not rows:
        return None
    meant = await _meant(tx, inbound, rows)
    return await _answered(tx, rt, inbound, meant, "yes" if said == "confirm" else "no") if meant else None


async def _meant(tx: Tx, inbound: Inbound, rows: Sequence[Record]) -> list[Record]:
    """Those that a word answers: the one quoted; else all that had been shown, while no confirmation is open."""
    quoted_wamid = inbound.message.quoted_wamid
    if quoted_wamid is not None:
        quoted = await messages.by_wamid(tx, quoted_wamid)
        return [row for row in rows if quoted is not None and row["message_id"] == quoted["id"]]
    if await approvers.any_open(tx, inbound.person):
        return []
    shown = await tx.fetch(
        "SELECT id FROM messages WHERE id = ANY($1) AND state = ANY($2) AND date_trunc('second', posted_at) <= $3",
        [row["message_id"] for row in rows],
        list(MAY_BE_SEEN - {"sending"}),
        inbound.sent_at,
    )
    seen = {row["id"] for row in shown}
    return [row for row in rows if row["message_id"] in seen and inbound.sent_at < row["expires_at"]]


async def _answered(
    tx: Tx,
    rt: Runtime,
    inbound: Inbound,
    rows: Sequence[Record],
    verdict: questions.Verdict,
    *,
    method: str = "keyword",
) -> str:
    if all(row["expires_at"] <= inbound.sent_at for row in rows):
        return "opt-in: the question had ended; nothing changed"
    chat = _chat(inbound, None)
    results = [await _settle(tx, rt, inbound, row, chat, yes=verdict == "yes", method=method) for row in rows]
    return "; ".join(results)


async def _settle(
    tx: Tx, rt: Runtime, inbound: Inbound, row: Record, chat: Chat, *, yes: bool, method: str
) -> str:
    asked = await messages.get(tx, row["message_id"])
    shown = row["shown"] or {}
    wamids = [wamid for wamid in (asked and asked["wamid"], inbound.message.wamid) if wamid]
    said = _said(
        inbound,
        chat,
        action="confirmed" if yes else "denied",
        method=method,
        scope=tuple(row["scope"]),
        client_id=row["client_id"],
        personal={**shown, "evidence": [*shown.get("evidence", []), *wamids], "answer": inbound.message.text},
    )
    if yes:
        back = await leaving.opt_in(tx, rt, said, chat)
        await questions.settle(tx, rt, [row["id"]], back.entry.id if back.entry else None)
        return f"opt-in: confirmed, entry {back.entry.id}" if back.entry else "opt-in: nothing changed"
    (entry,) = await consent.append(tx, rt, [said])
    await questions.settle(tx, rt, [row["id"]], entry.id)
    denied = texts.text("denied", chat.language, business=rt.settings.sayso_business_name)
    await leaving.answer(tx, rt, inbound.person, chat, Text(denied))
    return f"opt-in: declined, entry {entry.id}"


async def preference(tx: Tx, rt: Runtime, update: OtherUpdate) -> str:
    """The person stopped or resumed our marketing inside WhatsApp (cloud-api 4.11); it concerns marketing alone."""
    value = update.value if isinstance(update.value, dict) else {}
    wish, category = _text(value, "value"), _text(value, "category")
    if wish not in ("stop", "resume") or category != "marketing_messages":
        return f"kept: a preference {category} {wish}"
    identity = Identity(bsuid=_text(value, "user_id"), wa_id=_text(value, "wa_id"))
    if identity.bsuid is None and identity.wa_id is None:
        return "kept: a preference, and not told whose"
    person = await people.meet(tx, rt, identity, learned_from="meta:user_preferences")
    action: Action = "suppressed_by_meta" if wish == "stop" else "lifted_by_meta"
    at, evidence = _when(rt, value.get("timestamp")), _text(value, "detail") or wish
    entry, news = await consent.by_meta(
        tx, rt, person, action, method="meta_preference", evidence=evidence, at=at
    )
    if not news or entry.action != action:
        return f"preference: {wish} of marketing, which changed nothing"
    said = Said(person=person, action=action, method="meta_preference", captured_at=at, scope=("marketing",))
    if wish == "stop":
        reason = f"the person stopped marketing in WhatsApp (consent entry {entry.id})"
        await messages.suppress_all(tx, rt, person, entry.id, scope=("marketing",), reason=reason)
    kind = "person.opted_out" if wish == "stop" else "person.opted_in"
    await leaving.tell(tx, rt, said, entry, kind=kind, wamid=None)
    return f"preference: {wish} of marketing, entry {entry.id}"


NEWS = {"user_preferences": preference}


def _text(value: dict[str, Any], name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) and found else None


def _when(rt: Runtime, timestamp: object) -> datetime:
    """Meta's time, an integer here and text elsewhere; ours when it is neither or lies in the future."""
    now = rt.now()
    try:
        told = datetime.fromtimestamp(int(str(timestamp)), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return min(told, now)
