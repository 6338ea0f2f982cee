"""The chain of the ledger: whatever is changed in it is found, entry by entry and column by column."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.consent import chain
from sayso.consent.chain import Head, Line, verify
from sayso.core.chains import NOTHING

KEY = b"k" * 32
AT = datetime(2026, 3, 14, 12, 0, 0, 123456, tzinfo=UTC)
PEOPLE = ("per_a", "per_b", "per_a", "per_c", "per_b", "per_a")


def ledger(people: Sequence[str] = PEOPLE, *, start: int = 1) -> list[Line]:
    """Entries of some people, whole."""
    lines: list[Line] = []
    last: dict[str, bytes] = {}
    for seq, person in enumerate(people, start=start):
        personal = {"wording": f"yes {seq}", "evidence": ["form"], "identifiers": {"phone": "+1555"}}
        salt = bytes([seq]) * 16
        line = Line(
            seq=seq,
            id=f"con_{seq}",
            client_id="bot",
            person_id=person,
            action="granted" if seq % 2 else "withdrawn",
            scope=("all",),
            method="keyword",
            about=None,
            captured_at=AT + timedelta(seconds=seq),
            received_at=AT + timedelta(seconds=seq + 1),
            expires_at=AT + timedelta(days=365),
            verified=True,
            personal=personal,
            salt=salt,
            personal_digest=chain.personal_digest(personal, salt),
            prev_hash=lines[-1].hash if lines else NOTHING,
            person_prev_hash=last.get(person, NOTHING),
        )
        line = replace(line, hash=chain.digest(line))
        last[person] = line.hash
        lines.append(line)
    return lines


def head_of(lines: Sequence[Line]) -> Head:
    return Head(lines[-1].seq, lines[-1].hash, chain.seal(lines[-1].seq, lines[-1].hash, KEY))


def found(lines: Sequence[Line], head: Head | None = None) -> bool:
    return bool(verify(lines, head=head or head_of(ledger()), key=KEY).findings)


def test_what_was_written_is_whole() -> None:
    walk = verify(ledger(), head=head_of(ledger()), key=KEY)
    assert (walk.findings, walk.entries, walk.erased) == ([], 6, 0)
    assert verify([], head=Head(0, NOTHING), key=KEY).findings == []


CHANGED: dict[str, Callable[[Line], Any]] = {
    "seq": lambda line: line.seq + 10,
    "id": lambda _: "con_forged",
    "client_id": lambda _: "other",
    "person_id": lambda line: "per_b" if line.person_id == "per_a" else "per_a",
    "action": lambda line: "withdrawn" if line.action == "granted" else "granted",
    "scope": lambda _: ("marketing",),
    "method": lambda _: "api",
    "about": lambda _: "con_1",
    "captured_at": lambda line: line.captured_at + timedelta(microseconds=1),
    "received_at": lambda line: line.received_at - timedelta(microseconds=1),
    "expires_at": lambda _: None,
    "verified": lambda _: False,
    "personal": lambda line: {**(line.personal or {}), "wording": "I never said so"},
    "salt": lambda _: b"x" * 16,
    "personal_digest": lambda _: b"x" * 32,
    "prev_hash": lambda _: b"x" * 32,
    "person_prev_hash": lambda _: b"x" * 32,
    "hash": lambda _: b"x" * 32,
}


def test_every_column_is_tried() -> None:
    assert set(CHANGED) == {field.name for field in fields(Line)}


@pytest.mark.parametrize(("column", "row"), list(itertools.product(CHANGED, range(len(PEOPLE)))))
def test_a_change_of_any_column_of_any_entry_is_found(column: str, row: int) -> None:
    lines = ledger()
    lines[row] = replace(lines[row], **{column: CHANGED[column](lines[row])})
    assert found(lines)


@pytest.mark.parametrize(("column", "row"), list(itertools.product(CHANGED, range(len(PEOPLE)))))
def test_a_change_whose_hash_is_made_to_fit_is_found_by_what_follows_or_by_the_head(
    column: str, row: int
) -> None:
    lines = ledger()
    changed = replace(lines[row], **{column: CHANGED[column](lines[row])})
    if column == "personal":
        changed = replace(changed, personal_digest=chain.personal_digest(changed.personal, changed.salt))  # type: ignore[arg-type]
    lines[row] = replace(changed, hash=chain.digest(changed)) if column != "hash" else changed
    assert found(lines)


@pytest.mark.parametrize("row", range(len(PEOPLE)))
def test_an_entry_that_is_gone_is_missed_the_last_one_too(row: int) -> None:
    lines = ledger()
    del lines[row]
    assert found(lines)


@pytest.mark.parametrize("pair", list(itertools.combinations(range(len(PEOPLE)), 2)))
def test_another_order_is_found(pair: tuple[int, int]) -> None:
    lines = ledger()
    lines[pair[0]], lines[pair[1]] = lines[pair[1]], lines[pair[0]]
    assert found(lines)


@pytest.mark.parametrize("row", range(len(PEOPLE)))
def test_a_fork_is_found(row: int) -> None:
    """A second entry of the same number, which follows the same one, and whose own hash is right."""
    lines = ledger()
    twin = replace(lines[row], id="con_twin", action="granted", hash=b"")
    twin = replace(twin, hash=chain.digest(twin))
    assert found([*lines[: row + 1], twin, *lines[row + 1 :]])
    assert found([*lines[:row], twin, *lines[row + 1 :]])


@pytest.mark.parametrize("row", range(len(PEOPLE)))
def test_an_erasure_leaves_the_chain_whole_and_half_of_one_does_not(row: int) -> None:
    lines = ledger()
    whole = lines[row]
    lines[row] = replace(whole, personal=None, salt=None)
    assert verify(lines, head=head_of(lines), key=KEY).findings == []
    for half in (replace(whole, personal=None), replace(whole, salt=None)):
        lines[row] = half
        assert found(lines)


@pytest.mark.parametrize("salt", [b"", b"x" * 15, b"x" * 17])
def test_a_wording_forged_with_another_salt_is_found(salt: bytes) -> None:
    """Nor does a short salt let a part of the wording move into it: the length of the salt is checked."""
    lines = ledger()
    lines[2] = replace(lines[2], personal={"wording": "I agree to everything"}, salt=salt)
    assert found(lines)


def test_a_chain_written_anew_lacks_the_seal() -> None:
    forged = ledger(("per_a", "per_b"))
    own_seal = Head(2, forged[-1].hash, chain.seal(2, forged[-1].hash, b"another key of whoever forged it"))
    assert found(forged, own_seal)
    assert found(forged, Head(2, forged[-1].hash, None))
    assert not found(forged, head_of(forged))
    assert verify(forged, head=own_seal, key=None).findings == [], "without the key nobody can tell"


def test_a_chain_without_its_head_is_not_whole() -> None:
    assert verify(ledger(), head=None, key=KEY).findings


def test_one_persons_part_is_verified_by_itself() -> None:
    part = [line for line in ledger() if line.person_id == "per_a"]
    assert verify(part, head=head_of(ledger()), key=KEY, extent="person").findings == []
    for cut in ([part[0], part[2]], [part[1], part[2]], [part[1], part[0], part[2]]):
        assert verify(cut, head=head_of(ledger()), key=KEY, extent="person").findings


def test_some_entries_are_verified_each_by_itself_and_in_their_order() -> None:
    some = ledger()[2:5]
    assert verify(some, head=head_of(ledger()), key=KEY, extent="some").findings == []
    assert verify([some[1], some[0]], head=head_of(ledger()), key=KEY, extent="some").findings
    some[1] = replace(some[1], action="expired")
    assert verify(some, head=head_of(ledger()), key=KEY, extent="some").findings


@given(st.data())
def test_no_two_different_ledgers_have_one_end(data: st.DataObject) -> None:
    people = data.draw(st.lists(st.sampled_from(["per_a", "per_b"]), min_size=1, max_size=6))
    others = data.draw(st.lists(st.sampled_from(["per_a", "per_b"]), min_size=1, max_size=6))
    assert (ledger(people)[-1].hash == ledger(others)[-1].hash) == (people == others)
