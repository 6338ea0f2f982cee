"""Contact cards to share (cloud-api.md 2.4)."""

from datetime import date
from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import NO_LIMIT, array_at, as_object, missing, object_at, text_at, words_at
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import ContactCard, Content

_NAME_PARTS = ("first_name", "last_name", "middle_name", "prefix", "suffix")
_CARD = ("name", "phones", "emails", "urls", "addresses", "org", "birthday")
_PHONE, _EMAIL, _URL = ("phone", "type", "wa_id"), ("email", "type"), ("url", "type")
_ADDRESS = ("street", "city", "state", "zip", "country", "country_code", "type")
_ORGANIZATION = ("company", "department", "title")


def contacts(body: dict[str, Any], _: Reading) -> Content:
    """Read one contact card or several."""
    given = array_at(body, "contacts", "contacts")
    if not given:
        raise GraphError(131009, "Param contacts must hold at least one contact; it has 0.")
    cards = tuple(_card(each, f"contacts[{index}]") for index, each in enumerate(given))
    return Content(contacts=cards)


def _card(given: Any, where: str) -> ContactCard:
    card = as_object(given, where, _CARD)
    return ContactCard(
        name=_name(card, f"{where}['name']"),
        phones=_phones(card, where),
        emails=_each(card, "emails", where, _EMAIL, "email"),
        organization=_organization(card, f"{where}['org']"),
        urls=_each(card, "urls", where, _URL, "url"),
        addresses=_addresses(card, where),
        birthday=_birthday(card, f"{where}['birthday']"),
    )


def _name(card: dict[str, Any], where: str) -> str:
    """Read the name: as it is to be shown, and at least one of its parts."""
    name = object_at(card, "name", where, ("formatted_name", *_NAME_PARTS))
    formatted = text_at(name, "formatted_name", f"{where}['formatted_name']", limit=NO_LIMIT)
    parts = [words_at(name, part, f"{where}['{part}']") for part in _NAME_PARTS]
    if not any(parts):
        raise missing(f"{where}[{' | '.join(_NAME_PARTS)}] (one of them beside formatted_name)")
    return formatted


def _objects(card: dict[str, Any], key: str, where: str, known: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return an optional array of objects."""
    if card.get(key) is None:
        return []
    place = f"{where}['{key}']"
    return [
        as_object(each, f"{place}[{index}]", known) for index, each in enumerate(array_at(card, key, place))
    ]


def _phones(card: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return the numbers as they are to be shown; one given by its ``wa_id`` alone is shown with a plus."""
    found = []
    for index, each in enumerate(_objects(card, "phones", where, _PHONE)):
        place = f"{where}['phones'][{index}]"
        words_at(each, "type", f"{place}['type']")  # free text
        wa_id = words_at(each, "wa_id", f"{place}['wa_id']")
        shown = words_at(each, "phone", f"{place}['phone']") or (wa_id and f"+{wa_id}")
        if not shown:
            raise missing(f"{place}['phone']")
        found.append(shown)
    return tuple(found)


def _each(card: dict[str, Any], key: str, where: str, known: tuple[str, ...], wanted: str) -> tuple[str, ...]:
    """Return what stands under ``wanted`` in each object of an optional array; ``type`` is free text."""
    found = []
    for index, each in enumerate(_objects(card, key, where, known)):
        place = f"{where}['{key}'][{index}]"
        words_at(each, "type", f"{place}['type']")
        found.append(text_at(each, wanted, f"{place}['{wanted}']", limit=NO_LIMIT))
    return tuple(found)


def _addresses(card: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return each address on one line."""
    lines = []
    for index, each in enumerate(_objects(card, "addresses", where, _ADDRESS)):
        parts = {part: words_at(each, part, f"{where}['addresses'][{index}]['{part}']") for part in _ADDRESS}
        lines.append(", ".join(parts[part] for part in _ADDRESS[:5] if parts[part]))
    return tuple(lines)


def _organization(card: dict[str, Any], where: str) -> str:
    if card.get("org") is None:
        return ""
    organization = as_object(card["org"], where, _ORGANIZATION)
    parts = [words_at(organization, part, f"{where}['{part}']") for part in _ORGANIZATION]
    return ", ".join(part for part in parts if part)


def _birthday(card: dict[str, Any], where: str) -> str:
    given = words_at(card, "birthday", where)
    if not given:
        return ""
    try:
        same = date.fromisoformat(given).isoformat() == given
    except ValueError:
        same = False
    if not same:
        raise GraphError(131009, f"Param {where} must be a date as YYYY-MM-DD; it is {given!r}.")
    return given
