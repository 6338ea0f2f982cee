"""The canonical form is RFC 8785's, by whichever way it is made; what has none is refused."""

from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from sayso.core import canonical
from sayso.core.errors import InputInvalidError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
FRACTIONS = st.floats(-(2.0**53) + 1, 2.0**53 - 1)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), FRACTIONS, TEXTS)
VALUES = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXTS, inner)), max_leaves=20
)


@given(VALUES)
@example({"b": 1, "a": {"": [True, None, '\x00\x1f\x7f\u2028\\"/'], "B": ()}})
@example({"\U00010000": 1, "\uffff": 2, "é": 1e-21, "z": 1.0, "y": -0.0})
@example(["".join(map(chr, range(0x300)))])
def test_every_way_to_the_canonical_form_comes_to_the_same(value: Any) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [2**53, {"a": [-(2**53)]}, 2.0**53, {"é": [-1e20]}, float("nan"), "\ud800", {"\udfff": 1}, {1: 2}],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(InputInvalidError):
        canonical.encode(value)
