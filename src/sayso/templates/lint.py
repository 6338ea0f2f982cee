"""Everything Meta would refuse a definition for, and what it would accept but make dear. Pure, no network.

The limits are those of cloud-api 2.8, 3.2, 3.4, 3.6 and 3.7.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from sayso.templates.definitions import Button, Definition, MediaHeader, Place, Problem, Wording
from sayso.templates.rules import COUPON_CODE, VARIABLE, fill, variables
from sayso.whatsapp import limits

NAME: Final = re.compile(r"[a-z0-9_]+")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
FOOTER: Final = 60
BUTTON_TEXT: Final = 25
BUTTONS: Final = 10
OF_A_KIND: Final = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}
URL: Final = 2000
PHONE: Final = 20
TTL_S: Final = {"UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}
#: So many words a text needs beside its variables: 2n + 1 for n of them, as template editors put Meta's ratio.
WORDS_PER_VARIABLE: Final = 2
#: What the example of a media header may be (resumable upload, cloud-api 3.2).
FILES: Final = {"image": (".jpg", ".jpeg", ".png"), "video": (".mp4",), "document": (".pdf",)}

_VARIABLE_NAME: Final = re.compile(r"[a-z_]+")
_SIDE_BY_SIDE: Final = re.compile(r"\}\}\s*\{\{")
_UNSPACED: Final = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_HEADER_FORBIDDEN: Final = re.compile("[\n\r\t*_~`\u2600-\u27bf\U0001f000-\U0001faff]")
_BODY_FORBIDDEN: Final = re.compile(r"\t| {5}|\n{3}")
_DIRECT: Final = frozenset({"wa.me", "www.wa.me", "api.whatsapp.com"})
_MOST_VARIED: Final = 8

Say = Callable[[Place, str], None]


def lint(definition: Definition) -> list[Problem]:
    """What is wrong with a definition, all of it; an empty list when Meta has no formal reason to refuse it."""
    found: list[Problem] = []

    def say(at: Place, detail: str) -> None:
        found.append(Problem(at, detail))

    if not NAME.fullmatch(definition.name):
        say((), f"the name {definition.name} must be made of a to z, 0 to 9 and _; it is the file's name.")
    if len(definition.name) > limits.TEMPLATE_NAME:
        say((), f"the name has {len(definition.name)} characters; Meta takes {limits.TEMPLATE_NAME}.")
    _ttl(say, definition)
    for code, wording in definition.languages.items():
        at: Place = ("languages", code)
        if not LANGUAGE.fullmatch(code):
            say(at, f"{code} is no language of Meta's; they are written like en or pt_BR.")
        _wording(say, wording, at)
    found += _alike(definition)
    found += _dear(definition)
    return found


def _ttl(say: Say, definition: Definition) -> None:
    shortest, longest = TTL_S.get(definition.category, (0, 0))
    if definition.ttl_s is not None and longest and not shortest <= definition.ttl_s <= longest:
        kind = definition.category.lower()
        say(("ttl",), f"a {kind} template lives {_span(shortest)} to {_span(longest)} (cloud-api 3.7).")


def _wording(say: Say, wording: Wording, at: Place) -> None:
    _body(say, wording, (*at, "body"))
    _header(say, wording, (*at, "header"))
    if wording.footer is not None:
        _length(say, (*at, "footer"), "the footer", wording.footer, FOOTER)
        if VARIABLE.search(wording.footer) or "\n" in wording.footer:
            say((*at, "footer"), "a footer holds no variables and no line breaks.")
    _buttons(say, wording.buttons, (*at, "buttons"))
    _examples(say, wording, at)


def _body(say: Say, wording: Wording, at: Place) -> None:
    text = wording.body
    _length(say, at, "the body", text, limits.TEMPLATE_BODY)
    _variables(say, text, at, named=wording.named)
    if _BODY_FORBIDDEN.search(text):
        say(at, "a body holds no tabs, no more than 4 spaces and no more than one empty line in a row.")
    if not wording.names:
        return
    if text.startswith("{{") or text.endswith("}}"):
        say(
            at,
            "a body may not start or end with a variable (Meta's 2388299): put a word or a full stop there.",
        )
    if _SIDE_BY_SIDE.search(text):
        say(at, "two variables may not stand side by side: put a word between them.")
    words, needed = len(_WORD.findall(VARIABLE.sub(" ", text))), WORDS_PER_VARIABLE * len(wording.names) + 1
    if words < needed:
        say(
            at,
            f"too little text around the variables (Meta's 2388293): {words} of {needed} words.",
        )


def _variables(say: Say, text: str, at: Place, *, named: bool) -> None:
    """The rules of names and numbers, and braces that are left over."""
    rest = VARIABLE.sub("", text)
    if "{{" in rest or "}}" in rest:
        say(at, "braces are left over; a variable is written {{name}} or {{1}}.")
    found = variables(text)
    if not named:
        if list(found) != [str(number) for number in range(1, len(found) + 1)]:
            say(at, f"numbered variables go from {{{{1}}}} without a gap; here are {_listed(found)}.")
        return
    for name in found:
        if not _VARIABLE_NAME.fullmatch(name):
            say(at, f"{{{{{name}}}}}: a name is made of a to z and _; names and numbers do not mix.")
    repeated = [name for name, count in Counter(VARIABLE.findall(text)).items() if count > 1]
    if repeated:
        say(at, f"a named variable stands only once in a text; {_listed(repeated)} does not.")


def _header(say: Say, wording: Wording, at: Place) -> None:
    header = wording.header
    if isinstance(header, MediaHeader):
        fits = FILES.get(header.kind)
        if fits and not header.file.lower().endswith(fits):
            say(at, f"the example of a header's {header.kind} must be a file {' or '.join(fits)}.")
        return
    if header is None:
        return
    _length(say, at, "the header", header, limits.TEMPLATE_HEADER)
    _variables(say, header, at, named=wording.named)
    if len(wording.header_names) > 1:
        say(at, "a header takes one variable.")
    if _HEADER_FORBIDDEN.search(VARIABLE.sub("", header)):
        say(at, "a header holds no line breaks, no emoji and no * _ ~ ` (Meta's 2388047).")


def _examples(say: Say, wording: Wording, at: Place) -> None:
    """Every variable needs an example (cloud-api 3.2), else Meta refuses the template."""
    named = isinstance(wording.examples, Mapping)
    place = (*at, "examples")
    if not wording.names and not wording.header_names:
        return
    if wording.named != named and (wording.examples or wording.names):
        how = "a table: [examples] with one line a name" if wording.named else 'a list: examples = ["Ana", …]'
        say(place, f"every variable needs an example, here as {how}.")
        return
    given = set(wording.examples) if named else {str(n + 1) for n in range(len(wording.examples))}
    wanted = (*wording.names, *(wording.header_names if wording.named else ()))
    missing = [name for name in wanted if name not in given]
    if missing:
        say(place, f"every variable needs an example; there is none of {_listed(missing)}.")
    if wording.header_names and not wording.named and not wording.header_example:
        say((*at, "header_example"), "the header's {{1}} needs an example: header_example.")


def _buttons(say: Say, buttons: Sequence[Button], at: Place) -> None:
    if len(buttons) > BUTTONS:
        say(at, f"{len(buttons)} buttons; a template has at most {BUTTONS}.")
    for kind, count in Counter(each.kind for each in buttons).items():
        if kind in OF_A_KIND and count > OF_A_KIND[kind]:
            say(at, f"{count} buttons of kind {kind}; a template has at most {OF_A_KIND[kind]}.")
    runs = [quick for quick, _ in groupby(each.kind == "QUICK_REPLY" for each in buttons) if quick]
    if len(runs) > 1:
        say(at, "quick replies must stand together, before or after all other buttons.")
    repeated = [text for text, count in Counter(each.text for each in buttons).items() if count > 1]
    if repeated:
        say(at, f"two buttons say the same: {', '.join(repeated)}.")
    for place, button in enumerate(buttons):
        _button(say, button, (*at, place))


def _button(say: Say, button: Button, at: Place) -> None:
    if button.kind == "COPY_CODE":
        _length(say, at, "the example of a code", button.text, COUPON_CODE)
        return
    _length(say, at, "a button's label", button.text, BUTTON_TEXT)
    if VARIABLE.search(button.text) or "\n" in button.text:
        say(at, "a button's label holds no variables and no line breaks.")
    if button.kind == "URL":
        _url(say, button, at)
    if button.kind == "PHONE_NUMBER":
        _length(say, at, "a phone number", button.phone, PHONE)
        if not re.fullmatch(r"\+[0-9 ()-]{3,}", button.phone):
            say((*at, "phone"), "a phone number starts with + and the country code.")


def _url(say: Say, button: Button, at: Place) -> None:
    _length(say, at, "an address", button.url, URL)
    host = _host(button.url)
    if host is None or "{{" in host:
        say((*at, "url"), "an address starts with https:// and has a host of its own, without variables.")
    elif host in _DIRECT:
        say((*at, "url"), f"Meta refuses links to WhatsApp itself ({host}) in buttons.")
    found = list(VARIABLE.finditer(button.url))
    if not found:
        return
    if len(found) > 1 or found[0].end() != len(button.url) or found[0][1] != "1":
        say((*at, "url"), "an address takes one variable, {{1}}, at its end.")
    if not button.example.startswith(button.url[: found[0].start()]) or not button.example:
        say((*at, "example"), "an address with a variable needs an example: the whole address, filled.")


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in ("http", "https") else None


def _alike(definition: Definition) -> list[Problem]:
    """Whoever sends a template gives the same parameters whatever the language, so its languages must match."""
    first, *others = definition.languages.values()
    found = []
    for each in others:
        at: Place = ("languages", each.language)
        for what, mine, theirs in (
            ("variables", sorted(each.names), sorted(first.names)),
            ("variables in the header", sorted(each.header_names), sorted(first.header_names)),
            ("kinds of buttons", [one.kind for one in each.buttons], [one.kind for one in first.buttons]),
            ("kind of header", _kind(each.header), _kind(first.header)),
        ):
            if mine != theirs:
                found.append(Problem(at, f"has other {what} than [languages.{first.language}]."))
    return found


def _kind(header: str | MediaHeader | None) -> str:
    return header.kind if isinstance(header, MediaHeader) else "none" if header is None else "text"


def _dear(definition: Definition) -> list[Problem]:
    """What Meta accepts but may file as marketing (cloud-api 3.6), or what grows too long once it is filled."""
    found = []
    for code, each in definition.languages.items():
        at: Place = ("languages", code, "body")
        if definition.category == "UTILITY" and len(each.names) > _MOST_VARIED:
            detail = f"{len(each.names)} variables make a vague text, which Meta may file as marketing."
            found.append(Problem(at, detail, "warning"))
        size = limits.length(fill(each.body, each.names, each.examples))
        if size > limits.TEMPLATE_BODY >= limits.length(each.body):
            detail = f"with its examples the body has {size:,} characters; WhatsApp shows {limits.TEMPLATE_BODY:,}."
            found.append(Problem(at, detail, "warning"))
    return found


def _length(say: Say, at: Place, what: str, text: str, most: int) -> None:
    size = limits.length(text)
    if size > most:
        say(at, f"{what} has {size:,} characters, {size - most:,} more than the {most:,} Meta takes.")


def _span(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names) or "none"
