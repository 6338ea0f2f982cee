"""Taking a message from the business: checked as a whole, let through by the rules, sent on its way."""

from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import text_at
from sayso.simulator.journey import Journey
from sayso.simulator.outgoing.read import check_envelope, quote_of, read_content
from sayso.simulator.page.live import Live
from sayso.simulator.page.views import person_on_phone
from sayso.simulator.rules.window import late_refusal
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World, dialled


class Sending:
    """The one way by which a business's message comes into the world."""

    def __init__(self, world: World, journey: Journey, live: Live) -> None:
        self._world = world
        self._journey = journey
        self._live = live

    def accept(
        self, number: BusinessNumber, body: dict[str, Any], refusal: tuple[int, str] | None = None
    ) -> tuple[Message, Person]:
        """Check a message, accept it and send it on its way; ``refusal`` makes it fail later."""
        check_envelope(body)
        person = self._recipient(number, body)
        content = read_content(body, self._world, number)
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
