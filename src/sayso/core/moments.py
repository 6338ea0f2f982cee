"""Moments that callers name: such as calculations and the database can hold, in whatever time zone."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

#: Far from where a calendar ends: a day may be added or taken off, and any time zone be turned into any other.
_FIRST: Final = datetime(1970, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9998, 12, 31, tzinfo=UTC)


def sound(at: datetime) -> datetime:
    """The same; raises ValueError for a moment that lies where no calculation can go on."""
    if not _FIRST <= at <= _LAST:
        raise ValueError("is no time between the years 1970 and 9998")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(sound)]
