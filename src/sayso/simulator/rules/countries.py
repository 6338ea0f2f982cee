"""Where a person is, as far as their number tells: rates, restrictions and marketing depend on it (cloud-api.md 7)."""

from functools import lru_cache

import phonenumbers

from sayso.simulator.world.ids import region

#: Members of the European Union, with Iceland, Liechtenstein and Norway.
EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)


@lru_cache(maxsize=100_000)
def country(wa_id: str) -> str:
    """Tell the two-letter country of a number: by its area where numbers are shared, else by its calling code."""
    return _by_area(wa_id) or region(wa_id)


@lru_cache(maxsize=100_000)
def has_us_area_code(wa_id: str) -> bool:
    """Tell whether this is +1 with an area code of the United States (7.4); 555 is nobody's."""
    return wa_id.startswith("1") and _by_area(wa_id) == "US"


def _by_area(wa_id: str) -> str | None:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse("+" + wa_id))
    except phonenumbers.NumberParseException:
        return None
