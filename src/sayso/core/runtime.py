"""The one object handed to everything: settings, database, bells, the clock and the dice."""

import random  # noqa: TID251 - this is where chance enters; everybody else is handed rt.rng
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sayso.core.database import Database
from sayso.core.settings import Settings
from sayso.core.wakes import Wakes

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: no i, l, o, u
_CHANCE = 2**80 - 1


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is where time enters; everybody else is handed rt.now


def boot_clock() -> float:
    """Seconds that never go back and go on while the machine is suspended, where the system counts them so."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a route, a claimed row's handler or a page needs from the process it runs in."""

    settings: Settings
    db: Database
    wakes: Wakes = field(default_factory=Wakes)
    now: Callable[[], datetime] = wall_clock
    booted: Callable[[], float] = boot_clock
    rng: random.Random = field(default_factory=random.SystemRandom)
    _last: list[int] = field(default_factory=lambda: [0, 0], repr=False, compare=False)

    def new_id(self, prefix: str) -> str:
        """A fresh id, e.g. ``msg_01k9…``: 48 bits of milliseconds (so that ids sort by age), 80 of chance.

        Those of one process ascend within a millisecond, too: what one transaction makes keeps its order.
        """
        now = self.now()
        moment, before = _milliseconds(now), self._last[0]
        chance = (
            self._last[1] + 1 + self.rng.getrandbits(56) if moment == before else self.rng.getrandbits(79)
        )
        self._last[:] = moment, chance
        return _id(prefix, now, chance & _CHANCE)


def id_at(prefix: str, moment: datetime) -> str:
    """The lowest id that can be made at ``moment``: what was made before has a lower one."""
    return _id(prefix, moment, 0)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _id(prefix: str, moment: datetime, chance: int) -> str:
    number = _milliseconds(moment) << 80 | chance
    digits = [_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"
