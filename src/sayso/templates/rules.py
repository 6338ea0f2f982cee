"""What may be sent of a template, in which language, with which parameters. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sayso.core.errors import Fault
from sayso.whatsapp import limits

#: What every person is written to in whose own language there is no template.
DEFAULT_LANGUAGE: Final = "en"
#: A variable of a template's text: ``{{1}}`` or ``{{name}}`` (cloud-api 3.2).
VARIABLE: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")

#: Longest part of an address that a URL button takes (cloud-api 2.6), and longest code to copy (2.8).
URL_SUFFIX: Final = 2000
COUPON_CODE: Final = 15

Media = Literal["image", "video", "document", "location"]
_MEDIA: Final[dict[str, Media]] = {
    "IMAGE": "image",
    "VIDEO": "video",
    "DOCUMENT": "document",
    "LOCATION": "location",
}
_FORBIDDEN: Final = re.compile(r"[\n\r\t]| {5}")
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


@dataclass(frozen=True, slots=True)
class Given:
    """Parameters to fill a template with.

    ``body``: the values in the variables' order, or by their names. ``header``: the one value of a text header.
    ``header_media``: the kind of what was given for a media header. ``quick_replies``: payloads, first button first
    (fewer than there are buttons: the others come back as their words). ``url_suffixes`` and ``coupon_code``: what
    completes the addresses of URL buttons that have a variable, in their order, and what a copy button copies.
    """

    body: Sequence[str] | Mapping[str, str] = ()
    header: str | None = None
    header_media: Media | None = None
    quick_replies: Sequence[str] = ()
    url_suffixes: Sequence[str] = ()
    coupon_code: str | None = None


def variables(text: str) -> tuple[str, ...]:
    """The variables of a text, each once; numbered ones in the order of their numbers, named ones as they come."""
    found = dict.fromkeys(VARIABLE.findall(text))
    if all(each.isdigit() for each in found):
        return tuple(sorted(found, key=int))
    return tuple(found)


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
    """A language as Meta writes it: ``pt_BR`` of ``pt-br``, ``en`` of ``EN``."""
    base, _, region = text.strip().replace("-", "_").partition("_")
    return f"{base.lower()}_{region.upper()}" if region else base.lower()


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


@dataclass(slots=True)
class _Faults:
    at: str
    found: list[Fault] = field(default_factory=list)

    def say(self, pointer: str, detail: str) -> None:
        self.found.append(Fault(detail, self.at + pointer))

    def value(self, pointer: str, text: str, most: int, what: str) -> None:
        """Check the value of a variable (cloud-api 2.6; Meta refuses a wrong one with 132018)."""
        size = limits.length(text)
        if not text.strip():
            self.say(pointer, f"{what} is empty, which WhatsApp refuses in a template.")
        elif _FORBIDDEN.search(text):
            self.say(pointer, f"{what} holds a line break, a tab or more than 4 spaces in a row.")
        elif size > most:
            self.say(
                pointer, f"{what} has {size:,} characters, {size - most:,} more than the {most:,} allowed."
            )


def check(mirrored: Mirrored, given: Given, at: str = "") -> list[Fault]:
    """What is wrong with parameters for this template; ``at`` is the JSON Pointer of the template in the request.

    Pointers go on with the names of ``content.Template``: ``/parameters/1``, ``/parameters/name``, ``/header``,
    ``/quick_replies/0``, ``/url_suffixes/0``, ``/coupon_code``.
    """
    faults = _Faults(at)
    _check_body(faults, mirrored, given.body)
    _check_header(faults, mirrored, given)
    _check_buttons(faults, mirrored, given)
    return faults.found


def _check_body(faults: _Faults, mirrored: Mirrored, values: Sequence[str] | Mapping[str, str]) -> None:
    text = str(mirrored.part("BODY").get("text", ""))
    names = variables(text)
    which = f"{mirrored.name} ({mirrored.language})"
    if isinstance(values, Mapping):
        pairs = _check_named(faults, mirrored, names, values)
    elif mirrored.named and (names or values):
        faults.say("/parameters", f"{which} goes by names; give an object with {_listed(names)}.")
        return
    else:
        pairs = [(str(number), value) for number, value in enumerate(values)]
        if len(values) != len(names):
            faults.say("/parameters", f"{which} takes {_count(names)}; {len(values)} were given.")
    for key, value in pairs:
        what = f"Parameter {key}" if isinstance(values, Mapping) else f"Parameter {int(key) + 1}"
        faults.value(f"/parameters/{key}", value, limits.TEMPLATE_BODY, what)
    size = limits.length(fill(text, names, values))
    if len(values) == len(names) and size > limits.TEMPLATE_BODY and not faults.found:
        most = limits.TEMPLATE_BODY
        faults.say(
            "/parameters",
            f"The text with its parameters has {size:,} characters, {size - most:,} more than {most:,}.",
        )


def _check_named(
    faults: _Faults, mirrored: Mirrored, names: Sequence[str], values: Mapping[str, str]
) -> list[tuple[str, str]]:
    if not mirrored.named:
        faults.say(
            "/parameters",
            f"{mirrored.name} ({mirrored.language}) goes by order, not by names; give a list of {len(names)}.",
        )
        return []
    for name in names:
        if name not in values:
            faults.say(
                f"/parameters/{name}", f"The template has a variable {{{{{name}}}}}, which has no value."
            )
    for name in values:
        if name not in names:
            faults.say(
                f"/parameters/{name}", f"The template has no variable {name}; it has {_listed(names)}."
            )
    return [(name, values[name]) for name in names if name in values]


def _check_header(faults: _Faults, mirrored: Mirrored, given: Given) -> None:
    media = mirrored.header_media
    if media is not None:
        if given.header_media != media:
            had = given.header_media or ("a text" if given.header is not None else "nothing")
            faults.say("/header", f"The template's header is of type {media}; {had} was given.")
        return
    if given.header_media is not None:
        faults.say("/header", f"The template has no header of type {given.header_media}.")
        return
    text = str(mirrored.part("HEADER").get("text", ""))
    names = variables(text)
    if names and given.header is None:
        faults.say("/header", f"The template's header has the variable {_listed(names)}, which has no value.")
    elif given.header is not None and not names:
        faults.say("/header", "The template's header has no variable.")
    elif given.header is not None:
        rest = limits.length(VARIABLE.sub("", text))
        faults.value("/header", given.header, limits.TEMPLATE_HEADER - rest, "The header parameter")


def _check_buttons(faults: _Faults, mirrored: Mirrored, given: Given) -> None:
    kinds = [str(each.get("type", "")).upper() for each in mirrored.buttons]
    quick = kinds.count("QUICK_REPLY")
    if len(given.quick_replies) > quick:
        faults.say(
            "/quick_replies",
            f"{len(given.quick_replies)} payloads for {quick} quick replies of the template.",
        )
    for number, payload in enumerate(given.quick_replies):
        what = f"Payload {number + 1}"
        faults.value(f"/quick_replies/{number}", payload, limits.QUICK_REPLY_PAYLOAD, what)
    open_urls = [
        each
        for each in mirrored.buttons
        if str(each.get("type", "")).upper() == "URL" and _has_variable(each)
    ]
    if len(given.url_suffixes) != len(open_urls):
        faults.say(
            "/url_suffixes",
            f"The template has {len(open_urls)} link buttons with a variable; "
            f"{len(given.url_suffixes)} values were given.",
        )
    for number, suffix in enumerate(given.url_suffixes):
        faults.value(f"/url_suffixes/{number}", suffix, URL_SUFFIX, f"Link part {number + 1}")
    _check_code(faults, kinds, given.coupon_code)


def _check_code(faults: _Faults, kinds: Sequence[str], code: str | None) -> None:
    if "COPY_CODE" in kinds and code is None:
        faults.say("/coupon_code", "The template has a button that copies a code, and no code was given.")
    elif code is not None and "COPY_CODE" not in kinds:
        faults.say("/coupon_code", "The template has no button that copies a code.")
    elif code is not None:
        faults.value("/coupon_code", code, COUPON_CODE, "The code")


def _has_variable(button: Mapping[str, Any]) -> bool:
    return bool(VARIABLE.search(str(button.get("url", ""))))


def _count(names: Sequence[str]) -> str:
    return "no parameters" if not names else f"{len(names)} parameter{'s' if len(names) > 1 else ''}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names) or "none"
