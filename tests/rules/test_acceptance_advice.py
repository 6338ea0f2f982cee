"""What is said at once of a message that the 24-hour window does not carry, or may not."""

from datetime import UTC, datetime, timedelta

import pytest

from sayso.messages.acceptance_advice import Window, advice
from sayso.messages.rules import WINDOW, WINDOW_MARGIN

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TEMPLATE = "daily_summary (en)"


def window(
    wrote: timedelta | None = None, *, heard: timedelta | None = None, refused: timedelta | None = None
) -> Window:
    """A window: how long ago the person wrote, since when we hear everything, when Meta said that it is closed."""
    return Window.of(
        None if wrote is None else NOW - wrote,
        None if heard is None else NOW - heard,
        NOW,
        refused_at=None if refused is None else NOW - refused,
    )


ENDS = "it ends at 2026-03-15 10:55 UTC, the person last wrote at 2026-03-14 11:00 UTC."
LATER = f"At `send_at` the 24-hour window is closed: {ENDS}"
LONG_AGO = "The 24-hour window closed at 2026-03-13 12:00 UTC."
NEVER = "The person has never written to this number."
REFUSED = "Meta refused what was posted at 2026-03-14 11:00 UTC since the 24-hour window is closed (131047)."
UNKNOWN = "It is not known that the person has written in the last 24 hours."
FALLBACK = "So it goes out as its fallback, the template daily_summary (en)"
UNLESS = ", unless the person writes before."
NONE_GIVEN = (
    f"Then only a template may be sent, and no `fallback` is given: the message will be suppressed{UNLESS}"
)
SEND_ANEW = "To be sure, cancel it and send it again with a `fallback`."
AT_METAS = "If they have not, Meta refuses it; with a `fallback` template it goes out in any case."

#: window, in how long it is to go out, template, what is said; None: nothing needs to be said.
CASES: list[tuple[Window, timedelta | None, str | None, str | None]] = [
    (window(HOUR), None, None, None),
    (window(HOUR), None, TEMPLATE, None),
    (window(HOUR), HOUR, None, None),
    (window(HOUR), DAY, None, f"{LATER} {NONE_GIVEN} {SEND_ANEW}"),
    (window(HOUR), DAY, TEMPLATE, f"{LATER} {FALLBACK}{UNLESS}"),
    (window(2 * DAY), None, TEMPLATE, f"{LONG_AGO} {FALLBACK}."),
    (window(2 * DAY), HOUR, None, f"{LONG_AGO} {NONE_GIVEN} {SEND_ANEW}"),
    (window(heard=2 * DAY), DAY, None, f"{NEVER} {NONE_GIVEN} {SEND_ANEW}"),
    (window(refused=HOUR), None, TEMPLATE, f"{REFUSED} {FALLBACK}."),
    (window(), None, None, f"{UNKNOWN} {AT_METAS}"),
    (window(), None, TEMPLATE, f"{UNKNOWN} {FALLBACK}."),
]


@pytest.mark.parametrize(("known", "later", "template", "said"), CASES)
def test_what_the_window_does_not_carry_is_said_with_what_becomes_of_it(
    known: Window, later: timedelta | None, template: str | None, said: str | None
) -> None:
    assert advice(known, None if later is None else NOW + later, template) == said


def test_it_is_said_from_the_moment_on_at_which_the_window_ends() -> None:
    ends = NOW - HOUR + WINDOW - WINDOW_MARGIN
    assert advice(window(HOUR), ends - timedelta(seconds=1), None) is None
    assert advice(window(HOUR), ends, None) is not None
