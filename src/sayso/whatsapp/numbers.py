"""What Meta says of a business phone number, read from the answer to a call or from a webhook (cloud-api 6 and 8.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: Everything that tells how a number may send; and what every version of Graph has, should a field be refused.
FIELDS: Final = (
    "id,display_phone_number,verified_name,status,quality_rating,throughput,platform_type,is_on_biz_app,"
    "whatsapp_business_manager_messaging_limit,health_status"
)
FIELDS_OF_OLD: Final = "id,display_phone_number,verified_name,quality_rating"

STANDARD: Final = 80.0
HIGH: Final = 1_000.0
COEXISTENCE: Final = 20.0
"""Messages a second: of a number, of an upgraded one, of one that is in the WhatsApp Business app, too."""

_TIER: Final = re.compile(r"TIER_([0-9]{1,7})(K?)")
_LONGEST: Final = 200
_ID: Final = re.compile(r"[0-9]{1,32}")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as Meta describes it; what it did not say is None. ``rate_limit`` in messages a second.

    ``can_send`` is AVAILABLE, LIMITED or BLOCKED (cloud-api 8.3); ``obstacles`` are the reasons, in Meta's words.
    ``portfolio_id`` is the business that the number's account belongs to.
    """

    display_number: str | None = None
    verified_name: str | None = None
    status: str | None = None
    quality: str | None = None
    throughput: str | None = None
    rate_limit: float | None = None
    tier: str | None = None
    can_send: str | None = None
    obstacles: tuple[str, ...] = ()
    portfolio_id: str | None = None


def read(answer: Mapping[str, Any]) -> Number:
    """Read the answer to ``GET /{phone-number-id}``; whatever is missing or odd is None."""
    throughput = _text(_dict(answer.get("throughput")).get("level"))
    health = _dict(answer.get("health_status"))
    return Number(
        display_number=_text(answer.get("display_phone_number")),
        verified_name=_text(answer.get("verified_name")),
        status=_text(answer.get("status")),
        quality=_text(answer.get("quality_rating")),
        throughput=throughput,
        rate_limit=rate_of(throughput, in_the_app=answer.get("is_on_biz_app") is True),
        tier=_text(answer.get("whatsapp_business_manager_messaging_limit")),
        can_send=_text(health.get("can_send_message")),
        obstacles=_obstacles(health),
        portfolio_id=_business(health),
    )


def rate_of(throughput: str | None, *, in_the_app: bool = False) -> float | None:
    """Messages a second; None when Meta did not say."""
    if in_the_app:
        return COEXISTENCE
    if throughput is None:
        return None
    return HIGH if throughput.upper() == "HIGH" else STANDARD


def limit_of(tier: str | None) -> int | None:
    """Different people in 24 hours outside windows; None: no limit, or none that is known.

    ``TIER_250``, ``TIER_2K``, ``TIER_UNLIMITED`` …, or the bare number of older and of some newer webhooks.
    """
    found = _TIER.fullmatch((tier or "").upper())
    return int(found[1]) * (1_000 if found[2] else 1) if found else None


def tier_of(value: Any) -> str | None:
    """The tier in a webhook: Meta's word, or made of a number, of which -1 is no limit (cloud-api 4.11)."""
    if isinstance(value, str) and re.fullmatch("-?[0-9]{1,12}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        people = f"{value // 1_000}K" if value and value % 1_000 == 0 else str(value)
        return "TIER_UNLIMITED" if value < 0 else f"TIER_{people}"
    return _text(value)


def _entities(health: Mapping[str, Any]) -> list[dict[str, Any]]:
    entities = health.get("entities")
    return [_dict(each) for each in entities] if isinstance(entities, list) else []


def _business(health: Mapping[str, Any]) -> str | None:
    """The portfolio: a health status goes up to it (cloud-api 8.3). Nothing where there are several, or none."""
    found = {_text(each.get("id")) for each in _entities(health) if each.get("entity_type") == "BUSINESS"}
    only = found.pop() if len(found) == 1 else None
    return only if only is not None and _ID.fullmatch(only) else None


def _obstacles(health: Mapping[str, Any]) -> tuple[str, ...]:
    """Why something cannot send, or not freely: each entity's errors and remarks."""
    said: list[str] = []
    for about in _entities(health):
        if about.get("can_send_message") in (None, "AVAILABLE"):
            continue
        kind = _text(about.get("entity_type")) or "?"
        errors = about.get("errors")
        remarks = about.get("additional_info")
        said += [f"{kind}: {_error(_dict(each))}" for each in (errors if isinstance(errors, list) else ())]
        said += [
            f"{kind}: {each}"
            for each in (remarks if isinstance(remarks, list) else ())
            if isinstance(each, str)
        ]
    return tuple(each[:_LONGEST] for each in said)


def _error(error: Mapping[str, Any]) -> str:
    parts = (error.get("error_code"), error.get("error_description"), error.get("possible_solution"))
    return " ".join(str(part) for part in parts if part)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) and value else None
