"""What may be sent of a template, and in which language. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sayso.core.spoken import SAME

#: What every person is written to in whose own language there is no template.
DEFAULT_LANGUAGE: Final = "en"
#: A variable of a template's text: ``{{1}}`` or ``{{name}}`` (cloud-api 3.2).
VARIABLE: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")

#: How Meta lists the button of a one-time password: as a link to a page of its own, or as what it is.
_OTP_LINK: Final = re.compile(r"https://www\.whatsapp\.com/otp/", re.IGNORECASE)

#: The letters of a script's code; the languages that Meta has by region where people tell them apart by script.
_SCRIPT: Final = 4
_WRITTEN_IN: Final = {("zh", "hant"): "TW", ("zh", "hans"): "CN"}

Media = Literal["image", "video", "document", "location"]
_MEDIA: Final[dict[str, Media]] = {
    "IMAGE": "image",
    "VIDEO": "video",
    "DOCUMENT": "document",
    "LOCATION": "location",
}
#: States that end; all others but APPROVED may still become sendable (cloud-api 3.3).
_GONE: Final = {
    "DISABLED": "Meta has disabled it for good after three pauses",
    "DELETED": "it has been deleted at Meta",
    "PENDING_DELETION": "it is being deleted at Meta",
}
_HELD: Final = {
    "PENDING": "it waits for Meta's review",
    "IN_APPEAL": "its rejection is being looked at again",
    "REJECTED": "Meta has rejected it",
    "PAUSED": "Meta has paused it",
    "ARCHIVED": "it has been archived at Meta",
    "LIMIT_EXCEEDED": "the account has too many templates",
}


@dataclass(frozen=True, slots=True)
class Usable:
    """It can be sent now. ``category``: Meta's, which the price goes by."""

    category: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """It cannot be sent now, and may be later: its messages wait."""

    reason: str
    category: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """It will not be sent any more: its messages end."""

    reason: str


Standing = Usable | Held | Gone


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A template in one language as Meta has it, to our knowledge (table ``templates``)."""

    name: str
    language: str
    category: str
    status: str
    components: Sequence[Mapping[str, Any]]
    parameter_format: str = "POSITIONAL"
    reason: str | None = None
    quality: str | None = None
    meta_id: str | None = None
    ttl_s: int | None = None
    paused_until: datetime | None = None
    changed_at: datetime | None = None
    synced_at: datetime | None = None

    @property
    def named(self) -> bool:
        """Whether its variables go by names."""
        return self.parameter_format == "NAMED"

    def part(self, kind: str) -> Mapping[str, Any]:
        """Its HEADER, BODY, FOOTER or BUTTONS component; empty when it has none."""
        return next((each for each in self.components if str(each.get("type", "")).upper() == kind), {})

    @property
    def buttons(self) -> Sequence[Mapping[str, Any]]:
        """Its buttons, in their order."""
        found: Sequence[Mapping[str, Any]] = self.part("BUTTONS").get("buttons") or ()
        return found

    @property
    def header_media(self) -> Media | None:
        """What its header shows when that is no text."""
        return _MEDIA.get(str(self.part("HEADER").get("format", "TEXT")).upper())


def variables(text: str) -> tuple[str, ...]:
    """The variables of a text, each once; numbered ones in the order of their numbers, named ones as they come."""
    found = dict.fromkeys(VARIABLE.findall(text))
    if all(map(numbered, found)):
        return tuple(sorted(found, key=int))
    return tuple(found)


def numbered(name: str) -> bool:
    """Whether a variable goes by its number, in the digits that Meta reads."""
    return name.isascii() and name.isdigit()


def kind_of(button: Mapping[str, Any]) -> str:
    """The kind of a button in Meta's words, a one-time password's in whatever form it is listed."""
    kind = str(button.get("type", "")).upper()
    return "OTP" if kind == "URL" and _OTP_LINK.match(str(button.get("url", ""))) else kind


def fill(text: str, names: Sequence[str], values: Sequence[str] | Mapping[str, str]) -> str:
    """A text with its variables filled; one without a value stays as it is written."""
    given = values if isinstance(values, Mapping) else dict(zip(names, values, strict=False))
    return VARIABLE.sub(lambda found: given.get(found[1], found[0]), text)


def standing(mirrored: Mirrored) -> Standing:
    """Whether a template can be sent now, later or never again."""
    if mirrored.status == "APPROVED":
        return Usable(mirrored.category)
    name = f"template {mirrored.name} ({mirrored.language})"
    if mirrored.status in _GONE:
        return Gone(f"{name}: {_GONE[mirrored.status]}")
    why = _HELD.get(mirrored.status, f"its status at Meta is {mirrored.status}")
    if mirrored.status == "PAUSED" and mirrored.paused_until is not None:
        why += f" until {mirrored.paused_until:%d %b %H:%M} UTC"
    elif mirrored.reason:
        why += f" ({mirrored.reason})"
    return Held(f"{name}: {why}", mirrored.category)


def hold_key(name: str, language: str) -> str:
    """The key of messages that wait for a template (``messages.held_by``), and the subject of its events."""
    return f"template:{name}:{language}"


def language_code(text: str) -> str:
    """A language as Meta writes it: ``pt_BR`` of ``pt-br``, ``en`` of ``EN``, ``zh_TW`` of ``zh-Hant`` (no scripts)."""
    base, *rest = text.strip().replace("-", "_").lower().split("_")
    base = SAME.get(base, base)
    script = rest.pop(0) if rest and len(rest[0]) == _SCRIPT and rest[0].isalpha() else ""
    region = "_".join(rest).upper() or _WRITTEN_IN.get((base, script), "")
    return f"{base}_{region}" if region else base


def fallbacks(wanted: Iterable[str], there: Iterable[str]) -> list[str]:
    """Those of ``there`` fit for a person who reads ``wanted`` (best first), nearest first.

    For each wanted language: itself, its base, another region of it; then the same for English.
    """
    codes = {has: language_code(has) for has in sorted(there)}
    found: dict[str, None] = {}
    for each in (*wanted, DEFAULT_LANGUAGE):
        code = language_code(each)
        base = code.partition("_")[0]
        found.update(dict.fromkeys(has for has, its in codes.items() if its == code))
        found.update(dict.fromkeys(has for has, its in codes.items() if its == base))
        found.update(dict.fromkeys(has for has, its in codes.items() if its.partition("_")[0] == base))
    return list(found)


def pick(wanted: Iterable[str], there: Sequence[Mirrored]) -> Mirrored | None:
    """The template to send: the nearest language that can be sent now, else the nearest that may be later."""
    by_language = {each.language: each for each in there}
    ordered = [by_language[code] for code in fallbacks(wanted, by_language)]
    for kind in (Usable, Held):
        found = next((each for each in ordered if isinstance(standing(each), kind)), None)
        if found is not None:
            return found
    return None
