"""What faults make of one webhook, and the shuffling of several (cloud-api.md 4.5, 9)."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from sayso.simulator.faults.armed import Armed, Seed
from sayso.simulator.faults.model import (
    WEBHOOKS,
    Novelty,
    WebhookDelay,
    WebhookDuplicate,
    WebhookInject,
    WebhookLoss,
    WebhookReorder,
    WebhookSignature,
)
from sayso.simulator.webhooks.delivery import Delivery
from sayso.simulator.webhooks.signatures import How
from sayso.simulator.world.clock import Clock, Timer


class Mischief(NamedTuple):
    """All that becomes of one webhook; the defaults do nothing."""

    names: tuple[dict[str, str | int], ...] = ()
    lost: bool = False
    copies: int = 1
    delay_s: float = 0.0
    how: How = "right"
    what: Novelty | None = None
    shuffled: Armed | None = None


def mischief(struck: list[Armed]) -> Mischief:
    """Put together what several faults make of a webhook."""
    found = Mischief(tuple(each.told() for each in struck))
    for armed in struck:
        match armed.fault:
            case WebhookLoss():
                found = found._replace(lost=True)
            case WebhookDuplicate(copies=copies):
                found = found._replace(copies=copies)
            case WebhookDelay(delay_s=delay_s):
                found = found._replace(delay_s=found.delay_s + delay_s)
            case WebhookSignature(how=how):
                found = found._replace(how=how)
            case WebhookInject(what=what):
                found = found._replace(what=what)
            case WebhookReorder():
                found = found._replace(shuffled=armed)
    return found


@dataclass(slots=True)
class _Gathered:
    due: Timer
    seed: Seed
    deliveries: list[Delivery] = field(default_factory=list)


class Shuffler:
    """Gathers webhooks for each fault that reorders, and hands them on in another order."""

    def __init__(self, clock: Clock, release: Callable[[list[Delivery]], None]) -> None:
        self._clock = clock
        self._release = release
        self._gathered: dict[int, _Gathered] = {}

    @property
    def waiting(self) -> int:
        """How many webhooks wait for others."""
        return sum(len(each.deliveries) for each in self._gathered.values())

    def add(self, armed: Armed, delivery: Delivery) -> None:
        """Take a webhook; the last one a fault may strike releases all of them."""
        assert isinstance(armed.fault, WebhookReorder)  # noqa: S101  # a programming error
        gathered = self._gathered.get(armed.id)
        if gathered is None:
            due = self._clock.after(armed.fault.span_s, partial(self._flush, armed.id))
            gathered = self._gathered[armed.id] = _Gathered(due, armed.seed)
        delivery.next_due = gathered.due.due
        gathered.deliveries.append(delivery)
        if armed.fault.on == WEBHOOKS and armed.used_up:
            self._flush(armed.id)

    def clear(self) -> list[Delivery]:
        """Forget what is gathered, and return it in its order."""
        found = [delivery for each in self._gathered.values() for delivery in each.deliveries]
        for each in self._gathered.values():
            each.due.cancel()
        self._gathered.clear()
        return found

    def saved(self) -> list[dict[str, Any]]:
        """Tell what is gathered as plain data, webhooks by their ids."""
        return [
            {
                "fault": number,
                "due": each.due.due,
                "seed": each.seed,
                "deliveries": [delivery.id for delivery in each.deliveries],
            }
            for number, each in self._gathered.items()
        ]

    def restored(self, raw: Iterable[dict[str, Any]], known: Mapping[int, Delivery]) -> None:
        """Take back what :meth:`saved` told, and go on gathering; LookupError when a webhook is not ``known``."""
        for each in raw:
            due = self._clock.at(each["due"], partial(self._flush, each["fault"]))
            mine = [known[number] for number in each["deliveries"]]
            self._gathered[each["fault"]] = _Gathered(due, each["seed"], mine)

    def _flush(self, number: int) -> None:
        gathered = self._gathered.pop(number, None)
        if gathered is not None:
            gathered.due.cancel()
            self._release(shuffled(gathered.deliveries, gathered.seed))


def shuffled(deliveries: list[Delivery], seed: Seed) -> list[Delivery]:
    """Return them in another order than theirs, the same for the same seed; one alone has only one order."""
    dice, order = random.Random(seed), list(deliveries)  # noqa: S311  # a dice for tests, not a secret
    while order == deliveries and len(order) > 1:
        dice.shuffle(order)
    return order
