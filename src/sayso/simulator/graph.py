"""The Graph API's routes: any version or none, bearer token, sends, read receipts, template list (1, 2, 3.1).

Section numbers are those of the project's wire-contract sheet, ``cloud-api.md``.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from sayso.simulator import versions
from sayso.simulator.config import SimulatorConfig
from sayso.simulator.errors import GraphError
from sayso.simulator.faults import Delay, DropAfter, DropBefore, FailLate, Fault, Faults, RefuseWithError
from sayso.simulator.fields import object_at, text_at
from sayso.simulator.journey import Journey
from sayso.simulator.live import Live
from sayso.simulator.policy import late_refusal
from sayso.simulator.state import BusinessNumber, Message, Person, World, dialled
from sayso.simulator.templates import Template
from sayso.simulator.validate import check_envelope, quote_of, read_content
from sayso.simulator.views import person_on_phone, status_on_phone

TYPING_S = 25  # 2.7: the indicator disappears on the reply or after about 25 s
PAGE_OF_TEMPLATES = 25

Handler = Callable[[web.Request, str], Awaitable[web.Response]]


class Graph:
    """Answers as graph.facebook.com does."""

    def __init__(
        self, config: SimulatorConfig, world: World, journey: Journey, faults: Faults, live: Live
    ) -> None:
        self._config = config
        self._world = world
        self._journey = journey
        self._faults = faults
        self._live = live
        self._routes: dict[tuple[str, str], Handler] = {
            ("POST", "messages"): self._messages,
            ("GET", "message_templates"): self._message_templates,
        }

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one Graph call, refusals in Graph's envelope, with the version it was served by (1.1)."""
        parts = [part for part in request.path.split("/") if part]
        asked = parts.pop(0) if parts and versions.is_version(parts[0]) else None
        try:
            self._authorize(request)
            answer = await self._route(request, parts)
        except GraphError as refusal:
            body = refusal.envelope(self._world.mint.trace())
            answer = web.Response(body=body, status=refusal.http_status, content_type="application/json")
        answer.headers["facebook-api-version"] = versions.served(asked, self._world.clock.now())
        return answer

    def _authorize(self, request: web.Request) -> None:
        """Check the bearer token (1.3); as a query parameter it works too, on all of Graph."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            token = request.query.get("access_token", "")
        if not token:
            raise GraphError(104, "An access token is required to request this resource.")
        if token.strip() != self._config.token:
            raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")

    async def _route(self, request: web.Request, parts: list[str]) -> web.Response:
        handler = self._routes.get((request.method, parts[1])) if len(parts) == 2 else None  # noqa: PLR2004
        if handler is None:
            raise GraphError(
                100, f"Unsupported {request.method.lower()} request: /{'/'.join(parts)} is not simulated."
            )
        return await handler(request, parts[0])

    async def _messages(self, request: web.Request, node: str) -> web.Response:
        number = self._world.numbers.get(node)
        if number is None:
            raise GraphError(33, f"There is no business phone number with the id {node}.")  # 5.3
        body = await _json_object(request)
        if body.get("status") is not None:
            return self._mark_read(body)
        fault = self._faults.take(body) if self._faults.armed else None
        if fault is not None:
            return await self._send_faulty(request, number, body, fault)
        message, person = self._accept(number, body)
        return _accepted(message, person)

    def _accept(
        self, number: BusinessNumber, body: dict[str, Any], refusal: tuple[int, str] | None = None
    ) -> tuple[Message, Person]:
        """Check a message as a whole, accept it and send it on its way; ``refusal`` makes it fail later."""
        check_envelope(body)
        person = self._recipient(number, body)
        content = read_content(body, self._world)
        world, now = self._world, self._world.clock.now()
        message = Message(
            wamid=world.mint.wamid(person.wa_id, outbound=True),
            outbound=True,
            phone_number_id=number.phone_number_id,
            wa_id=person.wa_id,
            at=now,
            body=body,
            content=content,
            quote=quote_of(body),
            callback_data=body.get("biz_opaque_callback_data"),
            by_user_id=body.get("to") is None,
        )
        thread = world.thread(number.phone_number_id, person.wa_id)
        self._journey.begin(message, refusal or late_refusal(message, thread, now))
        if thread.typing_until > now:  # 2.7: the reply ends the typing indicator
            thread.typing_until = 0.0
            self._live.publish("person", lambda: person_on_phone(person, world))
        return message, person

    def _recipient(self, number: BusinessNumber, body: dict[str, Any]) -> Person:
        """Find whom it goes to: ``to`` (a phone) wins over ``recipient`` (a BSUID of our portfolio), 2.1."""
        if body.get("to") is not None or body.get("recipient") is None:
            to = body.get("to")
            raw = str(to) if isinstance(to, int) else text_at(body, "to", "to", limit=128)
            wa_id = dialled(raw, number.digits)
            if wa_id == number.digits:
                raise GraphError(131021, "The recipient is the business phone number itself.")
            known = wa_id in self._world.people
            person = self._world.person(wa_id)
            if not known:
                self._live.publish("person", lambda: person_on_phone(person, self._world))
            return person
        user_id = text_at(body, "recipient", "recipient", limit=160)
        found = self._world.person_by_user_id(user_id)
        if found is None:
            raise GraphError(131026, f"No user of this portfolio has the business-scoped user ID {user_id}.")
        return found

    async def _send_faulty(
        self, request: web.Request, number: BusinessNumber, body: dict[str, Any], fault: Fault
    ) -> web.Response:
        if isinstance(fault, RefuseWithError):
            raise GraphError(fault.code, fault.details, http_status=fault.http_status)
        if isinstance(fault, DropBefore):
            return _cut(request)
        if isinstance(fault, Delay) and not fault.after_accept:
            await asyncio.sleep(fault.delay_s)
        refusal = (fault.code, fault.details) if isinstance(fault, FailLate) else None
        message, person = self._accept(number, body, refusal)
        if isinstance(fault, DropAfter):
            return _cut(request)
        if isinstance(fault, Delay) and fault.after_accept:
            await asyncio.sleep(fault.delay_s)
        return _accepted(message, person)

    def _mark_read(self, body: dict[str, Any]) -> web.Response:
        """Mark an inbound message and all before it as read, and show the typing indicator if asked (2.7)."""
        if body.get("messaging_product") != "whatsapp" or body["status"] != "read":
            raise GraphError(100, 'A read receipt is {"messaging_product":"whatsapp","status":"read",...}.')
        wamid = text_at(body, "message_id", "message_id", limit=1024)
        message = self._world.messages.get(wamid)
        if message is None or message.outbound:
            raise GraphError(131009, f"Param message_id: no inbound message {wamid}.")
        self._show_typing(message, body)
        for earlier in self._world.unread_with(message.wa_id, outbound=False):
            earlier.status = "read"
            self._world.read(earlier)
            self._live.publish("status", lambda each=earlier: status_on_phone(each))  # type: ignore[misc]
            if earlier is message:
                break
        return web.Response(body=b'{"success":true}', content_type="application/json")

    def _show_typing(self, message: Message, body: dict[str, Any]) -> None:
        if body.get("typing_indicator") is None:
            return
        indicator = object_at(body, "typing_indicator", "typing_indicator", ("type",))
        if indicator.get("type") != "text":
            raise GraphError(100, "Param typing_indicator['type'] must be text.")
        person = self._world.person(message.wa_id)
        thread = self._world.thread(message.phone_number_id, message.wa_id)
        thread.typing_until = self._world.clock.now() + TYPING_S
        self._live.publish("person", lambda: person_on_phone(person, self._world))

    async def _message_templates(self, request: web.Request, node: str) -> web.Response:
        """List templates, filtered and paged by cursor (3.1)."""
        if node != self._config.waba_id:
            raise GraphError(33, f"There is no WhatsApp business account with the id {node}.")
        query = request.query
        found = [each for each in self._world.templates.values() if _matches(each, query)]
        limit, start = _paging(query)
        page = [_only(each.listed(), query.get("fields")) for each in found[start : start + limit]]
        answer: dict[str, Any] = {"data": page}
        if page:
            end = start + len(page)
            answer["paging"] = {"cursors": {"before": str(start), "after": str(end)}}
            if end < len(found):
                following = request.url.update_query(after=str(end), limit=str(limit))
                answer["paging"]["next"] = str(following.without_query_params("access_token"))
        return web.Response(body=json.dumps(answer).encode(), content_type="application/json")


def _matches(template: Template, query: Any) -> bool:
    name = query.get("name", "")
    exact = (("status", template.status), ("language", template.language), ("category", template.category))
    return name in template.name and all(query.get(key, value) == value for key, value in exact)


def _paging(query: Any) -> tuple[int, int]:
    """Return limit and start; the cursors are the places in the list."""
    limit, after = query.get("limit", str(PAGE_OF_TEMPLATES)), query.get("after", "0")
    if not (limit.isdecimal() and after.isdecimal() and int(limit) > 0):
        raise GraphError(100, "Params limit and after must be a positive number and a cursor of an answer.")
    return int(limit), int(after)


def _only(listed: dict[str, Any], fields: str | None) -> dict[str, Any]:
    """Keep the fields asked for; the id is always there."""
    if not fields:
        return listed
    wanted = {*fields.split(","), "id"}
    return {key: value for key, value in listed.items() if key in wanted}


async def _json_object(request: web.Request) -> dict[str, Any]:
    """Read the body: a JSON object sent as ``application/json`` (1.3)."""
    if request.content_type != "application/json":
        raise GraphError(100, f"Content-Type must be application/json; it is {request.content_type}.")
    try:
        body = msgspec.json.decode(await request.read())
    except msgspec.DecodeError as problem:
        raise GraphError(100, f"The body is not valid JSON: {problem}.") from problem
    if not isinstance(body, dict):
        raise GraphError(100, "The body must be a JSON object.")
    return body


def _accepted(message: Message, person: Person) -> web.Response:
    """Answer a send (2.2): ``wa_id`` is omitted when it went to a BSUID; templates carry message_status."""
    if message.by_user_id:
        contact = {"input": person.user_id, "user_id": person.user_id}
    else:
        contact = {"input": str(message.body["to"]), "wa_id": person.wa_id}
    sent = {"id": message.wamid}
    if message.content.template is not None:
        sent["message_status"] = "accepted"
    answer = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def _cut(request: web.Request) -> web.Response:
    """Cut the connection; the response returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
