"""A template as we define it: read from a file's (or a request's) plain values, with every fault and where it is."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sayso.templates.rules import variables

CATEGORIES: Final = ("utility", "marketing")
MEDIA: Final = ("image", "video", "document", "location")
#: Kinds of buttons by the key that names one, as Meta calls them (cloud-api 3.2).
BUTTONS: Final = {"reply": "QUICK_REPLY", "link": "URL", "call": "PHONE_NUMBER", "copy": "COPY_CODE"}

_TOP: Final = ("category", "ttl", "examples", "header_example", "languages")
_LANGUAGE_KEYS: Final = ("header", "body", "footer", "buttons", "examples", "header_example")
_BUTTON_KEYS: Final = {
    "reply": ("reply",),
    "link": ("link", "url", "example"),
    "call": ("call", "phone"),
    "copy": ("copy",),
}
_TTL: Final = re.compile(r"(\d{1,7})([smhd])")
#: NUL and halves of surrogate pairs, which neither Meta nor the database takes.
UNSENDABLE: Final = re.compile("[\x00\ud800-\udfff]")
_FILE: Final = re.compile(r"(?!\.)[\w. -]{1,100}")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Place = tuple[str | int, ...]
Examples = Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a definition: a sentence, and the keys that lead to it."""

    at: Place
    detail: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its ``kind`` in Meta's words, its label, and where a link leads or whom a call reaches.

    ``text`` of COPY_CODE is the example of the code; WhatsApp writes the label itself.
    """

    kind: str
    text: str
    url: str = ""
    example: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class MediaHeader:
    """A header that shows an image, a video, a document or a place; ``file`` is the example reviewers see."""

    kind: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """A template in one language."""

    language: str
    body: str
    header: str | MediaHeader | None = None
    footer: str | None = None
    buttons: tuple[Button, ...] = ()
    examples: Examples = ()
    header_example: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of its body."""
        return variables(self.body)

    @property
    def header_names(self) -> tuple[str, ...]:
        """The variables of its header."""
        return variables(self.header) if isinstance(self.header, str) else ()

    @property
    def named(self) -> bool:
        """Whether its variables go by names (``{{day}}``), not by numbers (``{{1}}``)."""
        return any(not name.isdigit() for name in (*self.names, *self.header_names))


@dataclass(frozen=True, slots=True)
class Definition:
    """A template in all its languages. ``ttl_s``: seconds after which Meta gives up delivering it (cloud-api 3.7)."""

    name: str
    category: str
    languages: Mapping[str, Wording]
    ttl_s: int | None = None


@dataclass(slots=True)
class Reading:
    """What was read so far, and what was wrong with it."""

    problems: list[Problem] = field(default_factory=list)

    def wrong(self, at: Place, detail: str) -> None:
        """Note a fault."""
        self.problems.append(Problem(at, detail))

    def known(self, value: Mapping[str, Any], keys: Iterable[str], at: Place) -> None:
        """Note every key that is not one of ``keys``, with what may have been meant."""
        for key in value:
            if key not in keys:
                self.wrong((*at, key), f"{key} is not a key here{_meant(key, keys)}")

    def text(self, value: Mapping[str, Any], key: str, at: Place) -> str | None:
        """A text that may be missing; blanks around it, such as the last line break, are not part of it."""
        found = value.get(key)
        if found is not None and not isinstance(found, str):
            self.wrong((*at, key), f"{key} must be a text.")
            return None
        if found is not None and UNSENDABLE.search(found):
            self.wrong((*at, key), f"{key} holds a character that cannot be sent (NUL or half a character).")
            return None
        return None if found is None else found.strip()


def read(name: str, data: Any) -> tuple[Definition | None, list[Problem]]:
    """Read a definition from plain values; None when it has no shape at all. Limits are ``lint``'s matter."""
    reading = Reading()
    if not isinstance(data, dict):
        reading.wrong((), "a definition is a table with category and languages.")
        return None, reading.problems
    reading.known(data, _TOP, ())
    category = _category(reading, data)
    shared = _examples(reading, data, ())
    header_example = reading.text(data, "header_example", ())
    tables = data.get("languages")
    if not isinstance(tables, dict) or not tables:
        reading.wrong(("languages",), "at least one language is needed: [languages.en] with a body.")
        tables = {}
    languages = {
        code: wording
        for code, table in tables.items()
        if (wording := _wording(reading, code, table, shared, header_example)) is not None
    }
    if not languages:
        return None, reading.problems
    return Definition(name, category, languages, _ttl(reading, data)), reading.problems


