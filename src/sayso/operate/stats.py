"""Figures for whoever operates the service: what became of a period's messages, and how things stand now."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from sayso.consent import figures as consent
from sayso.core import faults
from sayso.core.api import Rt, Text, json_response
from sayso.core.auth import MayOperate
from sayso.core.database import Tx
from sayso.core.described import refusals
from sayso.core.moments import Moment
from sayso.core.runtime import Runtime
from sayso.events.delivery_figures import OfEndpoint, by_endpoint
from sayso.messages import price, tally
from sayso.messages.rules import LANES
from sayso.messages.tally import COUNTED_AT_MOST, Group
from sayso.senders import service as senders
from sayso.templates import service as templates
from sayso.whatsapp.failures import GraphError, classify

router = APIRouter(tags=["operate"])

#: Figures of an hour are read when its messages have had this long to arrive and be read.
SETTLED_AFTER: Final = timedelta(hours=24)
LONGEST: Final = timedelta(days=31)
DEFAULT: Final = timedelta(hours=24)
PERCENTILES: Final = (0.5, 0.95, 0.99)


class Counts(BaseModel):
    """What became of some messages. Rates are None where nothing was there to divide by.

    `acceptance_rate`: accepted by Meta of those posted. `delivery_rate`: delivered of those accepted. `read_rate`: read
    of those delivered, a lower bound, since people may switch receipts off.
    """

    messages: int
    posted: int
    accepted: int
    delivered: int
    read: int
    failed: int
    suppressed: int
    expired: int
    cancelled: int
    unknown: int
    waiting: int
    acceptance_rate: float | None
    delivery_rate: float | None
    read_rate: float | None


class Hour(Counts):
    """The messages queued in one hour. `settled`: they have had a day to arrive and be read."""

    hour: datetime
    settled: bool


class OfSender(Counts):
    """The messages of one sender."""

    sender: str


class Code(BaseModel):
    """Messages that failed with one of Meta's codes."""

    code: int | None
    title: str
    count: int


class Reason(BaseModel):
    """Messages that were suppressed for one reason."""

    reason: str
    count: int


class Charged(BaseModel):
    """Messages of one of Meta's pricing categories: expected, told by statuses, and of these charged."""

    category: str
    estimated: int
    actual: int
    billable: int


class Lane(BaseModel):
    """What is ready to go: 0 answers, 1 questions, 2 everything else."""

    sender: str
    lane: int
    ready: int
    oldest_s: float


class Held(BaseModel):
    """What waits for something: its key and a sentence."""

    by: str
    held: str | None
    count: int
    until: datetime


class Unknown(BaseModel):
    """Messages of which it is not known now whether they reached anybody."""

    count: int
    oldest_at: datetime | None


class Consent(BaseModel):
    """Entries of the consent ledger. `opt_out_rate`: opt-outs of those delivered."""

    opted_in: int
    opted_out: int
    net: int
    opt_out_rate: float | None
    by_action: dict[str, int]


class OfTemplate(BaseModel):
    """A template as it stands at Meta."""

    name: str
    language: str
    status: str
    category: str | None
    quality: str | None


class Spread(BaseModel):
    """Half of them took at most `p50`, and so on; None where there is none."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class Deliveries(BaseModel):
    """The deliveries of the period's events to one endpoint, with its state as it is now.

    `retrying`: those `pending` that were tried and failed so far. `delivery_rate`: delivered of those that have ended.
    `call_ms`: what its calls took that succeeded. `delivered_after_s`: from the event to its reception.
    """

    endpoint: str
    client: str
    state: str
    delivered: int
    failed: int
    pending: int
    retrying: int
    delivery_rate: float | None
    call_ms: Spread
    delivered_after_s: Spread


class StatsOut(BaseModel):
    """A period's figures. `truncated`: there were more messages than are counted, the newest of them were."""

    since: datetime
    until: datetime
    truncated: bool
    total: Counts
    hours: list[Hour]
    senders: list[OfSender]
    failures: list[Code]
    suppressed: list[Reason]
    prices: list[Charged]
    free_service_messages_a_month: int
    consent: Consent
    unknown: Unknown
    queue: list[Lane]
    held: list[Held]
    templates: list[OfTemplate]
    endpoints: list[Deliveries]


@router.get("/stats", response_model=StatsOut, responses=refusals())
async def stats(
    rt: Rt,
    _actor: MayOperate,
    since: Annotated[Moment | None, Query(description="A day before `until`, if left out.")] = None,
    until: Annotated[Moment | None, Query(description="Now, if left out; 31 days at most.")] = None,
    sender: Annotated[Text | None, Query(max_length=40, description="One phone number id.")] = None,
) -> Response:
    """What became of the messages queued in a period, by the hour; what waits, what holds; templates and endpoints."""
    until = until or rt.now()
    since = since or until - DEFAULT
    if not timedelta(0) < until - since <= LONGEST:
        raise faults.wrong("/since", f"is before until, by {LONGEST.days} days at most")
    async with rt.db.one() as tx:
        found = await tally.groups(tx, since, until, sender)
        figures = {
            "since": since,
            "until": until,
            **summary(found, rt.now()),
            "consent": _consent(await consent.tally(tx, since, until), total(found).delivered),
            **await _now(tx, rt),
            "endpoints": [_deliveries(each) for each in await by_endpoint(tx, since, until, PERCENTILES)],
        }
    return json_response(StatsOut.model_validate(figures).model_dump())


