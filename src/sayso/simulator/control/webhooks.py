"""Webhooks over the control API: list them, retry, send again, tell anything on demand."""

import random
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.about import of_webhook
from sayso.simulator.control.curl import curl_of_webhook
from sayso.simulator.control.reading import ControlRoute, Empty, known_query, one_of, read
from sayso.simulator.control.rows import ROWS, id_in, rows_in
from sayso.simulator.strict import Strict, converted
from sayso.simulator.webhooks.delivery import KINDS, STATES, LoggedKind, State
from sayso.simulator.webhooks.log import Wanted
from sayso.simulator.world.accounts import FIELDS, QUIET_FIELDS, BusinessNumber, Waba

_TOLD = tuple(sorted(FIELDS | QUIET_FIELDS))
_FILTERS = ("state", "kind", "app_id", "field", "message_id")
Copies = Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class Redelivery(Strict):
    """How many copies go out in parallel."""

    copies: Copies = 1


class Replay(Redelivery):
    """Which webhooks go out again, one after the other, and in which order; what is left out is any."""

    state: State | None = None
    kind: LoggedKind | None = None
    app_id: str | None = None
    field: str | None = None
    message_id: str | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    order: Literal["log", "reversed", "shuffled"] = "log"
    seed: int | None = None


class Telling(Strict):
    """A webhook of any field; ``value`` as the field has it. The first number or WABA when none is named."""

    field: str
    value: dict[str, Any]
    waba_id: str | None = None
    phone_number_id: str | None = None


class _Contact(msgspec.Struct):
    """What is read of a contact; it may say anything else as well, and so may all that follow."""

    wa_id: str | msgspec.UnsetType = msgspec.UNSET
    user_id: str | msgspec.UnsetType = msgspec.UNSET


class _Message(msgspec.Struct):
    id: str | msgspec.UnsetType = msgspec.UNSET
    type: str | msgspec.UnsetType = msgspec.UNSET


class _Status(msgspec.Struct):
    id: str | msgspec.UnsetType = msgspec.UNSET
    status: str | msgspec.UnsetType = msgspec.UNSET


class _Value(msgspec.Struct):
    contacts: list[_Contact] | msgspec.UnsetType = msgspec.UNSET
    messages: list[_Message] | msgspec.UnsetType = msgspec.UNSET
    statuses: list[_Status] | msgspec.UnsetType = msgspec.UNSET


class _OfMessages(msgspec.Struct):
    """What the field `messages` must have to be told to anybody (4.4)."""

    value: _Value


class WebhookCalls:
    """What the business was told."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [
            ControlRoute("GET", "/_sim/webhooks", self._webhooks),
            ControlRoute("POST", "/_sim/webhooks", self._tell),
            ControlRoute("POST", "/_sim/webhooks/retry", self._retry),
            ControlRoute("POST", "/_sim/webhooks/redeliver", self._replay),
            ControlRoute("GET", "/_sim/webhooks/{id}", self._webhook),
            ControlRoute("POST", "/_sim/webhooks/{id}/redeliver", self._redeliver),
        ]

    async def _webhooks(self, request: web.Request) -> dict[str, Any]:
        """List webhooks, oldest first: ?state=&kind=&app_id=&field=&message_id=&after=&limit=&bodies=&wait_s=."""
        query = known_query(request, *_FILTERS, "bodies", *ROWS)
        rows = rows_in(query)
        bodies = one_of(query, "bodies", ("true", "false")) != "false"
        wanted = self._wanted(query, rows.after)
        deliverer = self._sim.parts.deliverer
        found = await self._sim.live.until(lambda: list(deliverer.log.walk(wanted)) or None, rows.wait_s)
        return {
            "webhooks": [
                {**deliverer.described(each, body=bodies), "about": of_webhook(each, self._sim.world)}
                for each in rows.of(found or [])
            ]
        }

    async def _webhook(self, request: web.Request) -> dict[str, Any]:
        """Tell everything about one webhook: its headers, and how to post it again with curl."""
        known_query(request)
        deliverer = self._sim.parts.deliverer
        found = deliverer.log.find(id_in(request, "a webhook"))
        told = deliverer.described(found)
        return {
            **told,
            "about": of_webhook(found, self._sim.world),
            "headers": found.headers,
            "curl": curl_of_webhook(told["url"], found.headers, found.body),
        }

    async def _tell(self, request: web.Request) -> dict[str, Any]:
        """Tell any webhook on demand: {"field","value","waba_id"?,"phone_number_id"?} to whoever is subscribed."""
        telling = await read(request, Telling)
        one_of({"field": telling.field}, "field", _TOLD)
        if telling.field == "messages":
            converted({"value": telling.value}, _OfMessages)
        number, waba = self._place(telling)
        log = self._sim.parts.deliverer.log
        before = max((each.id for each in log), default=0)
        if telling.field == "messages":
            self._sim.parts.outbox.messages("account", number, telling.value)
        else:
            about = number if telling.phone_number_id else None
            self._sim.parts.outbox.change(telling.field, waba, telling.value, about)
        return {"webhooks": [each.id for each in log.walk(Wanted(after=before))]}

    async def _retry(self, request: web.Request) -> dict[str, Any]:
        """Make every retry that is waiting for its time now."""
        await read(request, Empty)
        return {"retried": self._sim.retry_webhooks()}

    async def _redeliver(self, request: web.Request) -> dict[str, Any]:
        """Post the same bytes again, {"copies": 20} in parallel."""
        number = id_in(request, "a webhook")
        copies = (await read(request, Redelivery)).copies
        return {"id": number, "status_codes": await self._sim.redeliver(number, copies=copies)}

    async def _replay(self, request: web.Request) -> dict[str, Any]:
        """Post all webhooks like this again, {"state","kind","field",…,"order":"log|reversed|shuffled","copies"}."""
        replay = await read(request, Replay)
        given = {name: getattr(replay, name) for name in _FILTERS}
        wanted = self._wanted({name: each for name, each in given.items() if each is not None}, replay.after)
        deliverer = self._sim.parts.deliverer
        found = list(deliverer.log.walk(wanted))
        if replay.order == "reversed":
            found.reverse()
        elif replay.order == "shuffled":
            seed = self._sim.config.seed if replay.seed is None else replay.seed
            random.Random(seed).shuffle(found)  # noqa: S311  # a dice for tests, not a secret
        done = [
            {"id": each.id, "status_codes": await deliverer.redeliver(each, replay.copies)} for each in found
        ]
        return {"redelivered": done}

    def _wanted(self, given: dict[str, str], after: int) -> Wanted:
        """Compose the filter; a word, an app or a field that there is not is named."""
        return Wanted(
            state=one_of(given, "state", STATES),
            kind=one_of(given, "kind", KINDS),
            app_id=one_of(given, "app_id", tuple(self._sim.world.accounts.apps)),
            field=one_of(given, "field", _TOLD),
            message_id=given.get("message_id"),
            after=after,
        )

    def _place(self, telling: Telling) -> tuple[BusinessNumber, Waba]:
        world = self._sim.world
        first = next(iter(world.accounts.numbers_of(telling.waba_id or "")), world.number)
        number = world.accounts.numbers.get(telling.phone_number_id or first.phone_number_id)
        waba = world.accounts.wabas.get(telling.waba_id or (number.waba_id if number else ""))
        if number is None:
            raise LookupError(f"there is no number {telling.phone_number_id}")
        if waba is None:
            raise LookupError(f"there is no WABA {telling.waba_id}")
        return number, waba
