"""A webhook to one callback: its bytes, its headers, what became of it (cloud-api.md 4.3, 4.5)."""

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, get_args

import msgspec

from sayso.simulator.webhooks.signatures import SHA256
from sayso.simulator.webhooks.subscribers import Callback
from sayso.simulator.webhooks.updates import Kind, Told

ATTEMPTS_LOGGED = 20

#: ``held`` waits for its release, ``lost`` was armed to be, ``expired`` outlived seven days, ``dropped`` had no room.
State = Literal["pending", "held", "delivered", "expired", "dropped", "lost"]
STATES: tuple[str, ...] = get_args(State)
#: What a webhook tells of; ``mixed`` has several of the others.
LoggedKind = Literal[Kind, "mixed"]
KINDS: tuple[str, ...] = get_args(LoggedKind)


class Attempt(NamedTuple):
    """One POST: when (simulated), what came back (a status code or an error), how long it took."""

    at: float
    status_code: int | None
    error: str | None
    took_ms: float

    @property
    def why(self) -> str:
        """What came back in words: the error, or the status code."""
        return self.error or f"HTTP {self.status_code}"


@dataclass(slots=True, eq=False)
class Delivery:
    """One webhook to one callback: the exact bytes, their headers, and what became of them."""

    id: int
    callback: Callback
    told: tuple[Told, ...]
    body: bytes
    headers: dict[str, str]
    created_at: float
    pause_s: float  # the one that follows the next failed attempt
    acknowledged: tuple[str, ...] = ()  # inbound messages that are delivered once this is
    faults: tuple[dict[str, str | int], ...] = ()
    copy_of: int | None = None
    once: bool = False  # not tried again, whatever the answer
    state: State = "pending"
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=ATTEMPTS_LOGGED))
    attempt_count: int = 0
    next_due: float | None = None  # of the next attempt, simulated

    @property
    def kind(self) -> str:
        """What it tells of: one kind, or ``mixed``."""
        first = self.told[0].kind
        return first if all(each.kind == first for each in self.told) else "mixed"

    def logged(self, url: str, *, body: bool = True) -> dict[str, Any]:
        """Describe it for the log; ``attempts`` holds the last 20."""
        text = {"body": self.body.decode("ascii")} if body else {}
        return {
            "id": self.id,
            "kind": self.kind,
            "fields": sorted({each.field for each in self.told}),
            "updates": [each._asdict() for each in self.told],
            "app_id": self.callback.app_id,
            "url": url,
            "state": self.state,
            "created_at": self.created_at,
            "next_attempt_at": self.next_due,
            "attempt_count": self.attempt_count,
            "attempts": [each._asdict() | {"took_ms": round(each.took_ms, 1)} for each in self.attempts],
            "faults": list(self.faults),
            "copy_of": self.copy_of,
            "signature": self.headers.get(SHA256),
            **text,
        }

    def saved(self) -> dict[str, Any]:
        """Everything about it as plain data."""
        return asdict(self) | {
            "body": self.body.decode("ascii"),
            "attempts": [list(each) for each in self.attempts],
            "told": [list(each) for each in self.told],
            "callback": list(self.callback),
        }

    @classmethod
    def restored(cls, raw: dict[str, Any]) -> "Delivery":
        """Make it again from what :meth:`saved` gave, once through JSON; raise ValueError when it cannot be that."""
        then = msgspec.convert(raw, _Saved)
        return cls(
            **{name: getattr(then, name) for name in _Saved.__struct_fields__}
            | {
                "body": then.body.encode("ascii"),
                "attempts": deque(then.attempts, maxlen=ATTEMPTS_LOGGED),
                "told": tuple(Told(*each) for each in then.told),
            }
        )


class _Saved(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A webhook as a snapshot has it; what a webhook told on demand is about may be anything."""

    id: int
    callback: Callback
    told: Annotated[tuple[tuple[Kind, str, str, str | None, Any, Any], ...], msgspec.Meta(min_length=1)]
    body: str
    headers: dict[str, str]
    created_at: float
    pause_s: Annotated[float, msgspec.Meta(ge=0)]
    acknowledged: tuple[str, ...]
    faults: tuple[dict[str, str | int], ...]
    copy_of: int | None
    once: bool
    state: State
    attempts: list[Attempt]
    attempt_count: int
    next_due: float | None
