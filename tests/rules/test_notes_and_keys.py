"""Signed notes, and the file of the keys that sign them."""

import json
import stat
import string
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sayso.core import keys, notes
from sayso.core.errors import SettingError
from sayso.core.keys import Keys
from sayso.core.notes import Checkpoint, NoteError
from sayso.core.settings import TokenSettings

AT = datetime(2026, 11, 23, tzinfo=UTC)
MADE = Checkpoint("example.org/decisions", 7, bytes(range(32)))


def load(folder: Path, name: str | None = None) -> Keys:
    given = {"sayso_data_dir": folder} | ({"sayso_receipt_keys": folder / name} if name else {})
    return keys.load(TokenSettings.model_validate(given), now=lambda: AT)


def signed(held: Keys) -> str:
    return notes.sign(MADE, public=held.public_bytes()[held.kid], by=held.sign_bytes)


def test_a_note_is_spelt_as_transparency_logs_spell_it_and_reads_back(tmp_path: Path) -> None:
    held = load(tmp_path)
    note = signed(held)
    text, _, signature = note.partition("\n\n")
    assert text == "example.org/decisions\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert signature.startswith("— example.org/decisions ")
    assert notes.read(note, held.public_bytes()) == (MADE, held.kid)
    cosigned = f"{note}— witness.example AAAAAAAA\n"
    assert notes.read(cosigned, held.public_bytes()) == (MADE, held.kid), "other signatures are passed over"


def test_a_note_that_was_changed_anywhere_is_refused(tmp_path: Path) -> None:
    held = load(tmp_path)
    note, taken = signed(held), 0
    for place, was in enumerate(note.rstrip("\n")):
        for other in set(string.ascii_letters + string.digits + "+/=\n ") - {was}:
            try:
                notes.read(note[:place] + other + note[place + 1 :], held.public_bytes())
            except NoteError:
                continue
            taken += 1
    assert taken == 0


def test_a_note_by_another_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoteError, match="none of these keys"):
        notes.read(signed(load(tmp_path / "one")), load(tmp_path / "two").public_bytes())


@pytest.mark.parametrize("text", ["", "a", "a\nb\nc\n\nd", f"{MADE.text()}", f"{MADE.text()}\nno signature"])
def test_what_is_no_note_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(NoteError):
        notes.read(text, load(tmp_path).public_bytes())


def test_keys_are_made_once_for_this_account_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load(tmp_path).kid, range(8)))
    assert len(set(made)) == 1
    path = tmp_path / "receipt-keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_named_file_is_used_instead(tmp_path: Path) -> None:
    load(tmp_path, "mine.json")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.json"]


def test_what_is_published_holds_nothing_private(tmp_path: Path) -> None:
    held = load(tmp_path)
    [published] = held.published()["keys"]
    assert published.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    private = json.loads((tmp_path / "receipt-keys.json").read_text())["keys"][0]["d"]
    assert private not in json.dumps(held.published())


def test_a_rotation_signs_with_a_new_key_and_goes_on_publishing_the_old_ones(tmp_path: Path) -> None:
    settings = TokenSettings(sayso_data_dir=tmp_path)
    first = load(tmp_path)
    note = signed(first)
    second = keys.rotate(settings, now=lambda: AT)
    third = keys.rotate(settings, now=lambda: AT)
    assert [key["kid"] for key in load(tmp_path).jwks] == [third.kid, second.kid, first.kid]
    file = json.loads((tmp_path / "receipt-keys.json").read_text())
    assert ["d" in key for key in file["keys"]] == [True, False, False]
    assert notes.read(note, load(tmp_path).public_bytes()) == (MADE, first.kid)
    assert stat.S_IMODE((tmp_path / "receipt-keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}', "[1]"])
def test_a_file_that_holds_no_such_keys_is_said_to(tmp_path: Path, text: str) -> None:
    (tmp_path / "receipt-keys.json").write_text(text)
    with pytest.raises(SettingError, match="does not hold the keys of receipts"):
        load(tmp_path)


def test_a_file_whose_first_key_cannot_sign_is_said_to(tmp_path: Path) -> None:
    held = load(tmp_path)
    (tmp_path / "receipt-keys.json").write_text(json.dumps(held.published()))
    with pytest.raises(SettingError, match="no private part"):
        load(tmp_path)


def test_a_place_that_cannot_be_written_is_said_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="SAYSO_RECEIPT_KEYS"):
        load(tmp_path / "file")
