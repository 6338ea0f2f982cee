"""Cards side by side, of media or of products (cloud-api.md 2.5)."""

from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import as_object, choice_at, counted_at, number_at, object_at, text_at
from sayso.simulator.outgoing import commerce, parts
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import Button, Card, Content

CARDS_AT_LEAST, CARDS_AT_MOST = 2, 10
CARD_BODY = 160
LINE_BREAKS_AT_MOST = 2
_CARDS = f"{parts.ACTION}['cards']"


def carousel(given: dict[str, Any], reading: Reading) -> Content:
    """Read a carousel: words, and two to ten cards that are all alike."""
    parts.nothing_else(given, "body")
    body = parts.body_of(given)
    action = parts.action_of(given, "cards")
    cards = counted_at(action, "cards", _CARDS, least=CARDS_AT_LEAST, most=CARDS_AT_MOST, what="cards")
    read = tuple(_card(each, index, reading) for index, each in enumerate(cards))
    _check_alike(read)
    return Content(body=body, cards=read)


def _card(given: Any, index: int, reading: Reading) -> Card:
    where = f"{_CARDS}[{index}]"
    card = as_object(given, where, ("card_index", "type", "header", "body", "action"))
    if number_at(card, "card_index", f"{where}['card_index']", least=0, most=CARDS_AT_MOST) != index:
        raise GraphError(131009, f"Param {where}['card_index'] must be {index}, the place of the card.")
    if choice_at(card, "type", f"{where}['type']", ("cta_url", "product")) == "product":
        as_object(card, where, ("card_index", "type", "action"))
        return commerce.product_card(card, where)
    return Card(
        attachment=parts.header_at(card, f"{where}['header']", reading, ("image", "video")).attachment,
        body=_body(card, f"{where}['body']"),
        buttons=_buttons(card, f"{where}['action']"),
    )


def _body(card: dict[str, Any], where: str) -> str:
    if card.get("body") is None:
        return ""
    words = text_at(as_object(card["body"], where, ("text",)), "text", f"{where}['text']", limit=CARD_BODY)
    if words.count("\n") > LINE_BREAKS_AT_MOST:
        raise GraphError(
            131009,
            f"Param {where}['text'] may have {LINE_BREAKS_AT_MOST} line breaks; it has {words.count(chr(10))}.",
        )
    return words


def _buttons(card: dict[str, Any], where: str) -> tuple[Button, ...]:
    """Read one button that opens a link, or one to three that answer; the card's type is the same for both."""
    action = object_at(card, "action", where, ("name", "parameters", "buttons"))
    if action.get("buttons") is not None:
        as_object(action, where, ("buttons",))
        return parts.reply_buttons(action, where, "quick_reply")
    choice_at(action, "name", f"{where}['name']", ("cta_url",))
    return (parts.url_button(action, where),)


def _check_alike(cards: tuple[Card, ...]) -> None:
    """Refuse cards of which one has other parts than the first; products must be of one catalog."""
    looks = [_look(card) for card in cards]
    for index, look in enumerate(looks):
        if look != looks[0]:
            raise GraphError(
                131009,
                f"Param {_CARDS}: all cards must be alike in type, header, body, buttons and catalog; card {index} "
                "differs from card 0.",
            )


def _look(card: Card) -> tuple[object, ...]:
    if card.attachment is None:
        return (card.buttons[0].value,)  # the catalog
    return (card.attachment.kind, bool(card.body), *(button.kind for button in card.buttons))
