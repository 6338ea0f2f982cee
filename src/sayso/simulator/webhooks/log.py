"""The log of webhooks: the last ones, found by id, and by what they told to whom."""

from collections.abc import Iterator
from dataclasses import dataclass

from sayso.simulator.webhooks.delivery import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which webhooks are asked for; None is any. ``kind`` and the like are met by one update of a batch."""

    state: str | None = None
    kind: str | None = None
    app_id: str | None = None
    field: str | None = None
    message_id: str | None = None
    after: int = 0

    def met_by(self, delivery: Delivery) -> bool:
        """Tell whether a webhook is one of them."""
        if delivery.id <= self.after or self.state not in (None, delivery.state):
            return False
        if self.app_id not in (None, delivery.callback.app_id):
            return False
        if self.kind == "mixed" and delivery.kind != "mixed":
            return False
        kind = None if self.kind == "mixed" else self.kind
        return any(
            kind in (None, told.kind)
            and self.field in (None, told.field)
            and self.message_id in (None, told.message_id)
            for told in delivery.told
        )


class WebhookLog:
    """The last webhooks, oldest first."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._kept: dict[int, Delivery] = {}

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._kept.values())

    def add(self, delivery: Delivery) -> None:
        """Keep a webhook; beyond the bound the oldest is forgotten."""
        self._kept[delivery.id] = delivery
        if len(self._kept) > self._keep:
            del self._kept[next(iter(self._kept))]

    def find(self, number: int) -> Delivery:
        """Return a webhook that is still kept; raise LookupError for any other."""
        if number not in self._kept:
            raise LookupError(f"there is no webhook {number} in the log")
        return self._kept[number]

    def walk(self, wanted: Wanted) -> Iterator[Delivery]:
        """Walk those that are asked for, oldest first."""
        return (each for each in self._kept.values() if wanted.met_by(each))

    def clear(self) -> None:
        """Forget every webhook."""
        self._kept.clear()
