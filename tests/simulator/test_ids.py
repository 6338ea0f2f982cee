"""Ids look like Meta's, and the same seed gives the same ones (cloud-api.md 2.2, 4.7)."""

import base64
import re
import subprocess
import sys

import pytest

from sayso.simulator.world.ids import Mint, bsuid, calling_code, number_id


@pytest.mark.parametrize(
    ("outbound", "middle", "tail"),
    [(True, b"\x15\x02\x00\x11\x18\x12", 18), (False, b"\x15\x02\x00\x12\x18\x14", 20)],
)
def test_wamid_is_a_record_with_the_digits_in_clear(*, outbound: bool, middle: bytes, tail: int) -> None:
    wamid = Mint().wamid("15550001111", outbound=outbound)
    record = base64.b64decode(wamid.removeprefix("wamid."))
    assert record.startswith(b"\x1c\x18\x0b15550001111" + middle)
    assert len(record) == 3 + 11 + 6 + tail + 1
    assert re.fullmatch(rb"[0-9A-F]{%d}" % tail, record[-tail - 1 : -1])


def test_same_seed_same_ids() -> None:
    one, other, none = Mint(7), Mint(7), Mint()
    assert one.wamid("15550001111", outbound=True) == other.wamid("15550001111", outbound=True)
    assert one.trace() == other.trace()
    assert none.trace() != one.trace()


def test_what_is_told_as_a_number_is_one_that_javascript_holds() -> None:
    mint = Mint(7)
    struck = [mint.number_id() for _ in range(1_000)] + [number_id("200", f"{each}") for each in range(1_000)]
    assert len(set(struck)) == len(struck)
    assert {len(each) for each in struck} == {16}
    assert max(map(int, struck)) < 2**53


def test_bsuid_belongs_to_a_person_and_a_portfolio() -> None:
    assert bsuid("300", "15550001111") == bsuid("300", "15550001111")
    assert bsuid("300", "15550001111") != bsuid("301", "15550001111")
    country, _, digits = bsuid("300", "447700900123").partition(".")
    assert country == "GB"
    assert digits.isdecimal()
    assert len(digits) == 20


@pytest.mark.parametrize(
    ("digits", "code"), [("15550001111", 1), ("447700900123", 44), ("351912345678", 351)]
)
def test_calling_code(digits: str, code: int) -> None:
    assert calling_code(digits) == code


def test_it_is_a_stranger_to_the_service() -> None:
    told = "import sys, sayso.simulator; print([m for m in sys.modules if m.startswith('sayso.')])"
    out = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout
    others = [name for name in eval(out) if not name.startswith("sayso.simulator")]  # noqa: S307  # our own list
    assert others == []
