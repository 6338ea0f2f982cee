"""What a number tells of the person behind it: a country; and lets one guess: a language and a time zone. Pure."""

import tomllib
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

from sayso.people import rules

#: Two moments that tell apart zones with other offsets or other summers.
_WINTER, _SUMMER = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)
_UNKNOWN = "Etc/Unknown"


@lru_cache(maxsize=10_000)
def language_of(number: str) -> str | None:
    """The language most people with such a number read, as BCP 47; None when nothing is known of its country."""
    return _table()["languages"].get(_region(number))


@lru_cache(maxsize=10_000)
def time_zone_of(number: str) -> str | None:
    """The IANA time zone of a number, in E.164; None where its country has several and the number does not tell which.

    A spelling that the numbering plan does not know is looked up under its twin (``rules.twins``).
    """
    mains = [_table()["capitals"].get(region) for region in (_region(number), _chief(number))]
    for spelling in (number.lstrip("+"), *rules.twins(number)):
        parsed = _parsed(f"+{spelling}")
        zones = (
            [_table()["renamed"].get(name, name) for name in timezone.time_zones_for_number(parsed)]
            if parsed
            else []
        )
        zones = sorted({zone for zone in zones if zone != _UNKNOWN})
        if zones and len({_offsets(zone) for zone in zones}) == 1:
            return next((main for main in mains if main in zones), zones[0])
    return mains[0]


@lru_cache(maxsize=10_000)
def country_of(number: str) -> str | None:
    """The country of a number, in E.164 (ISO 3166, two letters); None where it is not certain, or has none.

    No chief country of a shared code stands in for it: this is written down as evidence.
    """
    parsed = _parsed(number)
    region = str(phonenumbers.region_code_for_number(parsed) or "") if parsed else ""
    return region if region.isalpha() else None


def _offsets(zone: str) -> tuple[Any, Any]:
    place = ZoneInfo(zone)
    return _WINTER.astimezone(place).utcoffset(), _SUMMER.astimezone(place).utcoffset()


def _region(number: str) -> str:
    """The country of a number, or the chief one of its country code; "" when it has none."""
    parsed = _parsed(number)
    if parsed is None:
        return ""
    region: str | None = phonenumbers.region_code_for_number(parsed)
    return region or _chief(number)


def _chief(number: str) -> str:
    parsed = _parsed(number)
    return str(phonenumbers.region_code_for_country_code(parsed.country_code)) if parsed else ""


def _parsed(number: str) -> Any:
    try:
        return phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("sayso.people").joinpath("countries.toml").read_text(encoding="utf-8"))
