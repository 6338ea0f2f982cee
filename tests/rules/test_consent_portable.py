"""The ledger on paper: read back as it was written, harmless in a spreadsheet; and files of opt-ins."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.consent import chain, portable
from sayso.consent.chain import Head, Line
from sayso.consent.portable import Imported, Rejected
from sayso.core.chains import NOTHING
from sayso.core.errors import InputInvalidError
from sayso.inbound.importing import checked

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
LINE = Line(
    seq=1,
    id="con_1",
    client_id="bot",
    person_id="per_1",
    action="granted",
    scope=("confirmations", "marketing"),
    method="web_form",
    about=None,
    captured_at=NOW,
    received_at=NOW + timedelta(microseconds=7),
    expires_at=None,
    verified=True,
    personal={"wording": "yes", "identifiers": {"phone": "+15550001111"}, "evidence": ["a", "b"]},
    salt=b"s" * 16,
    personal_digest=b"d" * 32,
    prev_hash=NOTHING,
    person_prev_hash=NOTHING,
    hash=b"h" * 32,
)


@pytest.mark.parametrize(
    "line", [LINE, replace(LINE, personal=None, salt=None, expires_at=NOW, about="con_0")]
)
@pytest.mark.parametrize("seal", [None, b"z" * 32])
def test_an_export_is_read_back_as_it_was_written(line: Line, seal: bytes | None) -> None:
    head = Head(1, LINE.hash, seal)
    text = (
        portable.opening("all", head, NOW) + json.dumps(portable.as_json(line)) + portable.closing(b"f" * 32)
    )
    read = portable.read_export(text)
    assert (read.extent, read.head, read.lines, read.seal) == ("all", head, [line], b"f" * 32)
    assert chain.digest(read.lines[0]) == chain.digest(line)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}', "7", "null", '{"format": null}'])
def test_what_is_no_export_is_refused_in_words(text: str) -> None:
    with pytest.raises(InputInvalidError, match="no export of a consent ledger") as caught:
        portable.read_export(text)
    assert "Error" not in caught.value.detail  # no word of Python's


@given(st.text(max_size=20))
def test_no_cell_of_the_csv_is_a_formula(said: str) -> None:
    line = replace(LINE, personal={"wording": said, "evidence": [said], "identifiers": {"bsuid": said}})
    [row] = list(csv.DictReader(io.StringIO(portable.csv_head() + portable.csv_row(line), newline="")))
    assert None not in row
    for cell in row.values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert row["wording"].removeprefix("'") == said.removeprefix("'") or row["wording"] == f"'{said}"


@pytest.mark.parametrize("sign", ["\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_sign_in_full_width_begins_no_formula_either(sign: str) -> None:
    line = replace(LINE, personal={"wording": f"{sign}1+1"})
    [row] = list(csv.DictReader(io.StringIO(portable.csv_head() + portable.csv_row(line))))
    assert row["wording"] == f"'{sign}1+1"


def test_the_csv_says_what_the_entry_says() -> None:
    [row] = list(csv.DictReader(io.StringIO(portable.csv_head() + portable.csv_row(LINE))))
    assert row["phone"] == "'+15550001111"
    assert row["scope"] == "confirmations marketing"
    assert row["evidence"] == "a b"
    assert row["verified"] == "true"
    assert row["expires_at"] == ""


CSV = (
    "\ufeffphone,captured_at,wording,evidence,scope\r\n"
    '+15550001111,2026-01-01T10:00:00,"I agree, of course",form 7,"confirmations marketing"\r\n'
    "+15550002222,,,,\r\n"
)


def test_a_row_with_its_proof_is_verified_and_one_without_is_not() -> None:
    one, two = portable.read_import(CSV, name="in.csv", now=NOW)
    assert one == Imported(
        1,
        "+15550001111",
        ("confirmations", "marketing"),
        datetime(2026, 1, 1, 10, tzinfo=UTC),
        None,
        verified=True,
        personal={"wording": "I agree, of course", "evidence": ["form 7"]},
    )
    assert two == Imported(2, "+15550002222", ("all",), None, None, verified=False, personal={})


@pytest.mark.parametrize("name", ["in.json", "in.jsonl"])
def test_json_is_read_as_csv_is(name: str) -> None:
    row = {"bsuid": "US.1", "wording": "yes", "evidence": "x", "captured_at": "2026-01-01T10:00:00+01:00"}
    text = json.dumps([row]) if name == "in.json" else json.dumps(row) + "\n\n"
    [read] = portable.read_import(text, name=name, now=NOW)
    assert isinstance(read, Imported)
    assert read.recipient == "US.1"
    assert read.verified


def test_a_line_of_json_ends_at_its_line_break_alone() -> None:
    row = {"phone": "+15550001111", "wording": "one\u2028two\u0085three"}
    text = json.dumps(row, ensure_ascii=False) + "\r\n"
    [read] = portable.read_import(text, name="in.jsonl", now=NOW)
    assert isinstance(read, Imported)
    assert read.personal == {"wording": row["wording"]}


def test_several_texts_are_one_cell_and_no_other_value_is_made_one() -> None:
    row = {"phone": "+15550001111", "scope": ["confirmations", "marketing"], "evidence": ["form 7", "call 8"]}
    one, *others = portable.read_rows([row, row | {"evidence": {"form": 7}}, row | {"scope": [1]}], now=NOW)
    assert isinstance(one, Imported)
    assert (one.scope, one.personal) == (("confirmations", "marketing"), {"evidence": ["form 7 call 8"]})
    assert ["list of texts" in other.why for other in others if isinstance(other, Rejected)] == [True, True]


@pytest.mark.parametrize("blank", ["wording", "evidence", "captured_at"])
def test_what_is_blank_proves_nothing(blank: str) -> None:
    row = {
        "phone": "+1",
        "wording": "yes",
        "evidence": "form 7",
        "captured_at": "2026-01-01",
        blank: " \u3000",
    }
    [read] = portable.read_rows([row], now=NOW)
    assert isinstance(read, Imported)
    assert not read.verified
    assert blank not in read.personal


def test_half_a_character_is_said_before_anything_is_written() -> None:
    text = '[{"phone": "+15550001111"}, {"phone": "+15550002222", "wording": "\\ud83d"}]'
    good, wrong = checked(portable.read_import(text, name="in.json", now=NOW))
    assert [row.number for row in good] == [1]
    assert [(row.number, "cannot be stored" in row.why) for row in wrong] == [(2, True)]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_csv_is_known_by_its_ending_in_capitals_and_read_with_any_line_ends(end: str) -> None:
    [read] = portable.read_import(f"phone{end}+15550001111{end}", name="IN.CSV", now=NOW)
    assert isinstance(read, Imported)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"wording": "yes"}, "no recipient"),
        ({"phone": "+1", "wroding": "x"}, "unknown column wroding"),
        ({"phone": "+1", "scope": "all everything"}, "unknown scope everything"),
        ({"phone": "+1", "captured_at": "yesterday"}, "not a time"),
        ({"phone": "+1", "captured_at": "2027-01-01"}, "in the future"),
        ({"phone": "+1", "expires_at": "soon"}, "not a time"),
    ],
)
def test_a_row_that_cannot_be_taken_in_says_why(row: dict[str, str], why: str) -> None:
    [read] = portable.read_import(json.dumps([row]), name="in.json", now=NOW)
    assert isinstance(read, Rejected)
    assert why in read.why


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{", "a.json"),
        ("{}", "a.json"),
        ("[1]", "a.json"),
        ("x\n", "a.jsonl"),
        ('a\n"x', "a.csv"),
        ("[" * 100_000, "a.json"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(text: str, name: str) -> None:
    with pytest.raises(InputInvalidError, match="cannot be read"):
        portable.read_import(text, name=name, now=NOW)


@pytest.mark.parametrize(
    ("text", "name", "what_to_do"),
    [
        ("recipient;wording\n+15550001111;ok\n", "in.csv", "separate them by commas"),
        ("recipient\twording\n+15550001111\tok\n", "in.csv", "separate them by commas"),
        ("recipient\n+15550001111\n", "in.txt", "CSV is read from a file that ends in .csv"),
        ("", "in.json", "CSV is read from a file that ends in .csv"),
    ],
)
def test_a_file_in_another_form_is_told_the_form_once(text: str, name: str, what_to_do: str) -> None:
    with pytest.raises(InputInvalidError) as refused:
        portable.read_import(text, name=name, now=NOW)
    assert what_to_do in refused.value.detail


def test_more_cells_than_columns_are_a_mistake() -> None:
    [read] = portable.read_import("phone\n+1,2\n", name="a.csv", now=NOW)
    assert isinstance(read, Rejected)
