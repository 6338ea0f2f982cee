"""Which of a person's words about being messaged holds."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sayso.consent.rules import Action, Entry, standing

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def entry(name: str, action: Action, minutes: int) -> Entry:
    return Entry(name, action, "keyword", START + timedelta(minutes=minutes))


def test_who_never_said_anything_has_no_standing() -> None:
    assert standing([]) is None


def test_the_latest_word_holds_in_whatever_order_it_became_known() -> None:
    said = [
        entry("a", "withdrawn", 0),
        entry("b", "granted", 5),
        entry("c", "withdrawn", 9),
        entry("d", "granted", 2),
    ]
    for order in itertools.permutations(said):
        assert standing(order) == said[2]


def test_an_old_start_that_comes_late_lifts_nothing() -> None:
    assert standing([entry("stop", "withdrawn", 10), entry("start", "granted", 3)]) == entry(
        "stop", "withdrawn", 10
    )


def test_of_two_words_of_one_second_the_more_restrictive_holds() -> None:
    both = [entry("start", "granted", 1), entry("stop", "withdrawn", 1)]
    assert standing(both) == standing(both[::-1]) == both[1]


_ENTRIES = st.lists(
    st.tuples(st.sampled_from(["granted", "withdrawn"]), st.integers(0, 5)), min_size=1, max_size=8
)


@given(_ENTRIES, st.randoms())
def test_the_standing_never_depends_on_the_order_of_the_ledger(
    said: list[tuple[Action, int]], rng: object
) -> None:
    ledger = [entry(f"con_{n}", action, minutes) for n, (action, minutes) in enumerate(said)]
    mixed = list(ledger)
    rng.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    holds, again = standing(ledger), standing(mixed)
    assert holds is not None
    assert again is not None
    assert (holds.action, holds.captured_at) == (again.action, again.captured_at)
    latest = max(line.captured_at for line in ledger)
    assert holds.captured_at == latest
    out = any(line.action == "withdrawn" and line.captured_at == latest for line in ledger)
    assert (holds.action == "withdrawn") == out
