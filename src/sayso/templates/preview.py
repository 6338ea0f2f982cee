"""A template as the person sees it, filled with parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sayso.templates.compare import body_of
from sayso.templates.definitions import Definition
from sayso.templates.rows import of_listing
from sayso.templates.rules import VARIABLE, Given, Mirrored, fill, variables


@dataclass(frozen=True, slots=True)
class ShownButton:
    """A button on the phone: its kind in Meta's words, its label, where it leads (a link, a number, a code)."""

    kind: str
    text: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in the bubble. ``media``: the kind of a header that is no text."""

    header: str
    media: str | None
    body: str
    footer: str
    buttons: tuple[ShownButton, ...]


def shown(at: Mirrored, given: Given) -> Shown:
    """The bubble; a variable without a value stays as it is written."""
    header, body = str(at.part("HEADER").get("text", "")), str(at.part("BODY").get("text", ""))
    return Shown(
        header="" if at.header_media else VARIABLE.sub(lambda found: given.header or found[0], header),
        media=at.header_media,
        body=fill(body, variables(body), given.body),
        footer=str(at.part("FOOTER").get("text", "")),
        buttons=_buttons(at, given),
    )


def _buttons(at: Mirrored, given: Given) -> tuple[ShownButton, ...]:
    suffixes = iter(given.url_suffixes)
    found: list[ShownButton] = []
    for each in at.buttons:
        kind, text = str(each.get("type", "")).upper(), str(each.get("text", ""))
        url = str(each.get("url", ""))
        if VARIABLE.search(url):
            suffix = next(suffixes, None)
            url = url if suffix is None else url[: url.index("{{")] + suffix
        target = url or str(each.get("phone_number", ""))
        if kind == "COPY_CODE":
            text, target = text or "Copy offer code", given.coupon_code or ""
        found.append(ShownButton(kind, text, target))
    return tuple(found)


def as_mirrored(definition: Definition, language: str) -> Mirrored:
    """A definition in one language in the shape of the mirror, as if Meta had approved it."""
    found = of_listing({**body_of(definition, language), "status": "APPROVED"})
    if found is None:
        raise ValueError("a definition has a name and a language")
    return found


def examples(definition: Definition, language: str) -> Given:
    """The parameters that the definition's own examples are."""
    wording = definition.languages[language]
    named = isinstance(wording.examples, Mapping)
    values: Mapping[str, str] = wording.examples if isinstance(wording.examples, Mapping) else {}
    body: Sequence[str] | Mapping[str, str] = (
        {name: values[name] for name in wording.names if name in values}
        if isinstance(wording.examples, Mapping)
        else tuple(wording.examples[: len(wording.names)])
    )
    header = values.get(wording.header_names[0]) if named and wording.header_names else wording.header_example
    opened = [button for button in wording.buttons if VARIABLE.search(button.url)]
    at = as_mirrored(definition, language)
    return Given(
        body=body,
        header=header if wording.header_names else None,
        header_media=at.header_media,
        url_suffixes=tuple(each.example[each.url.index("{{") :] for each in opened),
        coupon_code=next((each.text for each in wording.buttons if each.kind == "COPY_CODE"), None),
    )
