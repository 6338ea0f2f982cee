"""What the end of a POST, or a ``failed`` status that comes later, means for the message. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sayso.messages.rules import person_key, retry_in
from sayso.people.service import Person
from sayso.templates.rules import hold_key
from sayso.whatsapp.client import Accepted, Lost, NotSent, Refused, Sent
from sayso.whatsapp.failures import Failure, GraphError

#: A message whose answer was lost is reported when no status has settled it by then (messaging-facts C9).
REPORT_UNKNOWN_AFTER = timedelta(minutes=15)
#: How long after its intent a POST may still be under way, though its worker is believed dead and it is ``unknown``:
#: its slot, the 4 seconds after it in which it may begin, the 10 seconds it may last; and some more.
UNDER_WAY = timedelta(seconds=16)
#: How often Meta may refuse one message with an error that is about that message alone (cloud-api 5.3).
MOST_REFUSALS = 5
#: What waits for its sender goes on as soon as that one does: the claim passes over senders that are held.
_SENDER_LOOK = 1


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with its intent committed, ready for the wire.

    ``refusals``: how often Meta has refused it before with an error of its own. ``template`` is the name and language
    of what is posted, when that is one. ``fallback``: it goes in free form and has a template for outside the window
    that was not used yet. ``marketing``: it is, by our category or by Meta's. ``reaches``: it counts towards the
    messaging limit, as templates outside the window do.
    """

    message_id: str
    attempt: int
    phone_number_id: str
    body: bytes
    known_as: Person
    post_before: float
    refusals: int = 0
    template: tuple[str, str] | None = None
    fallback: bool = False
    marketing: bool = False
    reaches: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error of Meta's, with what it may hold besides the message that met it."""

    at: datetime
    person_id: str
    phone_number_id: str
    template: tuple[str, str] | None
    posted_at: datetime
    error: GraphError
    failure: Failure
    evidence: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attempt. ``again_at``: when to look again (``queued``: to post; ``unknown``: to report).

    ``refused``: Meta's refusal counts against this message. ``held`` and ``held_by`` say what it waits for, to people
    and to machines. ``falls_back``: the next attempt takes the template.
    """

    message_id: str
    attempt: int
    at: datetime
    state: Literal["accepted", "queued", "failed", "unknown"]
    reason: str | None = None
    wamid: str | None = None
    error_code: int | None = None
    again_at: datetime | None = None
    learned: tuple[tuple[str, str, str], ...] = ()
    refused: bool = False
    held: str | None = None
    held_by: str | None = None
    falls_back: bool = False
    trouble: Trouble | None = None
    reaches: bool = False


def explain(error: GraphError) -> str:
    """An error of Meta's in one line without a full stop: its code, its title, and its details if they say more."""
    title, details = (_bare(error.code, said) for said in (error.title, error.details))
    if title.lower() in details.lower():
        title, details = details, ""
    return f"Meta {error.code} {title}{': ' if details else ''}{details}".rstrip()


def held_for(failure: Failure) -> str:
    """What messages to a person wait for after such an error."""
    return f"Meta {failure.code}: {failure.title.lower()}"


def _bare(code: int, said: str) -> str:
    """A sentence of Meta's without the code before it, which some have, and without its end."""
    return said.strip().removeprefix(f"(#{code})").strip().rstrip(".")


def result_of(sent: Sent, outgoing: Outgoing, now: datetime, chance: float) -> Result:
    """What a POST's end means for the message. Only what is proved not accepted may be tried again."""
    result = Result(outgoing.message_id, outgoing.attempt, now, state="unknown", reaches=outgoing.reaches)
    match sent:
        case Accepted():
            return _accepted(result, sent, outgoing)
        case Refused(error=error, failure=failure):
            trouble = Trouble(
                now,
                outgoing.known_as.id,
                outgoing.phone_number_id,
                outgoing.template,
                now,
                error,
                failure,
                f"{outgoing.message_id}:{outgoing.attempt}",
            )
            refused = replace(result, reason=explain(error), error_code=error.code, trouble=trouble)
            return _refused(refused, outgoing, failure, now, chance)
        case NotSent(reason=reason):
            again_at = now + retry_in(outgoing.attempt, chance)
            return replace(result, state="queued", reason=reason, again_at=again_at)
        case Lost(reason=reason):
            return replace(result, reason=reason, again_at=now + REPORT_UNKNOWN_AFTER)


def _accepted(result: Result, sent: Accepted, outgoing: Outgoing) -> Result:
    known_as = outgoing.known_as
    facts = [("wa_id", sent.wa_id, known_as.wa_id), ("bsuid", sent.bsuid, known_as.bsuid)]
    return replace(
        result,
        state="accepted",
        wamid=sent.wamid,
        reason="held by Meta for quality assessment" if sent.held else None,
        learned=tuple((known_as.id, kind, said) for kind, said, known in facts if said and said != known),
    )


def _refused(result: Result, outgoing: Outgoing, failure: Failure, now: datetime, chance: float) -> Result:
    """The row of ``errors.toml`` for the refusal, applied to the message that met it."""
    if failure.accepted == "maybe":
        return replace(result, again_at=now + REPORT_UNKNOWN_AFTER)
    if failure.then == "fall_back" and outgoing.fallback:
        reason = f"{result.reason}; it goes once more, as its template"
        return replace(result, state="queued", reason=reason, again_at=now, falls_back=True)
    if not failure.retry:
        return replace(result, state="failed")
    if failure.holds in ("sender", "everything"):
        return replace(result, state="queued", again_at=now + retry_in(_SENDER_LOOK, chance))
    if failure.holds == "person":
        again_at = now + timedelta(seconds=failure.hold_s)
        held_by = person_key(outgoing.known_as.id)
        return replace(result, state="queued", again_at=again_at, held=held_for(failure), held_by=held_by)
    return _counted(result, outgoing, failure, now, chance)


def _counted(result: Result, outgoing: Outgoing, failure: Failure, now: datetime, chance: float) -> Result:
    """A refusal of this very message, or of its template: it gives up after a few."""
    refusals = outgoing.refusals + 1
    if refusals >= MOST_REFUSALS:
        return replace(
            result, state="failed", reason=f"gave up after {refusals} attempts: {result.reason}", refused=True
        )
    wait = max(retry_in(refusals, chance), timedelta(seconds=failure.hold_s))
    again = replace(result, state="queued", again_at=now + wait, refused=True)
    if failure.holds == "template" and outgoing.template is not None:
        name, language = outgoing.template
        held = f"template {name} ({language}): {result.reason}"
        return replace(again, held=held, held_by=hold_key(name, language))
    return again
