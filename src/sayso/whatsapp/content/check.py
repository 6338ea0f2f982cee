"""Checking what is to be sent against everything Meta would refuse; each finding points at its field."""

import re
import unicodedata
from datetime import date
from typing import Final
from urllib.parse import urlsplit

import msgspec

from sayso.core.errors import ContentTooLongError, Fault, InputInvalidError
from sayso.whatsapp import limits

_LINE_BREAK: Final = re.compile(r"[\n\r\t]")
_UNSENDABLE: Final = re.compile("[\x00\ud800-\udfff]")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs"})
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
"""Letters and marks that show nothing, though Unicode does not call them format characters."""
_ADDRESS: Final = re.compile(r"https://[^\s/?#]+\S*")
_ID: Final = re.compile(r"[\w.:=+/-]+", re.ASCII)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of content: strict, since it is also what a caller gives."""


class Check:
    """Collects what is wrong, apart from what is only too long."""

    def __init__(self, at: str = "") -> None:
        self._at = at
        self._wrong: list[Fault] = []
        self._long: list[Fault] = []

    def wrong(self, pointer: str, detail: str) -> None:
        """Note a finding; ``pointer`` goes on from where the content stands."""
        self._wrong.append(Fault(detail, self._at + pointer))

    def text(self, pointer: str, text: str, most: int, what: str) -> None:
        """Check what every text must be: there, sendable, and within its limit."""
        if not text.strip():
            self.wrong(pointer, f"{what} is empty.")
        elif _UNSENDABLE.search(text):
            self.wrong(pointer, f"{what} holds a character that cannot be sent (NUL or half a character).")
        elif limits.length(text) > most:
            self._long.append(Fault(excess(what, text, most), self._at + pointer))

    def maybe(self, pointer: str, text: str | None, most: int, what: str) -> None:
        """Check a text that may be left out."""
        if text is not None:
            self.text(pointer, text, most, what)

    def line(self, pointer: str, text: str, most: int, what: str) -> None:
        """Check a text that must stay on one line."""
        self.text(pointer, text, most, what)
        if _LINE_BREAK.search(text):
            self.wrong(pointer, f"{what} holds a line break or a tab, which WhatsApp refuses there.")

    def maybe_line(self, pointer: str, text: str | None, most: int, what: str) -> None:
        """Check a line that may be left out."""
        if text is not None:
            self.line(pointer, text, most, what)

    def parameter(self, pointer: str, text: str, most: int, what: str) -> None:
        """Check the value of a template variable; Meta refuses a wrong one with 132018 (cloud-api 2.6)."""
        self.line(pointer, text, most, what)
        if " " * (limits.PARAMETER_SPACES + 1) in text:
            self.wrong(pointer, f"{what} holds more than {limits.PARAMETER_SPACES} spaces in a row.")

    def name(self, pointer: str, text: str, what: str) -> None:
        """Check an id of Meta's or of a shop's: printable, without spaces, of a sane length."""
        if not _ID.fullmatch(text) or limits.length(text) > limits.FOREIGN_ID:
            self.wrong(
                pointer, f"{what} is made of letters, digits and .:=+/-_, at most {limits.FOREIGN_ID}."
            )

    def address(self, pointer: str, text: str, what: str) -> None:
        """Check a link: Meta and people fetch it from outside, so it is absolute and ``https``."""
        self.text(pointer, text, limits.URL, what)
        if not _ADDRESS.fullmatch(text) or not _host(text):
            self.wrong(pointer, f"{what} must be a whole address that starts with https://.")

    def day(self, pointer: str, text: str, what: str) -> None:
        """Check a date of the calendar, ``YYYY-MM-DD``."""
        try:
            same = date.fromisoformat(text).isoformat() == text
        except ValueError:
            same = False
        if not same:
            self.wrong(pointer, f"{what} is a date written YYYY-MM-DD.")

    def count(self, pointer: str, many: int, least: int, most: int, what: str) -> None:
        """Check how many there are of something."""
        if not least <= many <= most:
            self.wrong(pointer, f"{many} {what}; WhatsApp takes {least} to {most}.")

    def distinct(self, pointer: str, names: list[str], what: str) -> None:
        """Check that none comes twice."""
        if len(set(names)) < len(names):
            self.wrong(pointer, f"Two {what}.")

    def verdict(self) -> None:
        """Raise for what was found; a wrong shape outweighs a length."""
        if self._wrong:
            raise InputInvalidError(self._wrong[0].detail, faults=[*self._wrong, *self._long])
        if self._long:
            raise ContentTooLongError(self._long[0].detail, faults=self._long)


def excess(what: str, text: str, most: int) -> str:
    """By how much a text is too long, in words."""
    size = limits.length(text)
    return f"{what} has {size:,} characters, {size - most:,} more than the {most:,} WhatsApp takes."


def clean_parameter(text: str) -> str:
    """Make a text fit for a template parameter, the same way each time.

    Line breaks, tabs and runs of spaces become one space; control, bidirectional, zero-width and other
    invisible characters go (Meta refuses the former with 132018; the latter would let a text show other than
    it reads). The result may be empty, and is not cut.
    """
    return " ".join("".join(char for char in text if char.isspace() or _shows(char)).split())


def _shows(char: str) -> bool:
    return char not in _INVISIBLE and unicodedata.category(char) not in _UNSEEN


def _host(text: str) -> str | None:
    try:
        return urlsplit(text).hostname
    except ValueError:
        return None


def given(**fields: object) -> dict[str, object]:
    """Those of ``fields`` that are there: what is None is left out of Meta's JSON."""
    return {name: value for name, value in fields.items() if value is not None}
