"""What the business sent, in Python: looked up, or waited for without polling."""

from collections import Counter
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from sayso.simulator import views
from sayso.simulator.api.core import Core
from sayso.simulator.live import Live
from sayso.simulator.webhooks.log import Wanted
from sayso.simulator.world.messages import Message
from sayso.simulator.world.numbers import dialled
from sayso.simulator.world.world import World

#: How far a message got, in order; whoever waits for one of these takes any later one, too.
_ON_THE_WAY = ("sent", "delivered", "read", "played")
#: Happenings after which any message may be another, or somebody else's.
_TURNED_ROUND = ("reset", "moved")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are meant; what is left out does not matter.

    ``status`` is how far it got at least, for `sent`, `delivered` and `read`; ``after`` is a wamid; ``on_phone`` leaves
    out what is not on the person's phone.
    """

    to: str | None = None
    containing: str = ""
    type: str | None = None
    status: str | None = None
    template: str | None = None
    after: str | None = None
    number: str | None = None
    on_phone: bool = False

    def fits(self, message: Message) -> bool:
        """Tell whether a message is meant, whoever it went to and whenever."""
        return (
            self.containing in message.content.shown
            and self.type in (None, message.type)
            and self.template in (None, message.content.template)
            and self.number in (None, message.phone_number_id)
            and _got_to(message.status, self.status)
            and (_reached(message) or not self.on_phone)
        )

    def among(self, world: World) -> list[Message]:
        """List the messages meant, oldest first."""
        wa_id = self._wa_id(world)
        there = world.messages.values() if self.after is None else _behind(self.after, world)
        return [each for each in there if each.outbound and wa_id in (None, each.wa_id) and self.fits(each)]

    async def found(self, live: Live, world: World, timeout_s: float) -> list[Message]:
        """Wait until there are such messages, and list them; [] when ``timeout_s`` real seconds pass.

        All are looked through once; then only what happens to a message that is meant is worth another look.
        """

        def concerns(kind: str, about: object) -> bool:
            if not isinstance(about, Message):
                return kind in _TURNED_ROUND
            return about.outbound and self.fits(about) and self._wa_id(world) in (None, about.wa_id)

        return await live.until(lambda: self.among(world) or None, timeout_s, concerns=concerns) or []

    def _wa_id(self, world: World) -> str | None:
        return None if self.to is None else world.reached(dialled(self.to, world.number.digits))


class SentApi(Core):
    """What the business sent."""

    def messages(
        self,
        to: str | None = None,
        containing: str = "",
        *,
        type: str | None = None,  # noqa: A002  # Meta's name of it
        status: str | None = None,
        template: str | None = None,
        after: str | None = None,
        number: str | None = None,
    ) -> list[dict[str, Any]]:
        """List what the business sent, oldest first: to one person or all, with these words shown, and so on."""
        wanted = Filter(to, containing, type, status, template, after, number)
        return [views.message_as_sent(each) for each in wanted.among(self.world)]

    async def expect_message(
        self,
        *,
        to: str | None = None,
        containing: str = "",
        type: str | None = None,  # noqa: A002  # Meta's name of it
        status: str | None = None,
        template: str | None = None,
        after: str | None = None,
        number: str | None = None,
        on_phone: bool = False,
        timeout_s: float = 10.0,
    ) -> dict[str, Any]:
        """Wait for the first message like this, there already or yet to come.

        However far it got, failed ones too, unless ``status`` waits until it got that far or ``on_phone`` until it is
        on the person's phone; ``after`` (a wamid) only looks at later ones. Raises AssertionError listing what was
        there instead.
        """
        wanted = Filter(to, containing, type, status, template, after, number, on_phone)
        found = await wanted.found(self.live, self.world, timeout_s)
        if not found:
            there = [(m.status, m.wa_id, m.content.shown) for m in self.world.outbound()]
            raise AssertionError(f"no message like {wanted} within {timeout_s} s; there were {there[-10:]}")
        return views.message_as_sent(found[0])

    async def settled(self, timeout_s: float = 10.0) -> None:
        """Wait until no webhook is on its way and no message between two statuses.

        Raise AssertionError with what it is that does not come to rest, and why.
        """

        def quiet() -> bool | None:
            return True if self.journey.at_rest and not self._deliverer.pending else None

        if not await self.live.until(quiet, timeout_s):
            raise AssertionError(f"not settled within {timeout_s} s: {self._under_way() or 'at rest by now'}")

    def _under_way(self) -> str:
        """Say what is on its way: the webhooks to each address with why it did not take them, and messages."""
        told, reasons = Counter[str](), dict[str, str]()
        for each in self._deliverer.log.walk(Wanted(state="pending")):
            url = each.callback.url(self.world.accounts)
            told[url] += 1
            reasons[url] = each.attempts[-1].why if each.attempts else reasons.get(url, "no answer yet")
        found = [f"{_count(number, 'webhook')} to {url} ({reasons[url]})" for url, number in told.items()]
        if not found and self._deliverer.pending:
            found = [f"{_count(self._deliverer.pending, 'webhook')} on the way"]
        if not self.journey.at_rest:
            found.append("messages between two statuses")
        if found and self.clock.frozen:
            found.append("and simulated time stands still")
        return ", ".join(found)

    def bubbles(self, at_most: int) -> list[dict[str, Any]]:
        """Describe the last messages of both directions as the phone page shows them, oldest first."""
        recent = list(self.world.messages.values())[-at_most:]
        return [views.message_on_phone(each, self.world) for each in recent]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _got_to(status: str, wanted: str | None) -> bool:
    if wanted in _ON_THE_WAY and status in _ON_THE_WAY:
        return _ON_THE_WAY.index(status) >= _ON_THE_WAY.index(wanted)
    return wanted in (None, status)


def _reached(message: Message) -> bool:
    """Tell whether a message is on the phone of the person; a reaction is over once it was sent (2.4)."""
    return _got_to(message.status, "delivered" if message.content.reaction is None else "sent")


def _behind(after: str, world: World) -> list[Message]:
    """List what came after a message of either direction, by a walk from the end; nothing when there is none such."""
    if after not in world.messages:
        return []
    later = takewhile(lambda each: each.wamid != after, reversed(world.messages.values()))
    return list(later)[::-1]
