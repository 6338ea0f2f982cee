"""``POST /{phone-number-id}/messages``: sends, read receipts, the typing indicator (cloud-api.md 2)."""

from functools import partial
from typing import Any

from aiohttp import web

from sayso.simulator.call import WAMID, Call, Route, answer, check_product, success
from sayso.simulator.errors import GraphError
from sayso.simulator.faults.faults import orders
from sayso.simulator.fields import choice_at, flag_at, object_at, text_at
from sayso.simulator.live import Live
from sayso.simulator.rules import standing
from sayso.simulator.sending import Sending
from sayso.simulator.views import person_on_phone, status_on_phone
from sayso.simulator.world.accounts import MESSAGING
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World

THROUGHPUT = 130429
#: Of the Marketing Messages API; Meta's words, the sheet names only the parameter (2.6).
PRODUCT_POLICIES = ("CLOUD_API_FALLBACK", "STRICT")
TYPING_S = 25  # 2.7: the indicator disappears on the reply or after about 25 s


class Sends:
    """The messages edge of a business number."""

    def __init__(self, world: World, sending: Sending, live: Live) -> None:
        self._world = world
        self._sending = sending
        self._live = live

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("POST", "number", "messages", "messages", MESSAGING, self._messages),
            Route("POST", "number", "marketing_messages", "messages", MESSAGING, self._marketing_messages),
        ]

    async def _messages(self, call: Call) -> web.Response:
        body = await call.json()
        if body.get("status") is not None:
            return self._mark_read(body, call.node)
        return self._send(call, body, lite=False)

    async def _marketing_messages(self, call: Call) -> web.Response:
        """Take a marketing template by the Marketing Messages API, which takes nothing else (2.6)."""
        body = await call.json()
        if str(body.get("type")).lower() != "template":
            raise GraphError(131055, "The Marketing Messages API takes messages of type template only.")
        if body.get("product_policy") is not None:
            choice_at(body, "product_policy", "product_policy", PRODUCT_POLICIES)
        flag_at(body, "message_activity_sharing", "message_activity_sharing")
        return self._send(call, body, lite=True)

    def _send(self, call: Call, body: dict[str, Any], *, lite: bool) -> web.Response:
        number = self._world.accounts.numbers[call.node]
        try:
            message, person = self._sending.accept(number, body, lite=lite, **orders(call.request))
        except GraphError as refusal:
            if refusal.code == THROUGHPUT and self._world.config.retry_after:
                call.headers["Retry-After"] = "1"
            raise
        call.request[WAMID] = message.wamid
        return _accepted(message, person, self._world.user_id(person, number))

    def _mark_read(self, body: dict[str, Any], phone_number_id: str) -> web.Response:
        """Mark an inbound message and all before it as read, and show the typing indicator if asked (2.7)."""
        check_product(body)
        if str(body["status"]).lower() != "read":
            raise GraphError(100, 'A read receipt is {"messaging_product":"whatsapp","status":"read",...}.')
        if not self._world.accounts.numbers[phone_number_id].registered:
            raise GraphError(*standing.NOT_REGISTERED)
        wamid = text_at(body, "message_id", "message_id", limit=1024)
        message = self._world.messages.get(wamid)
        if message is None or message.outbound or message.phone_number_id != phone_number_id:
            raise GraphError(131009, f"Param message_id: no inbound message {wamid} of this phone number.")
        self._show_typing(message, body)
        unread = self._world.unread_with(message.wa_id, outbound=False, phone_number_id=phone_number_id)
        for earlier in unread if message.status != "read" else ():  # read already, so are the earlier ones
            earlier.status = "read"
            self._world.read(earlier)
            self._live.publish("status", partial(status_on_phone, earlier))
            if earlier is message:
                break
        return success()

    def _show_typing(self, message: Message, body: dict[str, Any]) -> None:
        if body.get("typing_indicator") is None:
            return
        indicator = object_at(body, "typing_indicator", "typing_indicator", ("type",))
        if str(indicator.get("type")).lower() != "text":
            raise GraphError(100, "Param typing_indicator['type'] must be text.")
        person = self._world.person(message.wa_id)
        thread = self._world.thread(message.phone_number_id, message.wa_id)
        thread.typing_until = self._world.clock.now() + TYPING_S
        self._live.publish("person", lambda: person_on_phone(person, self._world))


def _accepted(message: Message, person: Person, user_id: str) -> web.Response:
    """Answer a send (2.2): ``wa_id`` is omitted when it went to a BSUID; templates carry message_status."""
    if message.by_user_id:
        contact = {"input": str(message.body["recipient"]), "user_id": user_id}
    else:
        contact = {"input": str(message.body["to"]), "wa_id": person.wa_id}
    sent = {"id": message.wamid}
    if message.content.template is not None:
        sent["message_status"] = "held_for_quality_assessment" if message.status == "held" else "accepted"
    return answer({"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]})
