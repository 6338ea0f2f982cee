"""What is told to whom: each change goes to every app subscribed to its field (cloud-api.md 4.1, 4.4)."""

from typing import Any

from sayso.simulator.webhooks.deliverer import Deliverer
from sayso.simulator.webhooks.envelopes import messages_value
from sayso.simulator.webhooks.subscribers import callbacks
from sayso.simulator.webhooks.updates import Kind, Update
from sayso.simulator.world.accounts import BusinessNumber, Waba
from sayso.simulator.world.world import World

#: Where a value says whom it is about: by BSUID, by phone.
_WHO = {
    "statuses": ("recipient_user_id", "recipient_id"),
    "messages": ("from_user_id", "from"),
    "contacts": ("user_id", "wa_id"),
}


class Outbox:
    """Takes every change of the world that a business is told of."""

    def __init__(self, world: World, deliverer: Deliverer) -> None:
        self._world = world
        self._deliverer = deliverer

    def messages(
        self, kind: Kind, number: BusinessNumber, value: dict[str, Any], acknowledged: str | None = None
    ) -> None:
        """Tell of a ``messages`` value: an inbound message or statuses (4.6); ``entry.time`` is absent.

        ``acknowledged`` is the inbound message that counts as delivered once this was answered with 200.
        """
        update = Update(
            kind,
            "messages",
            number.waba_id,
            messages_value(number, value),
            phone_number_id=number.phone_number_id,
            wa_id=self._person_in(value),
            acknowledged=acknowledged,
        )
        self._tell(update, number)

    def change(
        self, field: str, waba: Waba, value: dict[str, Any], number: BusinessNumber | None = None
    ) -> None:
        """Tell of any other field (3.8, 4.11); ``entry.time`` is there."""
        update = Update(
            "account",
            field,
            waba.id,
            value,
            phone_number_id=None if number is None else number.phone_number_id,
            at=int(self._world.clock.now()),
        )
        self._tell(update, number)

    def _tell(self, update: Update, number: BusinessNumber | None) -> None:
        accounts = self._world.accounts
        waba = accounts.wabas[update.waba_id]
        for callback in callbacks(accounts, waba, number, update.field):
            self._deliverer.post(callback, update)

    def _person_in(self, value: dict[str, Any]) -> str | None:
        """Tell whom a value is about, also when it does not say their phone (4.7)."""
        for key, names in _WHO.items():
            for each in value.get(key, ())[:1]:
                known = self._world.person_by_user_id(str(each.get(names[0])))
                return str(each.get(names[1])) if known is None else known.wa_id
        return None
