"""The parts of a definition, read from plain values: headers, buttons, offers, one-time passwords; each fault noted."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sayso.core import spans
from sayso.core.faults import near
from sayso.templates.definitions import (
    MEDIA,
    App,
    Button,
    Examples,
    MediaHeader,
    Offer,
    OneTimeCode,
    Place,
    Problem,
)

#: NUL and halves of surrogate pairs, which neither Meta nor the database takes.
UNSENDABLE: Final = re.compile("[\x00\ud800-\udfff]")
_FILE: Final = re.compile(r"(?!\.)[\w. -]{1,100}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of button is written: its key is its label, or ``true`` where WhatsApp writes the label."""

    wire: str
    needs: Mapping[str, str] = field(default_factory=dict)
    may: Mapping[str, str] = field(default_factory=dict)
    flag: bool = False


#: Kinds of buttons by the key that names one; what else each needs and may have, with the field it becomes.
BUTTONS: Final = {
    "reply": _Kind("QUICK_REPLY"),
    "link": _Kind("URL", {"url": "url"}, {"example": "example"}),
    "call": _Kind("PHONE_NUMBER", {"phone": "phone"}),
    "copy": _Kind("COPY_CODE"),
    "flow": _Kind("FLOW", {"id": "flow"}, {"screen": "screen", "action": "action"}),
    "voice_call": _Kind("VOICE_CALL"),
    "catalog": _Kind("CATALOG", flag=True),
    "products": _Kind("MPM", flag=True),
    "call_permission": _Kind("CALL_PERMISSION_REQUEST", flag=True),
    "contact_info": _Kind("REQUEST_CONTACT_INFO", flag=True),
}
_CODE: Final = ("button", "advice", "expires", "apps", "terms_accepted")
_APP: Final = ("package", "signature")
_CODE_BUTTONS: Final = {"copy": "COPY_CODE", "one_tap": "ONE_TAP", "zero_tap": "ZERO_TAP"}


@dataclass(slots=True)
class Reading:
    """What was wrong with what was read so far."""

    problems: list[Problem] = field(default_factory=list)

    def wrong(self, at: Place, detail: str) -> None:
        """Note a fault."""
        self.problems.append(Problem(at, detail))

    def known(self, value: Mapping[str, Any], keys: Collection[str], at: Place) -> None:
        """Note every key that is not one of ``keys``, with what may have been meant."""
        for key in value:
            if key not in keys:
                self.wrong((*at, key), f"{key} is not a key here{meant(key, keys)}")

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

    def flag(self, value: Mapping[str, Any], key: str, at: Place) -> bool:
        """A switch that is off when it is missing."""
        found = value.get(key, False)
        if not isinstance(found, bool):
            self.wrong((*at, key), f"{key} must be true or false.")
            return False
        return found

    def seconds(self, value: Mapping[str, Any], key: str, at: Place) -> int | None:
        """A length of time that may be missing, such as ``"30m"``."""
        found = value.get(key)
        if found is None:
            return None
        span = spans.parse(found) if isinstance(found, str) else None
        if span is None:
            self.wrong((*at, key), f'{key} must be a duration such as "30m" or "12h".')
            return None
        return int(span.total_seconds())


def examples(reading: Reading, data: Mapping[str, Any], at: Place) -> Examples | None:
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


def header(reading: Reading, table: Mapping[str, Any], at: Place) -> str | MediaHeader | None:
    """A text, or the kind of media with the example that reviewers see."""
    found = table.get("header")
    if not isinstance(found, dict):
        return reading.text(table, "header", at) or None
    kind = next(iter(found), "")
    file = found.get(kind)
    if len(found) != 1 or kind not in MEDIA:
        reading.wrong(
            (*at, "header"),
            f'header must be a text or one of {{ image = "file" }}, video, document, location{meant(kind, MEDIA)}',
        )
        return None
    if kind == "location":
        return MediaHeader("location")
    if not isinstance(file, str) or not _FILE.fullmatch(file):
        reading.wrong(
            (*at, "header"),
            f"the {kind} of a header names an example file beside the definition, without a folder.",
        )
        return MediaHeader(kind)
    return MediaHeader(kind, file)


