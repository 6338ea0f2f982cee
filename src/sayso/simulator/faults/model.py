"""Faults on demand: what goes wrong with the next sends, armed over the control API, never by accident."""

import itertools
from typing import Annotated, Any, Literal

import msgspec

from sayso.simulator.world.world import dialled

Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class _Armed(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", kw_only=True):
    """What all faults share: where, how often, and for whom (any person when ``to`` is left out)."""

    on: Literal["messages"] = "messages"
    next: Count = 1
    to: str | None = None


class RefuseWithError(_Armed, tag="error"):
    """Answer with a Graph error; nothing is accepted."""

    code: int
    http_status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    details: str = "Fault armed in the simulator."


class DropBefore(_Armed, tag="drop_before"):
    """Cut the connection after reading the request: nothing is accepted, no answer."""


class DropAfter(_Armed, tag="drop_after"):
    """Accept the message, then cut the connection: its statuses come, the answer never does."""


class Delay(_Armed, tag="delay"):
    """Answer late; ``after_accept`` accepts first, so that statuses arrive before the answer."""

    delay_s: Seconds
    after_accept: bool = False


class FailLate(_Armed, tag="fail_late"):
    """Accept with 200, then report ``failed`` with this code by webhook (cloud-api.md 9, 1.)."""

    code: int
    details: str = "Fault armed in the simulator."


Fault = RefuseWithError | DropBefore | DropAfter | Delay | FailLate


class Faults:
    """The faults armed now, taken in the order they were armed."""

    def __init__(self, business_digits: str) -> None:
        self._business_digits = business_digits
        self._numbers = itertools.count(1)
        self.armed: dict[int, Fault] = {}

    def arm(self, fault: Fault) -> int:
        """Arm a fault for its ``next`` sends and return its id."""
        number = next(self._numbers)
        self.armed[number] = fault
        return number

    def clear(self) -> None:
        """Disarm everything."""
        self.armed.clear()

    def take(self, body: dict[str, Any]) -> Fault | None:
        """Return the first armed fault that concerns this send, using up one of its times."""
        for number, fault in self.armed.items():
            if fault.to is None or self._same_person(fault.to, body.get("to")):
                if fault.next == 1:
                    del self.armed[number]
                else:
                    fault.next -= 1
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """Describe what is armed, with the times left."""
        return [{"id": number, **msgspec.to_builtins(fault)} for number, fault in self.armed.items()]

    def _same_person(self, wanted: str, to: Any) -> bool:
        if not isinstance(to, str):
            return False
        return dialled(wanted, self._business_digits) == dialled(to, self._business_digits)
