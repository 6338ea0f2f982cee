"""Meta's error codes: the sheet's list, our table, our page and what the simulator can raise are the same."""

import re
import runpy
from pathlib import Path

from sayso.simulator import error_codes
from sayso.whatsapp.failures import ROWS

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "meta-errors.md"

#: Every code that cloud-api 5.3 has a line for, and the others that it and messaging-facts C9 name; and what the
#: Graph API answers besides (15, 101, 2200).
SHEET = """
    0 1 2 3 4 10 17 33 100 104 190 192 200-299 200005-200007 368 613 803 80007 80008 130403 130429 130472 130497 131000
    131005 131008 131009 131016 131020 131041 131059 131200-131299 131021 131026 131030 131031 131037 131042 131044
    131045 131047 131048 131049 131050 131051 131052 131053 131055 131056 131057 131058 131060 131062 131063 131064
    132000 132001 132005 132007 132008 132012 132015 132016 132018 132068 132069 133000 133004 133005 133006 133008
    133009 133010 133015 133016 134011 134100 134101 134102 135000 137000 138000-138999 139100-139199 141006 141010
    147001-147005 2494100 2593107 2593108
"""
BESIDES = "15 101 2200"


def spelt_out(codes: object) -> set[int]:
    """The codes of a list of codes and ranges."""
    found: set[int] = set()
    for code in str(codes).split():
        first, _, last = code.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


SAID = spelt_out(SHEET) | spelt_out(BESIDES)


def test_the_table_has_every_code_of_the_sheet_and_no_other() -> None:
    table = spelt_out(" ".join(str(code) for row in ROWS for code in row.codes))
    assert sorted(SAID ^ table) == []


def test_the_simulator_raises_every_code_of_the_sheet_and_no_other() -> None:
    raised = set(error_codes.CODES) | {code for codes, _ in error_codes.RANGES for code in codes}
    assert sorted(SAID ^ raised) == []


def test_the_page_has_every_code_of_the_table_and_no_other() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    shown = [code for line in lines for code in re.findall(r"`([\d-]+)`", line.split("|")[1])]
    assert sorted(SAID ^ spelt_out(" ".join(shown))) == []
    assert len(lines) == len(ROWS)


def test_the_page_is_the_one_that_the_table_makes() -> None:
    page = runpy.run_path(str(PROJECT / "scripts" / "meta_errors.py"))["page"]()
    assert PAGE.read_text("utf-8") == page, "run: python scripts/meta_errors.py"


def test_every_row_says_what_the_operator_does() -> None:
    assert [row.codes for row in ROWS if not row.operator.endswith(".") or len(row.meaning) < 20] == []


def test_a_code_that_is_missing_would_be_noticed() -> None:
    assert spelt_out("1 3-5 9") == {1, 3, 4, 5, 9}
    assert spelt_out("200-299") ^ spelt_out("200-298") == {299}
