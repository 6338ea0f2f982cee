"""What has been used up of every limit: per number, per pair, per portfolio, per person (cloud-api.md 6, 7).

Plain data and nothing else, so that a snapshot can hold it; what it means is decided in ``rules``. A pair's and a
person's share lies with their thread and with the person, and goes when they go.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Throughput:
    """The moments of a number's last messages, in and out: a ring, ``oldest`` being the place written next."""

    moments: list[float] = field(default_factory=list)
    oldest: int = 0


@dataclass(slots=True)
class Burst:
    """The messages of one number to one person that came close together: when the first came, and how many."""

    began: float = 0.0
    count: int = 0


@dataclass(slots=True)
class Reach:
    """The people a portfolio reached outside windows, and those whom messages are still on their way to."""

    delivered: dict[str, float] = field(default_factory=dict)  # wa_id: when last; the longest ago first
    on_the_way: dict[str, int] = field(default_factory=dict)  # wa_id: how many messages
    both: int = 0  # people who are among both
    nothing_before: float = 0.0  # nobody falls out of the day before this moment

    @property
    def people(self) -> int:
        """How many different people that are."""
        return len(self.delivered) + len(self.on_the_way) - self.both

    def move(self, old: str, new: str) -> None:
        """Have a person who changed their number still be the same one."""
        if old not in self.delivered and old not in self.on_the_way:
            return
        lately = [self.delivered.pop(each) for each in (old, new) if each in self.delivered]
        if lately:
            self.delivered[new] = max(lately)
            self.delivered = dict(sorted(self.delivered.items(), key=lambda each: each[1]))
        messages = self.on_the_way.pop(old, 0) + self.on_the_way.pop(new, 0)
        if messages:
            self.on_the_way[new] = messages
        self.both = len(self.delivered.keys() & self.on_the_way.keys())


@dataclass(slots=True)
class Marketing:
    """The marketing one person was sent of late, by whatever business, and how they are shielded from more."""

    taken: list[float] = field(default_factory=list)
    refused_at: float | None = None
    blocked_until: float = 0.0


@dataclass(slots=True)
class Allowance:
    """How much of a month's free service messages a number has used; ``month`` is ``YYYY-MM``."""

    month: str = ""
    used: int = 0


@dataclass(slots=True)
class Quotas:
    """Everything used up that belongs to a number or a portfolio."""

    throughput: dict[str, Throughput] = field(default_factory=dict)  # by phone number id
    reach: dict[str, Reach] = field(default_factory=dict)  # by portfolio id
    service: dict[str, Allowance] = field(default_factory=dict)  # by phone number id

    def clear(self) -> None:
        """Forget everything."""
        for kept in (self.throughput, self.reach, self.service):
            kept.clear()
