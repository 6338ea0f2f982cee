"""Analytics of a WABA, counted over the messages that are still kept (cloud-api.md 8.6).

Messages are counted in the period they were sent in, by UTC. Money is not told: the simulator has no rate card.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, listed, required
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import whole_number
from sayso.simulator.graph.selection import Field, Reader
from sayso.simulator.world.accounts import MANAGEMENT, Waba
from sayso.simulator.world.ids import region
from sayso.simulator.world.messages import Message
from sayso.simulator.world.world import World

TEMPLATES_AT_MOST = 10
BACK_AT_MOST_S = 90 * 24 * 3600
_ARRIVED = ("delivered", "read", "played")
_READ = ("read", "played")
_HALF_HOUR_S = 1800
_METRICS = ("SENT", "DELIVERED", "READ", "CLICKED")
#: What pricing can be told apart by; the key each is told under, and how it is read from a message.
_DIMENSIONS: dict[str, tuple[str, Callable[[Message, dict[str, str]], str]]] = {
    "PRICING_CATEGORY": (
        "pricing_category",
        lambda message, _: str((message.pricing or {})["category"]).upper(),
    ),
    "PRICING_TYPE": ("pricing_type", lambda message, _: str((message.pricing or {})["type"]).upper()),
    "COUNTRY": ("country", lambda message, _: region(message.wa_id)),
    "PHONE": ("phone_number", lambda message, digits: digits[message.phone_number_id]),
}


class _Span(NamedTuple):
    """From when to when, unix seconds, and in which steps."""

    start: int
    end: int
    step: str

    def period_of(self, at: float) -> tuple[int, int]:
        """Tell the period a moment falls into."""
        moment = datetime.fromtimestamp(at, UTC)
        if self.step == "HALF_HOUR":
            begin = int(at) // _HALF_HOUR_S * _HALF_HOUR_S
            return begin, begin + _HALF_HOUR_S
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.step.startswith("MONTH"):
            first = day.replace(day=1)
            return int(first.timestamp()), int((first + timedelta(days=32)).replace(day=1).timestamp())
        return int(day.timestamp()), int((day + timedelta(days=1)).timestamp())


class Analytics:
    """Counts what a WABA sent."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """List what is answered here."""
        edge = "template_analytics"
        return [Route("GET", "waba", edge, edge, MANAGEMENT, self._templates)]

    def readers(self, waba: Waba) -> dict[str, Reader]:
        """List the fields of a WABA that count messages."""
        return {
            "analytics": lambda field: self._traffic(waba, field),
            "pricing_analytics": lambda field: self._pricing(waba, field),
            "conversation_analytics": _no_conversations,
        }

    def _traffic(self, waba: Waba, field: Field) -> dict[str, Any]:
        """Count sent and delivered messages, of all numbers or those in ``phone_numbers``."""
        span = _span(dict(field.given), ("HALF_HOUR", "DAY", "MONTH"))
        digits = self._digits(waba)
        asked = [
            str(each).lstrip("+") for each in listed(field.given.get("phone_numbers", "[]"), "phone_numbers")
        ]
        numbers = {key: each for key, each in digits.items() if not asked or each in asked}
        sent: Counter[tuple[int, int]] = Counter()
        delivered: Counter[tuple[int, int]] = Counter()
        for message, at in self._sent(numbers, span):
            period = span.period_of(at)
            sent[period] += 1
            delivered[period] += message.status in _ARRIVED
        points = [
            {"start": start, "end": end, "sent": sent[start, end], "delivered": delivered[start, end]}
            for start, end in sorted(sent)
        ]
        return {"phone_numbers": sorted(numbers.values()), "granularity": span.step, "data_points": points}

    def _pricing(self, waba: Waba, field: Field) -> dict[str, Any]:
        """Count delivered messages by what they were priced as (7.3)."""
        span = _span(dict(field.given), ("HALF_HOUR", "DAILY", "MONTHLY"))
        asked = [str(each) for each in listed(field.given.get("dimensions", "[]"), "dimensions")]
        for name in asked:
            if name not in _DIMENSIONS:
                raise GraphError(
                    100, f"Dimension {name} is not one of those simulated: {', '.join(_DIMENSIONS)}."
                )
        digits = self._digits(waba)
        volumes: Counter[tuple[int | str, ...]] = Counter()
        for message, at in self._sent(digits, span):
            if message.pricing is not None and message.status in _ARRIVED:
                told = [_DIMENSIONS[name][1](message, digits) for name in asked]
                volumes[(*span.period_of(at), *told)] += 1
        keys = ["start", "end", *(_DIMENSIONS[name][0] for name in asked)]
        points = [
            {**dict(zip(keys, values, strict=True)), "volume": volume}
            for values, volume in sorted(volumes.items())
        ]
        return {"data": [{"data_points": points}]}

    async def _templates(self, call: Call) -> web.Response:
        """Count what became of templates, day by day, and the taps on their buttons."""
        waba, query = self._world.accounts.wabas[call.node], call.query
        if not waba.insights:
            raise GraphError(200007, "Template insights are not enabled for this account.")
        span = _span(query, ("DAILY",))
        if span.start < self._world.clock.now() - BACK_AT_MOST_S:
            raise GraphError(100, "Param start must not be more than 90 days back.")
        wanted = [str(each) for each in listed(required(query, "template_ids"), "template_ids")]
        if not 1 <= len(wanted) <= TEMPLATES_AT_MOST:
            raise GraphError(100, f"Param template_ids must have 1 to {TEMPLATES_AT_MOST} entries.")
        metrics = [
            str(each) for each in listed(query.get("metric_types", ",".join(_METRICS)), "metric_types")
        ]
        for metric in metrics:
            if metric not in _METRICS:
                raise GraphError(
                    100, f"Metric {metric} is not one of those simulated: {', '.join(_METRICS)}."
                )
        points = self._template_points(waba, span, wanted)
        kept = {"template_id", "start", "end", *(metric.lower() for metric in metrics)}
        shown = [{key: value for key, value in point.items() if key in kept} for point in points]
        told = {"granularity": "DAILY", "product_type": "cloud_api", "data_points": shown}
        return answer({"data": [told]})

    def _template_points(self, waba: Waba, span: _Span, wanted: list[str]) -> list[dict[str, Any]]:
        points: dict[tuple[str, int], dict[str, Any]] = {}
        taps = self._taps()
        for message, at in self._sent(self._digits(waba), span):
            template = message.content.template_id
            if template is None or template not in wanted:
                continue
            start, end = span.period_of(at)
            point = points.setdefault(
                (template, start),
                {"template_id": template, "start": start, "end": end, "sent": 0, "delivered": 0, "read": 0}
                | {"clicked": Counter()},
            )
            point["sent"] += 1
            point["delivered"] += message.status in _ARRIVED
            point["read"] += message.status in _READ
            point["clicked"].update(taps.get(message.wamid, ()))
        return [{**points[key], "clicked": _clicked(points[key]["clicked"])} for key in sorted(points)]

    def _taps(self) -> dict[str, list[str]]:
        """List the words of the quick replies tapped, by the message they stood under."""
        taps: dict[str, list[str]] = {}
        for message in self._world.messages.values():
            if not message.outbound and message.quote is not None and message.type == "button":
                taps.setdefault(message.quote, []).append(message.content.body)
        return taps

    def _sent(self, numbers: dict[str, str], span: _Span) -> Iterator[tuple[Message, float]]:
        """Walk the messages of these numbers that were sent in a span, with the moment they were."""
        for message in self._world.outbound():
            at = message.sent_at
            if at is not None and message.phone_number_id in numbers and span.start <= at < span.end:
                yield message, at

    def _digits(self, waba: Waba) -> dict[str, str]:
        numbers = self._world.accounts.numbers_of(waba.id)
        return {number.phone_number_id: number.digits for number in numbers}


def _clicked(taps: "Counter[str]") -> list[dict[str, Any]]:
    return [
        {"type": "quick_reply_button", "button_content": words, "count": count}
        for words, count in sorted(taps.items())
    ]


def _span(given: dict[str, str], steps: tuple[str, ...]) -> _Span:
    start, end = whole_number(required(given, "start")), whole_number(required(given, "end"))
    if start is None or end is None or not 0 <= start < end:
        raise GraphError(100, "Params start and end must be unix seconds, start before end.")
    step = str(required(given, "granularity"))
    if step not in steps:
        raise GraphError(100, f"Param granularity must be one of {', '.join(steps)}; it is {step}.")
    return _Span(start, end, step)


def _no_conversations(_: Field) -> Any:
    raise GraphError(
        100, "conversation_analytics is not simulated: nothing is priced by conversation any more."
    )
