"""What becomes of the messages next in line: everything the decision rests on, read at once, then one after another.

A message that goes uses up what the next one may need: its sender's slot, its person's credit, its portfolio's room.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from sayso.consent import service as consent
from sayso.consent.rules import Permit
from sayso.consent.rules import Standing as Consent
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import attempts, conversations, pairs, trouble
from sayso.messages.claiming import Line
from sayso.messages.conversations import NEVER, Pair, Talks
from sayso.messages.price import estimate
from sayso.messages.rules import (
    LANES,
    Facts,
    Form,
    Go,
    Hold,
    Stop,
    Wait,
    decide,
    person_key,
    window_open,
)
from sayso.messages.service import TO_WHO_LEFT
from sayso.people.service import Person
from sayso.senders import reach
from sayso.senders.pace import Taken
from sayso.senders.reach import Headroom
from sayso.senders.rules import PAIR_EVERY, PAIR_SLACK, Burst
from sayso.templates import rules as template_rules
from sayso.templates import service as templates
from sayso.templates.rules import Gone, Held, Usable
from sayso.templates.rules import Standing as TemplateStanding
from sayso.whatsapp.content import Content, from_data, to_json

log = structlog.get_logger("sayso.deciding")

#: Messages of these lanes, and all after them, queue up one behind the other for what holds them; earlier lanes are
#: the first to look again.
_QUEUES_UP = LANES["send"]
#: How long messages wait for a template at most before they look again by themselves, and at least.
_TEMPLATE_LOOK = timedelta(minutes=15)
_TEMPLATE_LOOK_LEAST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Going:
    """A message that goes, in this form, to this person, in this slot; times by the database's clock.

    ``content`` as it is posted, ``body`` the same as Meta reads it. ``clock`` is when its sender's slots were read.
    ``reaches``: it counts towards the messaging limit. ``price``: what Meta will count it as.
    """

    row: Record
    form: Form
    person: Person
    content: Content
    body: bytes
    slot: datetime
    clock: datetime
    reaches: bool
    price: str


@dataclass(slots=True)
class Verdicts:
    """What was decided, of as many messages as there were slots for."""

    going: list[Going] = field(default_factory=list)
    stopped: list[tuple[Record, Stop]] = field(default_factory=list)
    waiting: list[tuple[Record, Wait]] = field(default_factory=list)


@dataclass(slots=True)
class Known:
    """What the decisions rest on, as it is after those made so far."""

    now: datetime
    chance: Callable[[], float]
    persons: dict[str, Person]
    consents: dict[str, Consent]
    talks: Talks
    holds: dict[Pair, trouble.Standing]
    templates: dict[tuple[str, str], TemplateStanding]
    busy: set[str]
    bursts: dict[Pair, Burst]
    rooms: dict[str, Headroom]
    tails: dict[str, datetime]
    paced: bool = True
    awaited: set[tuple[str, str]] = field(default_factory=set)
    endings: dict[str, list[datetime]] = field(default_factory=dict)
    spent: dict[Pair, Burst] = field(default_factory=dict)


async def read(tx: Tx, rt: Runtime, line: Line, taken: Sequence[Taken]) -> Known:
    """Read everything; the portfolios whose room may be used up are locked until the transaction ends."""
    rows = [row for rows in line.rows.values() for row in rows]
    persons = list({person.id: person for person in line.persons.values()}.values())
    now = rt.now()
    talks = await conversations.read(tx, persons)
    keys = sorted({key for row in rows if (key := template_of(row)) is not None})
    known = Known(
        now=now,
        chance=rt.rng.random,
        persons=line.persons,
        consents=await consent.verdicts(tx, rt, persons),
        talks=talks,
        holds=await trouble.holds_of(tx, persons, now),
        templates=dict(await templates.states(tx, rt, keys)) if keys else {},
        busy=await _in_flight(
            tx, now, [line.persons[r["person_id"]] for r in rows if r["purpose"] == "consent"]
        ),
        bursts=await pairs.read(tx, persons, list(line.rows)) if rt.settings.sayso_pair_rate else {},
        paced=rt.settings.sayso_pair_rate,
        rooms={},
        tails={},
    )
    await _read_rooms(tx, known, line, taken)
    known.tails = await pairs.tails(tx, _held_already(known, line))
    for room in known.rooms.values():
        await _read_endings(tx, known, room, len(rows))
    return known


def decide_all(known: Known, line: Line, taken: Sequence[Taken]) -> Verdicts:
    """Decide for one message after another as long as its sender has slots."""
    verdicts = Verdicts()
    for sender in taken:
        for row in line.rows.get(sender.id, ()):
            slot = sender.next()
            if slot is None:
                break
            verdict = _decide(known, row, sender, slot)
            going = _going(known, row, sender, verdict.form, slot) if isinstance(verdict, Go) else verdict
            if isinstance(going, Going):
                sender.go()
                _spend(known, going, sender)
                verdicts.going.append(going)
            elif isinstance(going, Stop):
                verdicts.stopped.append((row, going))
            else:
                if (going.held_by or "").startswith("template:"):
                    known.awaited.add(template_of(row) or ("", ""))
                until = min(going.until, row["expires_at"])
                verdicts.waiting.append((row, replace(going, until=until)))
    return verdicts


async def write(tx: Tx, rt: Runtime, known: Known) -> None:
    """Keep what the messages that go have used up of their people's credit and their portfolios' room.

    And tell which templates messages wait for.
    """
    if known.awaited:
        await templates.awaited(tx, rt, sorted(known.awaited))
    await pairs.write(tx, known.spent)
    await reach.write(tx, rt, list(known.rooms.values()), known.now)
    for room in known.rooms.values():
        if room.told and not room.turned_away and reach.hold_key(room.portfolio_id) not in known.tails:
            await reach.room_again(tx, rt, room.portfolio_id)


def template_of(row: Record) -> tuple[str, str] | None:
    """The template a message may go out as: its name and language."""
    return (row["template_name"], row["template_language"]) if row["template_name"] else None


def _decide(known: Known, row: Record, sender: Taken, slot: datetime) -> Go | Stop | Wait:
    person = known.persons[row["person_id"]]
    pair_hold = _pair_hold(known, row, (person.id, sender.id), slot - sender.clock)
    reach_hold = _reach_hold(known, sender.portfolio_id, person)
    verdict = verdict_on(known, row, sender.id, pair_hold=pair_hold, reach_hold=reach_hold)
    return _queued_up(known, row, sender, verdict)


def verdict_on(
    known: Known, row: Record, sender: str, *, pair_hold: Hold | None = None, reach_hold: Hold | None = None
) -> Go | Stop | Wait:
    """What becomes of a message that is held by nothing but what is given here and its template."""
    person = known.persons[row["person_id"]]
    talk = known.talks.of(person, sender)
    opened_at = talk.opened_at
    permit = _permit(known, row, person, in_window=window_open(opened_at, known.now))
    standing = known.templates.get(template_of(row) or ("", ""))
    verdict = decide(
        Facts(
            purpose=row["purpose"],
            now=known.now,
            expires_at=row["expires_at"],
            window_opened_at=opened_at,
            in_flight=person.id in known.busy,
            has_template=row["outside_window"] is not None,
            needs_window=row["needs_window"],
            reachable=bool(person.to or person.user_id),
            not_permitted=None if permit.allowed else permit.reason,
            not_permitted_by=permit.entry_id,
            to_who_left=(row["dedupe"] or "").startswith(TO_WHO_LEFT),
            is_template=row["type"] == "template",
            fell_back=row["fell_back"],
            heard_since=known.talks.heard_since.get(sender),
            window_refused_at=talk.refused_at,
            template_hold=_template_hold(known, row, standing),
            pair_hold=pair_hold,
            reach_hold=reach_hold,
        )
    )
    if isinstance(standing, Gone) and isinstance(verdict, Go) and verdict.form == "template":
        return Stop("failed", standing.reason)
    return verdict


def _permit(known: Known, row: Record, person: Person, *, in_window: bool) -> Permit:
    """What the person permits: of its category, and of marketing when it goes as a template that Meta calls that."""
    holds = known.consents[person.id]
    permit = holds.permits(row["category"], initiated=not in_window)
    if not permit.allowed or _filed(known, row, in_window=in_window) != "marketing":
        return permit
    return holds.permits("marketing", initiated=not in_window)


def _filed(known: Known, row: Record, *, in_window: bool) -> str | None:
    """What Meta calls the template that a message would go as now; None for free form, and where nobody knows."""
    fallback = row["outside_window"] is not None and (row["fell_back"] or not in_window)
    if not (fallback or row["type"] == "template"):
        return None
    standing = known.templates.get(template_of(row) or ("", ""))
    return standing.category.lower() if isinstance(standing, Usable) else row["price_estimate"]


def _template_hold(known: Known, row: Record, standing: TemplateStanding | None) -> Hold | None:
    if not isinstance(standing, Held):
        return None
    wait = _TEMPLATE_LOOK_LEAST + (_TEMPLATE_LOOK - _TEMPLATE_LOOK_LEAST) * known.chance()
    by = template_rules.hold_key(row["template_name"], row["template_language"])
    return Hold(known.now + wait, standing.reason, by)


def _pair_hold(known: Known, row: Record, pair: Pair, ahead: timedelta) -> Hold | None:
    """What Meta's errors hold of the person, or else a burst that is not paid back.

    After a 131056 there is no credit for a while: Meta counts more than we do, and one message at a time finds out.
    """
    held = known.holds.get(pair, trouble.Standing())
    if held.everything is not None:
        return held.everything
    if held.marketing is not None:
        in_window = window_open(known.talks.by_pair.get(pair, NEVER).opened_at, known.now)
        if "marketing" in (row["category"], row["price_estimate"], _filed(known, row, in_window=in_window)):
            return held.marketing
    burst, at = known.bursts.get(pair), known.now + ahead
    if burst is None:
        return None
    free_at = burst.paid_back() if held.throttled else burst.free_at(at)
    if free_at <= at:
        return None
    went = f"{burst.count} messages" if burst.count > 1 else "a message"
    why = f"{went} went to this person a moment ago, and WhatsApp allows one in 6 seconds"
    return Hold(free_at, why, pairs.hold_key(pair))


def _reach_hold(known: Known, portfolio_id: str, person: Person) -> Hold | None:
    room = known.rooms.get(portfolio_id)
    if room is None or room.has_room_for(person.id):
        return None
    endings = known.endings.get(portfolio_id) or [known.now]
    return Hold(endings[0], room.why, reach.hold_key(portfolio_id))


def _queued_up(known: Known, row: Record, sender: Taken, verdict: Go | Stop | Wait) -> Go | Stop | Wait:
    """Give a message that waits for its person, or for room, its turn: those held together do not wake together."""
    if not isinstance(verdict, Wait) or verdict.held_by is None:
        return verdict
    key = verdict.held_by
    if key == reach.hold_key(sender.portfolio_id):
        known.rooms[sender.portfolio_id].turned_away += 1
        endings = known.endings[sender.portfolio_id]
        until = endings.pop(0) if len(endings) > 1 else endings[0]
    elif key.startswith(("pair:", "person:")) and row["lane"] >= _QUEUES_UP:
        until = _in_line(known, row, verdict.until, known.tails.get(key, known.now))
    else:
        return verdict
    known.tails[key] = max(until, known.tails.get(key, until))
    return replace(verdict, until=until)


def _in_line(known: Known, row: Record, until: datetime, tail: datetime) -> datetime:
    """When a message's turn comes among those to its person; one whose turn has come keeps it for a moment more."""
    apart = PAIR_EVERY + PAIR_SLACK
    waited = (row["held_by"] or "").startswith(("pair:", "person:"))
    return until if waited and until <= known.now + apart else max(until, tail + apart)


