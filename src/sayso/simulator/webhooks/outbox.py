"""What is told to whom: each change goes to every app subscribed to its field (cloud-api.md 4.1, 4.4)."""

from collections.abc import Callable, Iterator
from typing import Any

from sayso.simulator.webhooks.delivery import Deliverer, Kind
from sayso.simulator.webhooks.envelopes import envelope, messages_value
from sayso.simulator.webhooks.subscribers import Callback, callbacks
from sayso.simulator.world.accounts import BusinessNumber, Waba
from sayso.simulator.world.world import World


class Outbox:
    """Takes every change of the world that a business is told of."""

    def __init__(self, world: World, deliverer: Deliverer) -> None:
        self._world = world
        self._deliverer = deliverer

    def messages(
        self,
        kind: Kind,
        number: BusinessNumber,
        value: dict[str, Any],
        acknowledged: Callable[[], None] | None = None,
    ) -> None:
        """Tell of a ``messages`` value: an inbound message or statuses (4.6); ``entry.time`` is absent."""
        change = {"value": messages_value(number, value), "field": "messages"}
        payload = envelope(number.waba_id, change)
        for callback in self._callbacks("messages", number.waba_id, number):
            self._deliverer.post(kind, callback, payload, acknowledged)

    def change(
        self, field: str, waba: Waba, value: dict[str, Any], number: BusinessNumber | None = None
    ) -> None:
        """Tell of any other field (3.8, 4.11); ``entry.time`` is there."""
        payload = envelope(waba.id, {"value": value, "field": field}, at=int(self._world.clock.now()))
        for callback in self._callbacks(field, waba.id, number):
            self._deliverer.post("account", callback, payload)

    def _callbacks(self, field: str, waba_id: str, number: BusinessNumber | None) -> Iterator[Callback]:
        accounts = self._world.accounts
        return callbacks(accounts, accounts.wabas[waba_id], number, field)