def summary(found: Sequence[Group], now: datetime) -> dict[str, Any]:
    """A period's figures from its groups."""
    failed = [group for group in found if group.state == "failed"]
    stopped = [group for group in found if group.state == "suppressed"]
    return {
        "truncated": sum(group.many for group in found) >= COUNTED_AT_MOST,
        "total": total(found),
        "hours": [
            Hour(
                hour=hour,
                settled=hour + timedelta(hours=1) + SETTLED_AFTER <= now,
                **total(of_it).model_dump(),
            )
            for hour, of_it in _by(found, lambda group: group.hour)
        ],
        "senders": [
            OfSender(sender=sender, **total(of_it).model_dump())
            for sender, of_it in _by(found, lambda group: group.sender)
        ],
        "failures": [
            Code(code=code, title=_title(code), count=_many(of_it))
            for code, of_it in _largest(failed, lambda group: group.error_code)
        ],
        "suppressed": [
            Reason(reason=why or "", count=_many(of_it))
            for why, of_it in _largest(stopped, lambda group: group.why)
        ],
        "prices": _prices(found),
        "free_service_messages_a_month": price.FREE_A_MONTH,
    }


def total(found: Iterable[Group]) -> Counts:
    """The counts and rates of some groups."""
    states: Counter[str] = Counter()
    posted = accepted = 0
    for group in found:
        states[group.state] += group.many
        posted += group.many if group.attempted else 0
        accepted += group.many if group.accepted else 0
    delivered = states["delivered"] + states["read"]
    return Counts(
        messages=states.total(),
        posted=posted,
        accepted=accepted,
        delivered=delivered,
        read=states["read"],
        failed=states["failed"],
        suppressed=states["suppressed"],
        expired=states["expired"],
        cancelled=states["cancelled"],
        unknown=states["unknown"],
        waiting=states["queued"] + states["sending"],
        acceptance_rate=_rate(accepted, posted),
        delivery_rate=_rate(delivered, accepted),
        read_rate=_rate(states["read"], delivered),
    )


def _prices(found: Sequence[Group]) -> list[Charged]:
    estimated: Counter[str] = Counter()
    actual: Counter[str] = Counter()
    billable: Counter[str] = Counter()
    for group in found:
        if group.estimate and group.attempted:
            estimated[group.estimate] += group.many
        if group.charged:
            actual[group.charged] += group.many
            billable[group.charged] += group.many if group.billable else 0
    return [
        Charged(
            category=category,
            estimated=estimated[category],
            actual=actual[category],
            billable=billable[category],
        )
        for category in sorted({*estimated, *actual})
    ]


def _consent(by_action: dict[str, int], delivered: int) -> Consent:
    counted = Counter(by_action)
    joined = sum(counted[action] for action in consent.JOINED)
    left = sum(counted[action] for action in consent.LEFT)
    return Consent(
        opted_in=joined,
        opted_out=left,
        net=joined - left,
        opt_out_rate=_rate(left, delivered),
        by_action=by_action,
    )


def _deliveries(found: OfEndpoint) -> Deliveries:
    return Deliveries(
        endpoint=found.endpoint,
        client=found.client,
        state=found.state,
        delivered=found.delivered,
        failed=found.failed,
        pending=found.pending,
        retrying=found.retrying,
        delivery_rate=_rate(found.delivered, found.delivered + found.failed),
        call_ms=_spread(found.call_ms),
        delivered_after_s=_spread(found.took_s),
    )


def _spread(found: list[float] | None) -> Spread:
    p50, p95, p99 = (round(each, 3) for each in found) if found else (None, None, None)
    return Spread(p50=p50, p95=p95, p99=p99)


async def _now(tx: Tx, rt: Runtime) -> dict[str, Any]:
    """How things stand at this moment."""
    now = rt.now()
    many, oldest_at = await tally.unknown(tx)
    queue = await tally.waiting(tx, senders.ids(rt.settings), max(LANES.values()))
    return {
        "unknown": Unknown(count=many, oldest_at=oldest_at),
        "queue": [
            Lane(
                sender=each.sender,
                lane=each.lane,
                ready=each.many,
                oldest_s=max(0.0, (now - each.oldest_at).total_seconds()),
            )
            for each in queue
        ],
        "held": [
            Held(by=each.by, held=each.held, count=each.many, until=each.until)
            for each in await tally.held(tx)
        ],
        "templates": [
            OfTemplate(
                name=each.name,
                language=each.language,
                status=each.status,
                category=each.category,
                quality=each.quality,
            )
            for each in await templates.all_of(tx, rt)
        ],
    }


def _by(found: Iterable[Group], key: Callable[[Group], Any]) -> list[tuple[Any, list[Group]]]:
    """Groups put together by something, in its order."""
    together: dict[Any, list[Group]] = {}
    for group in found:
        together.setdefault(key(group), []).append(group)
    return sorted(together.items(), key=lambda item: item[0])


def _largest(found: Iterable[Group], key: Callable[[Group], Any]) -> list[tuple[Any, list[Group]]]:
    """The same, the most messages first."""
    together: dict[Any, list[Group]] = {}
    for group in found:
        together.setdefault(key(group), []).append(group)
    return sorted(together.items(), key=lambda item: (-_many(item[1]), str(item[0])))


def _many(found: Iterable[Group]) -> int:
    return sum(group.many for group in found)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _title(code: int | None) -> str:
    return "No code of Meta's" if code is None else classify(GraphError(code, ""), None).title
