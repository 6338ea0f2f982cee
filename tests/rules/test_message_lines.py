"""A message in a terminal of 80 columns: nothing of it is lost, and no number is shown in full."""

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from sayso.cli import lines, messages
from sayso.messages.story import Story
from sayso.people.service import Person

WHY = (
    "gave up after 5 attempts: Meta 131016 Service unavailable: a part of Meta's service is down for the moment; "
    "it can be sent again"
)
ALICE = Person(id="per_1", ids=("per_1",), name="Alice", phone="+15550001111", wa_id=None, bsuid=None)
ROW: dict[str, Any] = {
    "id": "msg_01k9y3v6e8m0q2s4t6w8x0z2b4",
    "person_id": "per_1",
    "created_at": datetime(2026, 3, 31, 9, 30, 5, 999_000, tzinfo=UTC),
    "state": "suppressed",
    "purpose": "send",
    "type": "template",
    "form": None,
    "template_name": "order_ready",
    "template_language": "en_US",
    "attempt": 5,
    "send_at": None,
    "held": None,
    "reason": WHY,
}


def drawn(row: dict[str, Any], *, columns: int, terminal: bool = True) -> list[str]:
    """The lines below the head."""
    console = Console(
        file=io.StringIO(), width=columns, force_terminal=terminal, color_system=None, highlight=False
    )
    console.print(lines.messages(console, [row], {"per_1": ALICE}), soft_wrap=not terminal)
    assert isinstance(console.file, io.StringIO)
    head, *below = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert head.startswith("time (UTC)")
    return below


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_a_terminal_shows_all_of_a_message_whatever_its_width(columns: int) -> None:
    first, *others = drawn(ROW, columns=columns)
    assert first.startswith("2026-03-31 09:30:05  msg_01k9y3v6e8m0q2s4t6w8x0z2b4  suppressed")
    assert max(map(len, [first, *others])) <= columns
    whole = " ".join(" ".join([first, *others]).split())
    assert whole.endswith(f"to Alice (…1111) · send as template order_ready (en_US) · 5 attempts · {WHY}")
    assert "0001111" not in whole


def test_a_pipe_gets_one_line_for_each() -> None:
    [line] = drawn(ROW, columns=80, terminal=False)
    assert line.endswith(WHY)


def test_what_holds_a_message_counts_before_what_was_the_matter_last() -> None:
    row = {**ROW, "type": "text", "form": "template", "attempt": 1, "held": "the template is paused"}
    said = lines.about(row, ALICE)
    assert said == "to Alice (…1111) · send as template order_ready (en_US) · the template is paused"
    assert (
        lines.about({**row, "form": "session", "held": None, "reason": None}, ALICE)
        == "to Alice (…1111) · send as text"
    )


def test_what_is_scheduled_says_for_when() -> None:
    row = {
        **ROW,
        "state": "queued",
        "type": "text",
        "attempt": 0,
        "send_at": datetime(2026, 4, 1, 7, tzinfo=UTC),
        "reason": None,
    }
    assert lines.about(row, ALICE) == "to Alice (…1111) · send as text · to go out at 2026-04-01 07:00:00 UTC"
    for over in ({"attempt": 1}, {"state": "cancelled"}):
        assert "to go out" not in lines.about({**row, **over}, ALICE)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_story_is_told_in_columns_and_in_a_pipe_by_the_line(terminal: bool) -> None:
    posted = datetime(2026, 3, 31, 9, 30, 5, 900_000, tzinfo=UTC)
    steps = (
        (posted, "sending", ""),
        (posted - timedelta(seconds=3), "failed", WHY),
    )  # Meta's clock is behind
    told = Story((("state", "failed"), ("lane", WHY)), steps, "Nothing.")
    console = Console(
        file=io.StringIO(), width=80, force_terminal=terminal, color_system=None, highlight=False
    )
    lines.story(console, told)
    assert isinstance(console.file, io.StringIO)
    written = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert "state      failed" in written
    assert "2026-03-31 09:30:05  sending" in written
    assert any(line.startswith("2026-03-31 09:30:05  failed     gave up after 5") for line in written)
    assert "next       Nothing." in written
    assert "time (UTC)" in written
    [why] = [line for line in written if line.startswith("lane ")]
    if terminal:
        assert max(map(len, written)) <= 80
        below = written[written.index(why) + 1]
        assert below.startswith(" " * 11)
        assert below[11] != " "
    else:
        assert why == f"lane       {WHY}"


@pytest.mark.parametrize(("said", "back"), [("12h", timedelta(hours=12)), ("9999999d", timedelta(36_525))])
def test_however_far_back_somebody_looks_it_is_a_time(said: str, back: timedelta) -> None:
    now = datetime(2026, 3, 31, tzinfo=UTC)
    rt: Any = SimpleNamespace(now=lambda: now)
    assert messages._since(rt, said) == now - back