def _going(known: Known, row: Record, sender: Taken, form: Form, slot: datetime) -> Going | Stop:
    person = known.persons[row["person_id"]]
    built = _built(row, person, form)
    if isinstance(built, Stop):
        return built
    talk = known.talks.of(person, sender.id)
    in_window = window_open(talk.opened_at, known.now)
    standing = known.templates.get(template_of(row) or ("", ""))
    category = standing.category if isinstance(standing, Usable) else ""
    price = estimate(
        at=known.now,
        template_category=category if form == "template" else None,
        in_window=in_window,
        free_entry=talk.free(known.now),
    )
    reaches = form == "template" and not in_window
    return Going(row, form, person, *built, slot, sender.clock, reaches=reaches, price=price.category)


def _built(row: Record, person: Person, form: Form) -> tuple[Content, bytes] | Stop:
    """What is posted. A row that cannot be read ends here, by itself: it must not take its claim with it."""
    if row["type"] == "erased":
        return Stop("failed", "what it said has been erased")
    fallback = row["outside_window"]
    try:
        content = from_data(fallback if form == "template" and fallback else row["content"])
        body = to_json(
            content,
            to=person.to,
            recipient=None if person.to else person.user_id,
            callback=attempts.callback(row["id"], row["attempt"] + 1),
            context_wamid=row["quotes"],
        )
    except Exception as error:
        log.exception("message.unreadable", id=row["id"])
        return Stop("failed", f"what is to be posted cannot be put together ({type(error).__name__})")
    return content, body