def _category(reading: Reading, data: Mapping[str, Any]) -> str:
    found = data.get("category", "utility")
    category = found.lower() if isinstance(found, str) else ""
    if category == "authentication":
        reading.wrong(("category",), "one-time passwords have fixed texts of Meta's and no file here.")
    elif category not in CATEGORIES:
        reading.wrong(("category",), f"category must be utility or marketing{_meant(category, CATEGORIES)}")
    return category.upper()


def _ttl(reading: Reading, data: Mapping[str, Any]) -> int | None:
    found = data.get("ttl")
    if found is None:
        return None
    match = _TTL.fullmatch(found) if isinstance(found, str) else None
    if match is None:
        reading.wrong(("ttl",), 'ttl must be a duration such as "30m" or "12h".')
        return None
    return int(match[1]) * _UNITS[match[2]]


def _examples(reading: Reading, data: Mapping[str, Any], at: Place) -> Examples | None:
    """``["Ana", "A-17"]`` for numbered variables, a table for named ones."""
    found = data.get("examples")
    if found is None:
        return None
    values = list(found.values()) if isinstance(found, dict) else found
    if not isinstance(values, list) or not all(_example(each) for each in values):
        reading.wrong(
            (*at, "examples"),
            'examples must be texts: a table for {{names}}, a list such as ["Ana"] for {{1}}.',
        )
        return None
    return found if isinstance(found, dict) else tuple(values)


def _example(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not UNSENDABLE.search(value)


def _wording(
    reading: Reading, code: str, table: Any, shared: Examples | None, shared_header: str | None
) -> Wording | None:
    at: Place = ("languages", code)
    if not isinstance(table, dict):
        reading.wrong(at, f"[languages.{code}] must be a table with a body.")
        return None
    reading.known(table, _LANGUAGE_KEYS, at)
    body = reading.text(table, "body", at)
    if not body:
        if "body" not in table or body == "":
            reading.wrong(at, f"[languages.{code}] has no body, which every template needs.")
        return None
    own = _examples(reading, table, at)
    header_example = reading.text(table, "header_example", at)
    return Wording(
        language=code,
        body=body,
        header=_header(reading, table, at),
        footer=reading.text(table, "footer", at) or None,
        buttons=_buttons(reading, table, at),
        examples=next((each for each in (own, shared) if each is not None), ()),
        header_example=header_example if header_example is not None else shared_header,
    )


def _header(reading: Reading, table: Mapping[str, Any], at: Place) -> str | MediaHeader | None:
    found = table.get("header")
    if not isinstance(found, dict):
        return reading.text(table, "header", at) or None
    kind = next(iter(found), "")
    file = found.get(kind)
    if len(found) != 1 or kind not in MEDIA:
        reading.wrong(
            (*at, "header"),
            f'header must be a text or one of {{ image = "file" }}, video, document, location{_meant(kind, MEDIA)}',
        )
        return None
    if kind == "location":
        return MediaHeader("location")
    if not isinstance(file, str) or not _FILE.fullmatch(file):
        reading.wrong(
            (*at, "header"),
            f"the {kind} of a header names an example file beside the definition, without a folder.",
        )
        return None
    return MediaHeader(kind, file)


def _buttons(reading: Reading, table: Mapping[str, Any], at: Place) -> tuple[Button, ...]:
    found = table.get("buttons", [])
    if not isinstance(found, list):
        reading.wrong((*at, "buttons"), 'buttons must be a list, such as [{ reply = "Yes" }].')
        return ()
    read_ = [_button(reading, each, (*at, "buttons", place)) for place, each in enumerate(found)]
    return tuple(each for each in read_ if each is not None)


def _button(reading: Reading, found: Any, at: Place) -> Button | None:
    kinds = [key for key in BUTTONS if isinstance(found, dict) and key in found]
    if len(kinds) != 1:
        reading.wrong(
            at,
            'a button is one of { reply = "…" }, { link = "…", url = "…" }, { call = "…", phone = "…" }, '
            '{ copy = "…" }.',
        )
        return None
    kind = kinds[0]
    reading.known(found, _BUTTON_KEYS[kind], at)
    texts: dict[str, str] = {key: reading.text(found, key, at) or "" for key in _BUTTON_KEYS[kind]}
    for key in _BUTTON_KEYS[kind]:
        if not texts[key] and key != "example":
            reading.wrong((*at, key), f"a button with {kind} needs {key}.")
    return Button(
        BUTTONS[kind],
        texts[kind],
        url=texts.get("url", ""),
        example=texts.get("example", ""),
        phone=texts.get("phone", ""),
    )


def _meant(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f" (there are: {', '.join(known)})."


#: What tells the line of a place in a file; 0 when it is about the whole.
Locator = Callable[[Place], int]
