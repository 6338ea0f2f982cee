"""What a message costs, and whom it reached: priced when sent, counted when it arrives (cloud-api.md 4.9, 6, 7.3)."""

from sayso.simulator.rules import entry, price, reach, window
from sayso.simulator.world.messages import Message
from sayso.simulator.world.quotas import Allowance, Reach
from sayso.simulator.world.world import World


class Books:
    """The accounts kept of messages on their way, all of it in the world's quotas."""

    def __init__(self, world: World) -> None:
        self._world = world

    def set_out(self, message: Message) -> None:
        """Hold a place in the messaging limit for whom the message goes to."""
        if message.holds_place:
            reach.set_out(self._reach(message), message.wa_id)

    def sent(self, message: Message) -> None:
        """Price it; the answer to an ad opens the free hours it belongs to itself (7.2)."""
        world, now = self._world, self._world.clock.now()
        thread = world.thread(message.phone_number_id, message.wa_id)
        entry.answered(thread, now)
        message.sent_at = now
        message.pricing = price.pricing(
            message.content.category,
            when=self._month(message, now),
            window_open=window.is_open(thread, now),
            entry=entry.is_free(thread, now),
            allowance=self._allowance(message),
        )

    def reached(self, message: Message) -> None:
        """Count whom it reached, outside a window."""
        if message.holds_place:
            message.holds_place = False
            reach.arrive(self._reach(message), message.wa_id, self._world.clock.now())

    def lost(self, message: Message) -> None:
        """Give back what a message took that never arrived: failed and dropped ones are not charged."""
        if message.holds_place:
            message.holds_place = False
            reach.give_up(self._reach(message), message.wa_id)
        if message.pricing is not None and message.sent_at is not None:
            sent_in = self._month(message, message.sent_at)
            price.give_back(message.pricing, self._allowance(message), sent_in=sent_in)

    def _month(self, message: Message, at: float) -> str:
        accounts = self._world.accounts
        waba = accounts.wabas[accounts.numbers[message.phone_number_id].waba_id]
        return price.month(waba.timezone_id, at)

    def _allowance(self, message: Message) -> Allowance:
        kept = self._world.quotas.service
        found = kept.get(message.phone_number_id)
        if found is None:
            found = kept[message.phone_number_id] = Allowance()
        return found

    def _reach(self, message: Message) -> Reach:
        accounts = self._world.accounts
        portfolio = accounts.portfolio_of(accounts.numbers[message.phone_number_id])
        return reach.of(self._world.quotas, portfolio.id)
