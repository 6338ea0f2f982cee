"""How much of its allowance an app has used: management limits and usage headers (cloud-api.md 6)."""

import json
import math
from collections.abc import Iterable

from sayso.simulator.errors import GraphError
from sayso.simulator.graph.call import NodeKind
from sayso.simulator.world.world import World

HOUR_S, MINUTE_S = 3600, 60
CALLS_AT_MOST = 200  # an hour, per app and WABA
CALLS_AT_MOST_ACTIVE = 5_000  # the same for a WABA with a registered number
#: The nodes and edges whose calls count as management: WABA, assigned users, numbers, templates, subscriptions.
_MANAGEMENT = frozenset(
    {
        ("waba", ""),
        ("waba", "assigned_users"),
        ("waba", "phone_numbers"),
        ("waba", "message_templates"),
        ("waba", "subscribed_apps"),
        ("number", ""),
    }
)


class Usage:
    """Counts the calls of every app to every WABA in a sliding hour of simulated time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def count(
        self, app_id: str, waba_id: str | None, kind: NodeKind, edge: str, headers: dict[str, str]
    ) -> None:
        """Count a call and say in ``headers`` how much is used; raise 80008 beyond the allowance.

        A refused call does not count, so that the way is free again when the oldest is an hour ago.
        """
        if waba_id is None:
            headers["x-app-usage"] = _shares(self._share_of_app(app_id))
            return
        key, now = f"{app_id}/{waba_id}", self._world.clock.now()
        limit = self._limit(waba_id)
        calls = self._world.accounts.management_calls.setdefault(key, [])
        _forget_before(calls, now - HOUR_S)
        if (kind, edge) in _MANAGEMENT:
            wait = self._wait_minutes(calls, limit, now)
            if wait:
                self._tell(app_id, waba_id, headers, wait)
                if self._world.config.retry_after:
                    headers["Retry-After"] = str(wait * MINUTE_S)
                raise GraphError(
                    80008,
                    f"Too many management calls to this account: {limit} an hour. Access comes back in "
                    f"{wait} minutes.",
                )
            calls.append(now)
        else:
            self._count_other(key, now)
        self._tell(app_id, waba_id, headers, 0)

    def _wait_minutes(self, calls: list[float], limit: int, now: float) -> int:
        if len(calls) < limit or not self._world.config.enforce_management_limits:
            return 0
        return max(1, math.ceil((calls[-limit] + HOUR_S - now) / MINUTE_S))

    def _limit(self, waba_id: str) -> int:
        active = any(number.registered for number in self._world.accounts.numbers_of(waba_id))
        return CALLS_AT_MOST_ACTIVE if active else CALLS_AT_MOST

    def _count_other(self, key: str, now: float) -> None:
        minutes = self._world.accounts.other_calls.setdefault(key, {})
        minute = int(now // MINUTE_S)
        if minute not in minutes:
            for past in [each for each in minutes if each <= minute - HOUR_S // MINUTE_S]:
                del minutes[past]
        minutes[minute] = minutes.get(minute, 0) + 1

    def _tell(self, app_id: str, waba_id: str, headers: dict[str, str], wait: int) -> None:
        """Say the shares: of management calls, and of messaging, whose allowance is what the numbers can send."""
        key = f"{app_id}/{waba_id}"
        management = len(self._world.accounts.management_calls[key]) / self._limit(waba_id)
        numbers = self._world.accounts.numbers_of(waba_id)
        allowance = HOUR_S * sum(number.per_second for number in numbers)
        messaging = sum(self._world.accounts.other_calls.get(key, {}).values()) / (allowance or HOUR_S)
        told = ",".join(
            _shares(share, f'"type":"{name}",', f',"estimated_time_to_regain_access":{minutes}')
            for name, share, minutes in (
                ("whatsapp_business_management", management, wait),
                ("whatsapp", messaging, 0),
            )
        )
        headers["x-business-use-case-usage"] = f"{{{json.dumps(waba_id)}:[{told}]}}"
        headers["x-app-usage"] = _shares(self._share_of_app(app_id))

    def _share_of_app(self, app_id: str) -> float:
        """Tell the share an app used of all its management allowances together."""
        mine = [
            (len(calls), self._limit(key.partition("/")[2]))
            for key, calls in self._world.accounts.management_calls.items()
            if key.startswith(f"{app_id}/")
        ]
        allowance = sum(limit for _, limit in mine)
        return sum(count for count, _ in mine) / allowance if allowance else 0.0


def _shares(share: float, before: str = "", after: str = "") -> str:
    """Write percentages of the allowance, rounded up. All calls cost alike here, so time is used as calls are."""
    percent = math.ceil(100 * share)
    return f'{{{before}"call_count":{percent},"total_cputime":{percent},"total_time":{percent}{after}}}'


def _forget_before(calls: list[float], moment: float) -> None:
    past = _first_after(calls, moment)
    if past:
        del calls[:past]


def _first_after(calls: Iterable[float], moment: float) -> int:
    """Count the calls up to a moment, at the beginning of a list in order of time."""
    count = 0
    for at in calls:
        if at > moment:
            break
        count += 1
    return count
