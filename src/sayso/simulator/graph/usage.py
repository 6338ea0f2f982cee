"""How much of its allowance an app has used: management limits and usage headers (cloud-api.md 6)."""

import json
import math
from collections.abc import Iterable
from functools import lru_cache

from sayso.simulator.call import NodeKind
from sayso.simulator.errors import GraphError
from sayso.simulator.world.accounts import HourOfCalls
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
            headers["x-app-usage"] = _of_app(self._percent_of_app(app_id))
            return
        key, now = f"{app_id}/{waba_id}", self._world.clock.now()
        limit = self._limit(waba_id)
        calls = self._world.accounts.management_calls.setdefault(key, [])
        _forget_before(calls, now - HOUR_S)
        others = self._world.accounts.other_calls.setdefault(key, HourOfCalls())
        wait = 0
        if (kind, edge) not in _MANAGEMENT:
            _count_other(others, int(now // MINUTE_S))
        elif (wait := self._wait_minutes(calls, limit, now)) == 0:
            calls.append(now)
        shares = _percent(len(calls), limit), _percent(others.total, self._sends_an_hour(waba_id))
        headers["x-business-use-case-usage"] = _of_account(waba_id, *shares, wait)
        headers["x-app-usage"] = _of_app(self._percent_of_app(app_id))
        if wait:
            self._refuse(limit, wait, headers)

    def _refuse(self, limit: int, wait: int, headers: dict[str, str]) -> None:
        if self._world.config.retry_after:
            headers["Retry-After"] = str(wait * MINUTE_S)
        words = f"Too many management calls to this account: {limit} an hour. "
        raise GraphError(80008, f"{words}Access comes back in {wait} minutes.")

    def _wait_minutes(self, calls: list[float], limit: int, now: float) -> int:
        if len(calls) < limit or not self._world.config.enforce_management_limits:
            return 0
        return max(1, math.ceil((calls[-limit] + HOUR_S - now) / MINUTE_S))

    def _limit(self, waba_id: str) -> int:
        for number in self._world.accounts.numbers_of(waba_id):
            if number.registered:
                return CALLS_AT_MOST_ACTIVE
        return CALLS_AT_MOST

    def _sends_an_hour(self, waba_id: str) -> int:
        """Tell the allowance of messaging: what the account's numbers can send in an hour."""
        return HOUR_S * sum([each.per_second for each in self._world.accounts.numbers_of(waba_id)])

    def _percent_of_app(self, app_id: str) -> int:
        """Tell the share an app used of all its management allowances together."""
        count = allowance = 0
        for key, calls in self._world.accounts.management_calls.items():
            app, _, waba_id = key.partition("/")
            if app == app_id:
                count += len(calls)
                allowance += self._limit(waba_id)
        return _percent(count, allowance)


def _percent(count: int, allowance: int) -> int:
    """Tell a share of an allowance in percent, rounded up."""
    return -(-100 * count // (allowance or 1))


def _count_other(calls: HourOfCalls, minute: int) -> None:
    """Count a call in its minute, and forget the minutes that are an hour ago."""
    if minute not in calls.minutes:
        for past in [each for each in calls.minutes if each <= minute - HOUR_S // MINUTE_S]:
            calls.total -= calls.minutes.pop(past)
    calls.minutes[minute] = calls.minutes.get(minute, 0) + 1
    calls.total += 1


@lru_cache(maxsize=1_000)
def _of_account(waba_id: str, management: int, messaging: int, wait: int) -> str:
    """Write ``x-business-use-case-usage``; ``wait`` is in minutes (6)."""
    told = [
        {"type": kind, **_shares(percent), "estimated_time_to_regain_access": minutes}
        for kind, percent, minutes in (
            ("whatsapp_business_management", management, wait),
            ("whatsapp", messaging, 0),
        )
    ]
    return json.dumps({waba_id: told}, separators=(",", ":"))


@lru_cache(maxsize=1_000)
def _of_app(percent: int) -> str:
    """Write ``x-app-usage`` (6)."""
    return json.dumps(_shares(percent), separators=(",", ":"))


def _shares(percent: int) -> dict[str, int]:
    """Tell the shares of the allowance. All calls cost alike here, so time is used up as calls are."""
    return {"call_count": percent, "total_cputime": percent, "total_time": percent}


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
