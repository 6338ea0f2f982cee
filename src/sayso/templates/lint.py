"""A definition against Meta's published limits, and what it would accept but make dear. Pure, no network.

The limits are those of cloud-api 2.8, 3.2, 3.4, 3.6 and 3.7. Whether Meta approves of the words, its review says.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sayso.templates import lint_kinds
from sayso.templates.definitions import AUTHENTICATION, Definition, MediaHeader, Place, Problem, Wording
from sayso.templates.lint_buttons import Say, buttons, length
from sayso.templates.rules import VARIABLE, fill, variables
from sayso.whatsapp import limits

NAME: Final = re.compile(r"[a-z0-9_]+")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
FOOTER: Final = 60
TTL_S: Final = {"UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000), AUTHENTICATION: (30, 900)}
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
_MOST_VARIED: Final = 8


def lint(definition: Definition) -> list[Problem]:
    """What is wrong with a definition, all of it; an empty list when it is within every limit that is published."""
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
        _wording(say, wording, definition.category, at)
    codes = [each.code for each in definition.languages.values() if each.code is not None]
    if codes:  # the same in all languages but for its labels
        lint_kinds.one_time_code(say, codes[0])
    found += _alike(definition)
    found += _dear(definition)
    return found


def _ttl(say: Say, definition: Definition) -> None:
    shortest, longest = TTL_S.get(definition.category, (0, 0))
    if definition.ttl_s is not None and longest and not shortest <= definition.ttl_s <= longest:
        kind = definition.category.lower()
        say(("ttl",), f"a {kind} template lives {_span(shortest)} to {_span(longest)} (cloud-api 3.7).")


def _wording(say: Say, wording: Wording, category: str, at: Place) -> None:
    if wording.code is not None:
        lint_kinds.code_labels(say, wording.code, at)
        return
    _text(say, wording, at, limits.TEMPLATE_BODY)
    if wording.footer is not None:
        length(say, (*at, "footer"), "the footer", wording.footer, FOOTER)
        if VARIABLE.search(wording.footer) or "\n" in wording.footer:
            say((*at, "footer"), "a footer holds no variables and no line breaks.")
    lint_kinds.offer(say, wording, category, at)
    lint_kinds.carousel(say, wording, at)
    for place, card in enumerate(wording.cards):
        _text(say, card, (*at, "cards", place), limits.CARD_BODY)


def _text(say: Say, part: Wording, at: Place, most: int) -> None:
    """What a template and a card have in common: body, header, buttons, and examples of their variables."""
    if part.body:
        _body(say, part, (*at, "body"), most)
    _header(say, part, (*at, "header"))
    buttons(say, part.buttons, (*at, "buttons"))
    _examples(say, part, at)


def _body(say: Say, wording: Wording, at: Place, most: int) -> None:
    text = wording.body
    length(say, at, "the body", text, most)
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
        if fits and header.file and not header.file.lower().endswith(fits):
            say(at, f"the example of a header's {header.kind} must be a file {' or '.join(fits)}.")
        return
    if header is None:
        return
    length(say, at, "the header", header, limits.TEMPLATE_HEADER)
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


def _alike(definition: Definition) -> list[Problem]:
    """Whoever sends a template gives the same parameters whatever the language, so its languages must match."""
    first, *others = (_asks(each) for each in definition.languages.values())
    languages = list(definition.languages)
    return [
        Problem(("languages", language), f"has other {what} than [languages.{languages[0]}].")
        for language, each in zip(languages[1:], others, strict=True)
        for what in first
        if each[what] != first[what]
    ]


def _asks(wording: Wording) -> dict[str, Any]:
    """What sending a text takes, and in which order."""
    cards = wording.cards
    return {
        "variables": sorted(wording.names),
        "variables in the header": sorted(wording.header_names),
        "kinds of buttons": [each.kind for each in wording.buttons],
        "kind of header": _kind(wording.header),
        "offer": wording.offer and wording.offer.ends,
        "cards": [(sorted(each.names), lint_kinds.shape(each)) for each in cards],
    }


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


def _span(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names) or "none"
