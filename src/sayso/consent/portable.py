"""The ledger on paper: JSON that can be verified, CSV for spreadsheets, files of opt-ins to take in. Pure."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sayso.consent.chain import Extent, Head, Line
from sayso.consent.rules import ALL, SCOPES
from sayso.core.chains import instant
from sayso.core.errors import InputInvalidError
from sayso.core.moments import sound

FORM = "sayso.consent.export.1"
_BYTES = ("salt", "personal_digest", "prev_hash", "person_prev_hash", "hash")
_TIMES = ("captured_at", "received_at", "expires_at")
#: What a spreadsheet takes for the beginning of a formula, some of them in full width, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

#: Columns of the CSV: of the entry, then of what is personal.
ENTRY_COLUMNS = tuple(f.name for f in fields(Line) if f.name != "personal")
PERSONAL_COLUMNS = (
    "phone",
    "wa_id",
    "bsuid",
    "parent_bsuid",
    "business",
    "waba_id",
    "sender",
    "wording",
    "wording_version",
    "locale",
    "evidence",
    "source",
    "lawful_basis",
    "privacy_notice",
    "actor",
    "reason",
    "jurisdiction",
    "review_at",
    "time_zone",
)


def as_json(line: Line) -> dict[str, Any]:
    """An entry as a file holds it: bytes in hex, times as the hash spells them."""
    shown: dict[str, Any] = {f.name: getattr(line, f.name) for f in fields(Line)}
    for name in _BYTES:
        shown[name] = shown[name].hex() if shown[name] is not None else None
    for name in _TIMES:
        shown[name] = instant(shown[name]) if shown[name] is not None else None
    shown["scope"] = list(line.scope)
    return shown


def opening(extent: Extent, head: Head, at: datetime) -> str:
    """The beginning of a file; entries follow, separated by commas, then its end."""
    about = {
        "format": FORM,
        "extent": extent,
        "exported_at": instant(at),
        "head": {"seq": head.seq, "hash": head.hash.hex(), "seal": head.seal.hex() if head.seal else None},
    }
    return json.dumps(about)[:-1] + ', "entries": [\n'


def closing(seal: bytes) -> str:
    """The end of a file: its seal (:meth:`sayso.consent.chain.Tally.seal`)."""
    return f'\n], "seal": "{seal.hex()}"}}\n'


@dataclass(frozen=True, slots=True)
class Export:
    """A file of entries, read back; ``seal`` is that of the file."""

    extent: Extent
    head: Head
    lines: Sequence[Line]
    seal: bytes | None = None


def read_export(text: str) -> Export:
    """Read what an export wrote. Raises :class:`InputInvalidError` saying what is wrong with it."""
    try:
        data = json.loads(text)
        if data["format"] != FORM:
            raise InputInvalidError(f"The file is no export of a consent ledger ({FORM}).")
        extents: dict[str, Extent] = {"all": "all", "person": "person", "some": "some"}
        head = data["head"]
        return Export(
            extents[data["extent"]],
            Head(
                head["seq"],
                bytes.fromhex(head["hash"]),
                bytes.fromhex(head["seal"]) if head["seal"] else None,
            ),
            [_line(entry) for entry in data["entries"]],
            bytes.fromhex(data["seal"]) if data.get("seal") else None,
        )
    except json.JSONDecodeError as error:
        raise InputInvalidError(
            f"The file is no export of a consent ledger: no JSON, at line {error.lineno}."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        lacks = f": it lacks {error}" if isinstance(error, KeyError) else ""
        raise InputInvalidError(f"The file is no export of a consent ledger ({FORM}){lacks}.") from error


def _line(entry: Mapping[str, Any]) -> Line:
    given = dict(entry)
    for name in _BYTES:
        given[name] = bytes.fromhex(given[name]) if given[name] is not None else None
    for name in _TIMES:
        given[name] = datetime.fromisoformat(given[name]) if given[name] is not None else None
    return Line(**{**given, "scope": tuple(given["scope"])})


def csv_head() -> str:
    """The first row of the CSV."""
    return _row([*ENTRY_COLUMNS, *PERSONAL_COLUMNS])


def csv_row(line: Line) -> str:
    """An entry as a row. No cell is a formula: what would begin one stands behind an apostrophe."""
    entry = as_json(line)
    personal = dict(line.personal or {})
    personal |= personal.pop("identifiers", {})
    cells = [entry[name] for name in ENTRY_COLUMNS] + [personal.get(name) for name in PERSONAL_COLUMNS]
    return _row([_cell(cell) for cell in cells])


def _cell(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        value = " ".join(str(each) for each in value)
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = "" if value is None else str(value)
    return f"'{text}" if unicodedata.normalize("NFKC", text[:1]).startswith(_FORMULA) else text


def _row(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Imported:
    """One opt-in of a file: whom (as written), and the entry's parts. Without proof it is not ``verified``."""

    number: int
    recipient: str
    scope: tuple[str, ...]
    captured_at: datetime | None
    expires_at: datetime | None
    verified: bool
    personal: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be taken in, and why."""

    number: int
    why: str


def read_import(text: str, *, name: str, now: datetime, most: int | None = None) -> list[Imported | Rejected]:
    """Read a file of opt-ins: CSV with a head row, a JSON array, or JSON lines, by the ending of ``name``.

    Columns: ``recipient`` (or ``phone``, ``bsuid``); ``captured_at`` (ISO 8601), ``wording`` and ``evidence``, without
    which the opt-in is unverified; ``scope`` (separated by spaces, all by default), ``expires_at``, and any of the
    personal columns. No more than ``most`` rows are read. Raises :class:`InputInvalidError` for a file that is none of
    these.
    """
    try:
        rows = list(islice(_rows(text, name), most))
    except json.JSONDecodeError as error:
        forms = "CSV is read from a file that ends in .csv, JSON line by line from one in .jsonl"
        raise InputInvalidError(f"{name} cannot be read as JSON: {error}. {forms}.") from error
    except (ValueError, csv.Error, RecursionError) as error:
        raise InputInvalidError(f"{name} cannot be read: {error}") from error
    return read_rows(rows, now=now)


def read_rows(rows: Sequence[Mapping[str, Any]], *, now: datetime) -> list[Imported | Rejected]:
    """Read the rows of such a file; they are numbered from 1."""
    return [_imported(number, row, now) for number, row in enumerate(rows, start=1)]


def _rows(text: str, name: str) -> Iterator[Mapping[str, Any]]:
    text, name = text.removeprefix("\ufeff"), name.lower()
    if name.endswith(".csv"):
        head = text.partition("\n")[0]
        if "," not in head and (";" in head or "\t" in head):  # where the comma is in the numbers
            raise ValueError("its columns are separated by “;” or tabs; separate them by commas")
        yield from csv.DictReader(io.StringIO(text, newline=""), strict=True)
        return
    lines = name.endswith(".jsonl")  # JSON may hold U+2028 and the like, at which splitlines would cut it
    found = [json.loads(line) for line in text.split("\n") if line.strip()] if lines else json.loads(text)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ValueError("it does not hold a list of objects")
    yield from found


def _imported(number: int, row: Mapping[str, Any], now: datetime) -> Imported | Rejected:
    try:
        given = {key: cell for key, value in row.items() if key and (cell := _cell_of(value))}
    except TypeError:
        return Rejected(number, "holds something other than a text, a number or a list of texts")
    known = {"recipient", "phone", "bsuid", "scope", "captured_at", "expires_at", *PERSONAL_COLUMNS}
    unknown = sorted(set(given) - known)
    if unknown or None in row:
        return Rejected(number, f"unknown column {', '.join(unknown) or '(more cells than columns)'}")
    recipient = given.pop("recipient", None) or given.pop("phone", None) or given.pop("bsuid", None)
    if recipient is None:
        return Rejected(number, "no recipient, phone or bsuid")
    scope = tuple(given.pop("scope", ALL).replace(",", " ").split())
    strange = [each for each in scope if each not in (ALL, *SCOPES)]
    if strange or not scope:
        what = f"unknown scope {', '.join(strange)}" if strange else "no scope"
        return Rejected(number, f"{what}; there are: all, {', '.join(SCOPES)}")
    try:
        captured = _moment(given.pop("captured_at", None))
        expires = _moment(given.pop("expires_at", None))
    except ValueError as error:
        return Rejected(number, f"not a time: {error}")
    if captured is not None and captured > now:
        return Rejected(number, "captured_at lies in the future")
    personal: dict[str, Any] = {name: given[name] for name in PERSONAL_COLUMNS if name in given}
    if "evidence" in personal:
        personal["evidence"] = [personal["evidence"]]
    verified = captured is not None and "wording" in personal and "evidence" in personal
    return Imported(number, recipient, scope, captured, expires, verified, personal)


def _cell_of(value: Any) -> str:
    """A value of a row as text; of several texts one, as a cell of CSV has them. A blank one is none."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value).strip()
    if isinstance(value, dict):
        raise TypeError
    return str(value).strip()


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return sound(at.replace(tzinfo=UTC) if at.tzinfo is None else at)