def buttons(reading: Reading, table: Mapping[str, Any], at: Place) -> tuple[Button, ...]:
    """The buttons in their places; one that cannot be read has no kind."""
    found = table.get("buttons", [])
    if not isinstance(found, list):
        reading.wrong((*at, "buttons"), 'buttons must be a list, such as [{ reply = "Yes" }].')
        return ()
    return tuple(_button(reading, each, (*at, "buttons", place)) for place, each in enumerate(found))


def _button(reading: Reading, found: Any, at: Place) -> Button:
    if not isinstance(found, dict) or not found:
        reading.wrong(at, 'a button is a table, such as { reply = "Yes" }.')
        return Button("")
    kinds = [key for key in BUTTONS if key in found]
    if not kinds:
        first = next(iter(found))
        reading.wrong(at, f"{first} is no kind of button{meant(first, BUTTONS)}")
        return Button("")
    if len(kinds) > 1:
        reading.wrong(at, f"a button is of one kind; this one is {' and '.join(kinds)}.")
        return Button("")
    label = kinds[0]
    kind = BUTTONS[label]
    fields = {**kind.needs, **kind.may}
    reading.known(found, (label, *fields), at)
    if kind.flag:
        if found[label] is not True:
            reading.wrong((*at, label), f"{label} is written {label} = true: WhatsApp writes the label.")
        return Button(kind.wire)
    texts = {key: reading.text(found, key, at) or "" for key in (label, *fields)}
    for key in (label, *kind.needs):
        if not texts[key]:
            reading.wrong((*at, key), f"a button with {label} needs {key}.")
    return Button(kind.wire, texts[label], **{name: texts[key] for key, name in fields.items()})


def offer(reading: Reading, table: Mapping[str, Any], at: Place) -> Offer | None:
    """``{ text = "20% off", ends = true }``."""
    found = table.get("offer")
    if found is None:
        return None
    at = (*at, "offer")
    if not isinstance(found, dict):
        reading.wrong(at, 'offer is a table, such as { text = "20% off today", ends = true }.')
        return None
    reading.known(found, ("text", "ends"), at)
    text = reading.text(found, "text", at)
    if not text:
        reading.wrong(at, "an offer needs a text.")
        return None
    return Offer(text, reading.flag(found, "ends", at))


def one_time_code(reading: Reading, data: Mapping[str, Any]) -> OneTimeCode:
    """The table ``[code]`` of an authentication template; what it leaves out is a code to copy."""
    found = data.get("code", {})
    at: Place = ("code",)
    if not isinstance(found, dict):
        reading.wrong(at, 'code is a table, such as [code] with button = "copy".')
        return OneTimeCode()
    reading.known(found, _CODE, at)
    said = reading.text(found, "button", at) or "copy"
    if said not in _CODE_BUTTONS:
        reading.wrong(
            (*at, "button"), f"button must be copy, one_tap or zero_tap{meant(said, _CODE_BUTTONS)}"
        )
    seconds = reading.seconds(found, "expires", at)
    if seconds is not None and seconds % 60:
        reading.wrong((*at, "expires"), "expires is told in whole minutes.")
    return OneTimeCode(
        _CODE_BUTTONS.get(said, "COPY_CODE"),
        advice=reading.flag(found, "advice", at),
        minutes=None if seconds is None else seconds // 60,
        apps=_apps(reading, found, at),
        terms_accepted=reading.flag(found, "terms_accepted", at),
    )


def _apps(reading: Reading, table: Mapping[str, Any], at: Place) -> tuple[App, ...]:
    found = table.get("apps", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        reading.wrong(
            (*at, "apps"), 'apps is a list, such as [{ package = "org.example", signature = "…" }].'
        )
        return ()
    read = []
    for place, each in enumerate(found):
        here = (*at, "apps", place)
        reading.known(each, _APP, here)
        package, signature = (reading.text(each, key, here) or "" for key in _APP)
        read.append(App(package, signature))
    return tuple(read)


def meant(word: Any, known: Collection[str]) -> str:
    """What may have been meant by a word, or what there is."""
    return near(word, known) or f" (there are: {', '.join(known)})."
