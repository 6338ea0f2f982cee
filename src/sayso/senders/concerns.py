"""What in Meta's description of a number an operator should worry about. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

#: Parts of a description that each may be of concern; also the last part of an alert's key.
PARTS: Final = ("quality", "status", "health")

#: States in which a number cannot send at all, and those in which it can, but not as usual (cloud-api 8.1).
_GONE: Final = frozenset({"BANNED", "DELETED", "DISCONNECTED", "MIGRATED"})
_LIMITED: Final = frozenset({"FLAGGED", "RESTRICTED", "RATE_LIMITED"})


@dataclass(frozen=True, slots=True)
class Concern:
    """Something to tell the operator: what, how bad, and what to do."""

    part: str
    severity: Literal["warning", "critical"]
    title: str
    detail: str
    advice: str


def concerns(
    *, quality: str | None, status: str | None, can_send: str | None, obstacles: tuple[str, ...] = ()
) -> list[Concern]:
    """What is of concern, at most one for each part, in the order of ``PARTS``."""
    return [each for each in (_quality(quality), _status(status), _health(can_send, obstacles)) if each]


def _quality(quality: str | None) -> Concern | None:
    if quality != "RED":
        return None
    return Concern(
        "quality",
        "warning",
        "The quality of a number is low",
        "Meta rates it RED: people blocked or reported it in the last 7 days. Its limit may be lowered.",
        "Send less, and only to who asked for it; see GET /stats for what people stop after.",
    )


def _status(status: str | None) -> Concern | None:
    if status in _GONE:
        return Concern(
            "status",
            "critical",
            "A number cannot send",
            f"Meta says that it is {status}.",
            "See the number in WhatsApp Manager; register it again, or appeal.",
        )
    if status in _LIMITED:
        return Concern(
            "status",
            "warning",
            "A number is restricted",
            f"Meta says that it is {status}.",
            "See the number in WhatsApp Manager: it says why, and until when.",
        )
    return None


def _health(can_send: str | None, obstacles: tuple[str, ...]) -> Concern | None:
    if can_send not in {"BLOCKED", "LIMITED"}:
        return None
    blocked = can_send == "BLOCKED"
    return Concern(
        "health",
        "critical" if blocked else "warning",
        "Meta blocks messages of a number" if blocked else "Meta limits messages of a number",
        "; ".join(obstacles) or "Meta does not say why.",
        "Do what Meta says stands in the way: a payment method, a review, the verification of the business.",
    )
