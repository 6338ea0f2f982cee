"""Taking a message from the business: checked as a whole, let through by the rules, sent on its way."""

from dataclasses import dataclass, replace
from typing import Any

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import text_at
from sayso.simulator.journey import Journey
from sayso.simulator.live import Live
from sayso.simulator.outgoing.message import check_envelope, quote_of, read_content
from sayso.simulator.rules import marketing, pair, reach, standing, throughput, window
from sayso.simulator.rules.refusal import Refusal
from sayso.simulator.views import person_on_phone
from sayso.simulator.world.accounts import BusinessNumber, Waba
from sayso.simulator.world.content import Content
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person, Thread
from sayso.simulator.world.world import World


@dataclass(slots=True)
class _Attempt:
    """A message that wants to go: everything the rules look at."""

    number: BusinessNumber
    waba: Waba
    person: Person
    thread: Thread
    content: Content
    quote: str | None
    now: float
    outside: bool  # of the 24-hour window

    @property
    def counts_as_marketing(self) -> bool:
        """Whether the cap per person concerns it: not inside an open window (7.4)."""
        return self.content.category == "marketing" and self.outside


class Sending:
    """The one way by which a business's message comes into the world."""

    def __init__(self, world: World, journey: Journey, live: Live) -> None:
        self._world = world
        self._journey = journey
        self._live = live

    @property
    def _config(self) -> SimulatorConfig:
        return self._world.config

    def accept(
        self,
        number: BusinessNumber,
        body: dict[str, Any],
        *,
        lite: bool = False,
        refusal: tuple[int, str] | None = None,
        refused_after: str | None = None,
        course: str | None = None,
    ) -> tuple[Message, Person]:
        """Check a message, accept it and send it on its way; raise GraphError when it may not go.

        ``lite``: it came by the Marketing Messages API, and is priced so (2.6, 4.9). The others are a fault's wishes:
        ``refusal`` (code and words) fails it by webhook, after `sent` was told when ``refused_after`` says so;
        ``course`` is that of its statuses.
        """
        check_envelope(body)
        quote = quote_of(body)
        _obey(standing.of_number(number))
        person = self._recipient(number, body)
        _obey(standing.towards(number, person.wa_id))
        attempt = self._attempt(number, person, read_content(body, self._world, number, person), quote)
        self._check_at_once(attempt, lite=lite)
        refused = refusal or self._refused_later(attempt)
        self._admit(attempt)
        message = self._message(attempt, body, course or self._config.course, lite=lite)
        self._spend(attempt, refused=refused is not None)
        held = refused is None and self._paced(attempt.content)
        self._journey.begin(message, refused, refused_after=refused_after, held=held)
        self._end_typing(attempt)
        return message, person

    def _attempt(
        self, number: BusinessNumber, person: Person, content: Content, quote: str | None
    ) -> _Attempt:
        world, now = self._world, self._world.clock.now()
        thread = world.threads.get((number.phone_number_id, person.wa_id)) or Thread()
        waba = world.accounts.wabas[number.waba_id]
        outside = not window.is_open(thread, now)
        return _Attempt(number, waba, person, thread, content, quote, now, outside)

    def _admit(self, attempt: _Attempt) -> None:
        """Let a person and a conversation nobody knew yet come into being: what is refused leaves no trace."""
        world, person = self._world, attempt.person
        world.threads.setdefault((attempt.number.phone_number_id, person.wa_id), attempt.thread)
        if person.wa_id not in world.people:
            world.admit(person)
            self._live.publish("person", lambda: person_on_phone(person, world))

    def _paced(self, content: Content) -> bool:
        """Tell whether a template's messages are held for now (3.5)."""
        template = self._world.templates.get(content.template_id or "")
        return template is not None and template.pacing

    def _message(self, attempt: _Attempt, body: dict[str, Any], course: str, *, lite: bool) -> Message:
        content, person = attempt.content, attempt.person
        return Message(
            wamid=self._world.mint.wamid(person.wa_id, outbound=True),
            outbound=True,
            phone_number_id=attempt.number.phone_number_id,
            wa_id=person.wa_id,
            at=attempt.now,
            body=body,
            content=replace(content, category="marketing_lite") if lite else content,
            quote=attempt.quote,
            callback_data=body.get("biz_opaque_callback_data"),
            by_user_id=body.get("to") is None,
            course=course,
            holds_place=attempt.outside,
        )

    # --- the rules, in the order in which Meta would notice -----------------------------------------------

    def _check_at_once(self, attempt: _Attempt, *, lite: bool) -> None:
        """Raise what is answered on the spot: restrictions, then the rates, which only what may go uses up."""
        number, now = attempt.number, attempt.now
        _obey(self._restricted(attempt, late=False))
        _obey(marketing.wrong_way(attempt.waba, attempt.content.category, lite=lite))
        if self._config.enforce_rates:
            _obey(throughput.over(self._world.quotas, number, now))
            _obey(pair.over(attempt.thread.burst, now))

    def _refused_later(self, attempt: _Attempt) -> tuple[int, str] | None:
        """Tell why an accepted message will fail, or None: the account, the person, the window, the limits.

        With ``refuse_at_once`` it is raised instead, as Meta has been seen to do for the same causes (5.1, 9).
        """
        refused = self._restricted(attempt, late=True) or attempt.content.late or self._undelivered(attempt)
        if refused is not None and self._config.refuse_at_once:
            raise GraphError(*refused)
        return refused

    def _undelivered(self, attempt: _Attempt) -> Refusal | None:
        return (
            standing.of_person(attempt.number, attempt.person)
            or window.closed_to(attempt.content, attempt.thread, attempt.now)
            or self._unwanted_marketing(attempt)
            or self._beyond_reach(attempt)
        )

    def _restricted(self, attempt: _Attempt, *, late: bool) -> Refusal | None:
        if attempt.number.restriction is None and attempt.waba.restriction is None:
            return None
        number, waba, now = attempt.number, attempt.waba, attempt.now
        return standing.restricted(
            number, waba, attempt.person.wa_id, now, outside=attempt.outside, late=late
        )

    def _unwanted_marketing(self, attempt: _Attempt) -> Refusal | None:
        if attempt.content.category != "marketing":
            return None
        unwanted = marketing.unwanted(attempt.number, attempt.person)
        if unwanted is not None or not attempt.outside:
            return unwanted
        over = marketing.over(attempt.person, self._config.marketing_cap, attempt.now)
        if over is not None:
            marketing.refused(attempt.person.marketing, attempt.now)
        return over

    def _beyond_reach(self, attempt: _Attempt) -> Refusal | None:
        if not attempt.outside:
            return None
        portfolio = self._world.accounts.portfolio_of(attempt.number)
        reached = reach.of(self._world.quotas, portfolio.id)
        return reach.over(reached, portfolio.tier, attempt.person.wa_id, attempt.now)

    def _spend(self, attempt: _Attempt, *, refused: bool) -> None:
        """Note what an accepted message uses up; one that will fail reaches nobody, but it was sent to us."""
        throughput.spend(self._world.quotas, attempt.number, attempt.now)
        pair.spend(attempt.thread.burst, attempt.now)
        if attempt.counts_as_marketing and not refused:
            marketing.spend(attempt.person.marketing, self._config.marketing_cap, attempt.now)

    def _end_typing(self, attempt: _Attempt) -> None:
        """Let the reply end the typing indicator (2.7)."""
        if attempt.thread.typing_until > attempt.now:
            attempt.thread.typing_until = 0.0
            self._live.publish("person", lambda: person_on_phone(attempt.person, self._world))

    def _recipient(self, number: BusinessNumber, body: dict[str, Any]) -> Person:
        """Find whom it goes to, who may be nobody here yet.

        ``to`` (a phone) wins over ``recipient`` (a BSUID of our portfolio), 2.1.
        """
        if body.get("to") is not None or body.get("recipient") is None:
            to = body.get("to")
            raw = str(to) if isinstance(to, int) else text_at(body, "to", "to", limit=128)
            wa_id = self._world.addressed(raw, number)
            if wa_id == number.digits:
                raise GraphError(131021, "The recipient is the business phone number itself.")
            return self._world.people.get(wa_id) or self._world.stranger(wa_id)
        user_id = text_at(body, "recipient", "recipient", limit=160)
        found = self._world.person_by_user_id(user_id, number)
        if found is None:
            raise GraphError(131026, f"No user of this portfolio has the business-scoped user ID {user_id}.")
        return found


def _obey(refusal: Refusal | None) -> None:
    """Raise what a rule says, if it says anything."""
    if refusal is not None:
        raise GraphError(*refusal)