def _spend(known: Known, going: Going, sender: Taken) -> None:
    """Take what a message uses up: its person's credit, its portfolio's room."""
    pair = (going.person.id, sender.id)
    at = known.now + (going.slot - sender.clock)
    burst = known.bursts.get(pair)
    if known.paced:
        known.bursts[pair] = known.spent[pair] = burst.with_one_more(at) if burst else Burst(at, 1)
    room = known.rooms.get(sender.portfolio_id)
    if room and going.reaches:
        room.reach(going.person.id, going.row["person_id"], going.row["id"])


async def _read_rooms(tx: Tx, known: Known, line: Line, taken: Sequence[Taken]) -> None:
    """Lock and read the portfolios of messages that would go as a template outside the window."""
    wanted: dict[str, set[str]] = {}
    for sender in taken:
        for row in line.rows.get(sender.id, ()):
            person = known.persons[row["person_id"]]
            opened_at = known.talks.of(person, sender.id).opened_at
            if template_of(row) and not window_open(opened_at, known.now):
                wanted.setdefault(sender.portfolio_id, set()).update(person.ids)
    owners = {record: person.id for person in known.persons.values() for record in person.ids}
    known.rooms = await reach.read(tx, wanted, owners, known.now)


def _held_already(known: Known, line: Line) -> set[str]:
    """The keys of holds that messages of this claim may have to queue up behind."""
    keys = {reach.hold_key(room.portfolio_id) for room in known.rooms.values() if room.told or room.is_full}
    for sender, rows in line.rows.items():
        for row in rows:
            pair = (known.persons[row["person_id"]].id, sender)
            if pair in known.bursts and known.bursts[pair].paid_back() > known.now:
                keys.add(pairs.hold_key(pair))
            if pair in known.holds:
                keys.add(person_key(pair[0]))
    return keys


async def _read_endings(tx: Tx, known: Known, room: Headroom, count: int) -> None:
    """When room comes free for the messages of this claim that find none: after all that wait already."""
    if room.limit is not None and room.used + count > room.limit:
        after = known.tails.get(reach.hold_key(room.portfolio_id), known.now)
        known.endings[room.portfolio_id] = await reach.endings(
            tx, room.portfolio_id, after=max(after, known.now), now=known.now, count=count
        )


async def _in_flight(tx: Tx, now: datetime, persons: Sequence[Person]) -> set[str]:
    """To whom of these something is under way, or may be by a worker that only seems to be dead."""
    if not persons:
        return set()
    rows = await tx.fetch(
        "SELECT person_id FROM messages WHERE state = 'sending' AND person_id = ANY($1) UNION "
        "SELECT person_id FROM messages WHERE state = 'unknown' AND coalesce(work, '') <> '' AND person_id = ANY($1) "
        "AND posting_until > $2",
        list({record_id for person in persons for record_id in person.fence}),
        now,
    )
    busy = {row["person_id"] for row in rows}
    return {person.id for person in persons if not busy.isdisjoint(person.fence)}
