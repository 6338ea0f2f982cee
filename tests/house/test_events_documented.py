"""The catalogue of events and its page say the same."""

import re
from pathlib import Path

from sayso.events.service import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def test_every_event_has_its_row_and_every_row_its_event() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+?) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert rows == CATALOGUE
