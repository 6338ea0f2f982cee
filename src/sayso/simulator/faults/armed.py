"""A fault that is armed: how often it met a call it concerns, how often it struck, what is left."""

import random
from typing import Any

import msgspec
from aiohttp import web

from sayso.simulator.faults.model import DEFAULTS, Fault

#: Of dice: the same throws for the same; None never throws the same twice.
Seed = int | str | None


class Armed:
    """One armed fault and its schedule; ``seed`` is its own, or follows from that of the world, if that has one."""

    __slots__ = ("_chance", "fault", "hits", "id", "left", "seed", "seen")

    def __init__(self, number: int, fault: Fault, world_seed: int | None = None) -> None:
        self.id = number
        followed = None if world_seed is None else f"{world_seed}/{number}"
        self.seed: Seed = followed if fault.seed is None else fault.seed
        self.fault = fault
        self.seen = self.hits = 0
        self.left = fault.times
        self._chance = random.Random(self.seed)  # noqa: S311  # a dice for tests, not a secret

    @property
    def kind(self) -> str:
        """Its ``kind`` in JSON."""
        return str(self.fault.__struct_config__.tag)

    @property
    def used_up(self) -> bool:
        """Whether it will never strike again."""
        return self.left == 0

    def strikes(self) -> bool:
        """Count one call it concerns, and decide whether it is struck."""
        if self.used_up:
            return False
        self.seen += 1
        place = self.seen - self.fault.after
        if place < 1 or place % (self.fault.every or 1):
            return False
        if self.fault.probability is not None and self._chance.random() >= self.fault.probability:
            return False
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return True

    def give_back(self) -> None:
        """Take back the last strike: the call was refused before there was anything to strike."""
        self.seen -= 1
        self.hits -= 1
        if self.left is not None:
            self.left += 1

    def told(self) -> dict[str, str | int]:
        """Name it, as logs do."""
        return {"id": self.id, "kind": self.kind}

    def listed(self) -> dict[str, Any]:
        """Describe it: what was armed, with what was left out of its own keys unless null.

        ``next`` is the times left (null: until cleared), ``hits`` and ``seen`` those it struck and met.
        """
        fault: dict[str, Any] = {**DEFAULTS[self.kind], **msgspec.to_builtins(self.fault)}
        on = {"on": self.fault.on}
        return {"id": self.id, **fault, **on, "next": self.left, "hits": self.hits, "seen": self.seen}

    def saved(self) -> dict[str, Any]:
        """Everything about it as plain data."""
        chance = None if self.fault.probability is None else self._chance.getstate()
        counts = {"seen": self.seen, "hits": self.hits, "left": self.left, "chance": chance}
        return {"id": self.id, "fault": msgspec.to_builtins(self.fault), **counts}

    @classmethod
    def restored(cls, raw: dict[str, Any], world_seed: int | None = None) -> "Armed":
        """Make it again from what :meth:`saved` gave, once through JSON."""
        armed = cls(msgspec.convert(raw["id"], int), msgspec.convert(raw["fault"], Fault), world_seed)
        counts = [raw[name] for name in ("seen", "hits", "left")]
        armed.seen, armed.hits, armed.left = msgspec.convert(counts, tuple[int, int, int | None])
        if raw["chance"] is not None:
            version, inner, gauss = raw["chance"]
            armed._chance.setstate((version, tuple(inner), gauss))
        return armed


#: Of a call: the fault that struck it.
STRUCK = web.RequestKey("struck", Armed)
