"""Webhooks, faults and the log of Graph calls, in Python."""

from typing import Any

from sayso.simulator.api.core import Core
from sayso.simulator.faults.model import Armable, Fault
from sayso.simulator.strict import ControlError, converted
from sayso.simulator.webhooks.log import Wanted


class WireApi(Core):
    """What goes over the wire, and what goes wrong there."""

    def webhooks(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        app_id: str | None = None,
        field: str | None = None,
        message_id: str | None = None,
        after: int = 0,
    ) -> list[dict[str, Any]]:
        """List the webhooks sent that are like this, oldest first, with every attempt."""
        wanted = Wanted(
            state=state, kind=kind, app_id=app_id, field=field, message_id=message_id, after=after
        )
        return [self._deliverer.described(each) for each in self._deliverer.log.walk(wanted)]

    async def redeliver(self, webhook_id: int, *, copies: int = 1) -> list[int | None]:
        """Post a logged webhook again, ``copies`` times in parallel; return the status codes."""
        return await self._deliverer.redeliver(self._deliverer.log.find(webhook_id), copies)

    def retry_webhooks(self) -> int:
        """Make every retry that is waiting for its time now; return how many."""
        return self._deliverer.retry_now()

    def arm(self, fault: Fault | dict[str, Any] | None = None, /, **keys: Any) -> int:
        """Arm a fault and return its id; raise ControlError, a ValueError, with words when it cannot be.

        It is one of the classes of :mod:`sayso.simulator.faults.model`, or written as in ``POST /_sim/faults``, in a
        dictionary or as arguments: ``arm(kind="error", code=131026)``.
        """
        if isinstance(fault, Armable):
            if keys:
                raise ControlError(f"a fault that is made already takes no further keys: {', '.join(keys)}.")
            return self._faults.arm(fault)
        return self._faults.arm(converted({**(fault or {}), **keys}, Fault))

    def hold_webhooks(self, *, on: bool) -> int:
        """Hold status webhooks back, or release them in order; return how many were released."""
        return self._deliverer.hold(on=on)

    def clear_faults(self) -> None:
        """Disarm every fault and release what is held or gathered."""
        self._faults.clear()
        self._deliverer.hold(on=False)
        self._deliverer.release_gathered()

    def exchanges(
        self, *, route: str | None = None, status: str | None = None, after: int = 0
    ) -> list[dict[str, Any]]:
        """List the Graph calls that were like this, whole, oldest first."""
        found = self.parts.exchanges.walk(after=after, route=route, status=status)
        return [each.whole() for each in found]

    def faults(self) -> dict[str, Any]:
        """Describe what is armed and held."""
        return self._faults_told()
