"""A template as the person sees it: found, let through, filled with what was sent (cloud-api.md 2.6, 5.3)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import array_at, as_object, choice_at, missing, object_at, text_at, whole_number
from sayso.simulator.outgoing.location import place_at
from sayso.simulator.outgoing.media import attachment
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.outgoing.template_buttons import filled_buttons
from sayso.simulator.outgoing.template_components import CARD_KINDS, Parameters, Sent, read_sent
from sayso.simulator.outgoing.template_words import filled, words_of
from sayso.simulator.world.content import Attachment, Card, Content, MediaKind, Place
from sayso.simulator.world.templates import Template

TEMPLATE_NAME = 512  # 2.8
LANGUAGE = 16
HEADER_TEXT = 60
BODY_TEXT, BODY_TEXT_ALONE = 1024, 32_768  # with other components, without
CARD_TEXT = 160
SAMPLE = "hello_world"
#: ``namespace`` is left over from the on-premises API and means nothing here.
_KEYS = ("name", "language", "components", "namespace")


@dataclass(frozen=True, slots=True)
class _Header:
    """A header of any kind, filled."""

    text: str = ""
    attachment: Attachment | None = None
    place: Place | None = None
    product: str = ""


def template(body: dict[str, Any], reading: Reading) -> Content:
    """Read a template message; raise 132xxx as Meta does when it does not fit the template."""
    given = object_at(body, "template", "template", _KEYS)
    found = _find(given, reading)
    _check_may_go(found, reading, to_user_id=body.get("to") is None)
    sent = read_sent(given, "template['components']")
    named = found.parameter_format == "NAMED"
    header = _header(found.part("HEADER"), sent.header, reading, named=named)
    limit = BODY_TEXT if len(found.components) > 1 else BODY_TEXT_ALONE
    content = Content(
        header=header.text,
        attachment=header.attachment,
        place=header.place,
        body=filled(str(found.part("BODY").get("text", "")), "body", sent.body, limit, named=named),
        footer=str(found.part("FOOTER").get("text", "")),
        buttons=tuple(filled_buttons(found.buttons, sent.buttons)),
        cards=_cards(found, sent, reading, named=named),
        note=_offer(found, sent) or header.product,
        answers_as="button",
        template=found.name,
        template_id=found.id,
        category=found.category.lower(),
    )
    _check_code(found, sent, content)
    return content


def _find(given: dict[str, Any], reading: Reading) -> Template:
    """Find the template; the language is matched as given, and only an approved one can be sent."""
    name = text_at(given, "name", "template['name']", limit=TEMPLATE_NAME)
    language = object_at(given, "language", "template['language']", ("code", "policy"))
    code = text_at(language, "code", "template['language']['code']", limit=LANGUAGE)
    if language.get("policy") is not None:
        choice_at(language, "policy", "template['language']['policy']", ("deterministic",))
    found = reading.world.templates.find(reading.number.waba_id, name, code)
    if found is None:
        raise GraphError(132001, f"template name ({name}) does not exist in {code}")
    if found.status == "PAUSED":
        raise GraphError(132015, f"template name ({name}) is paused in {code}")
    if found.status == "DISABLED":
        raise GraphError(132016, f"template name ({name}) is disabled in {code}")
    if found.status != "APPROVED":
        raise GraphError(132001, f"template name ({name}) is {found.status} in {code}, not APPROVED")
    return found


def _check_may_go(found: Template, reading: Reading, *, to_user_id: bool) -> None:
    """Refuse a one-time code to a BSUID (131062, 2.1); where asked for, the sample from a live number (131058)."""
    if to_user_id and found.category == "AUTHENTICATION":
        raise GraphError(
            131062, f"template name ({found.name}): authentication templates cannot be sent to a user ID"
        )
    live = reading.number.account_mode == "LIVE"
    if found.name == SAMPLE and live and reading.world.config.sample_from_test_numbers_only:
        raise GraphError(131058, "The hello_world template can only be sent from the public test numbers.")


def _check_code(found: Template, sent: Sent, content: Content) -> None:
    """Refuse a one-time code that is one in the body and another under its button (2.6)."""
    for index, button in enumerate(found.buttons):
        if button["type"] != "OTP":
            continue
        codes = [words_of(each, f"body['parameters'][{place}]") for place, each in enumerate(sent.body)]
        if codes != [content.buttons[index].value]:
            raise GraphError(
                132018, f"buttons: Button at index {index} of type Otp must have the code the body has"
            )


def _header(component: dict[str, Any], parameters: Parameters, reading: Reading, *, named: bool) -> _Header:
    """Fill a header: text, or the one parameter of the kind the template has (132012)."""
    form = component.get("format", "TEXT")
    if form == "TEXT":
        text = filled(str(component.get("text", "")), "header", parameters, HEADER_TEXT, named=named)
        return _Header(text=text)
    if len(parameters) > 1:
        raise GraphError(
            132000,
            f"header: number of localizable_params ({len(parameters)}) does not match the expected number of "
            "params (1)",
        )
    parameter = parameters[0] if parameters else {}
    kind = str(parameter.get("type") or "unknown").lower()
    wanted = ("gif", "video") if form == "GIF" else (form.lower(),)
    if kind not in wanted:
        raise GraphError(132012, f"header: Format mismatch, expected {form}, received {kind.upper()}")
    return _filled_header(parameter, kind, reading)


def _filled_header(parameter: dict[str, Any], kind: str, reading: Reading) -> _Header:
    where = f"header['parameters'][0]['{kind}']"
    if kind == "location":
        return _Header(place=place_at(parameter, "location", where))
    if kind == "product":
        product = object_at(parameter, "product", where, ("product_retailer_id", "catalog_id"))
        key = "product_retailer_id"
        return _Header(product=text_at(product, key, f"{where}['{key}']", limit=100))
    if kind == "gif":
        parameter, kind = {"video": parameter.get("gif")}, "video"
    return _Header(attachment=attachment(parameter, cast("MediaKind", kind), where, reading))


def _offer(found: Template, sent: Sent) -> str:
    """Fill a limited-time offer: its words, and when it ends if the template shows that."""
    offer = found.part("LIMITED_TIME_OFFER").get("limited_time_offer")
    if offer is None:
        if "limited_time_offer" in sent.kinds:
            raise GraphError(132018, f"The template {found.name} has no limited_time_offer.")
        return ""
    words = str(offer["text"])
    if not offer.get("has_expiration"):
        return words
    where = "limited_time_offer['parameters'][0]['limited_time_offer']"
    if len(sent.offer) != 1:
        raise GraphError(132000, f"{where}: one parameter is expected; there are {len(sent.offer)}")
    kind = str(sent.offer[0].get("type") or "limited_time_offer").lower()
    if kind != "limited_time_offer":
        raise GraphError(132012, f"{where}: a parameter of type {kind} where limited_time_offer belongs")
    given = object_at(sent.offer[0], "limited_time_offer", where, ("expiration_time_ms",))
    ends = whole_number(given.get("expiration_time_ms"))
    if ends is None or ends <= 0:
        raise GraphError(132012, f"{where}['expiration_time_ms'] must be a unix time in milliseconds")
    return f"{words} · {_moment(ends)}"


def _moment(ms: int) -> str:
    """Write a unix time in milliseconds; one beyond the calendar as it is."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return str(ms)


def _cards(found: Template, sent: Sent, reading: Reading, *, named: bool) -> tuple[Card, ...]:
    """Fill a carousel: every card of the template, named by its ``card_index``."""
    cards: list[dict[str, Any]] = found.part("CAROUSEL").get("cards", [])
    if not cards:
        if sent.cards is not None:
            raise GraphError(132018, f"The template {found.name} has no carousel.")
        return ()
    given = _by_index(sent.cards or [], len(cards))
    return tuple(_card(card, given[place], place, reading, named=named) for place, card in enumerate(cards))


def _by_index(given: list[Any], count: int) -> dict[int, dict[str, Any]]:
    if len(given) != count:
        raise GraphError(
            132000, f"carousel: number of cards ({len(given)}) does not match the expected number ({count})"
        )
    found: dict[int, dict[str, Any]] = {}
    for place, each in enumerate(given):
        card = as_object(each, f"carousel['cards'][{place}]", ("card_index", "components"))
        if card.get("card_index") is None:
            raise missing(f"carousel['cards'][{place}]['card_index']")
        index = whole_number(card["card_index"])
        if index is None or not 0 <= index < count or index in found:
            raise GraphError(
                132018,
                f"carousel['cards'][{place}]['card_index'] must be a place from 0 to {count - 1}, each once",
            )
        found[index] = card
    return found


def _card(card: dict[str, Any], given: dict[str, Any], place: int, reading: Reading, *, named: bool) -> Card:
    where = f"carousel['cards'][{place}]['components']"
    sent = read_sent(given, where, CARD_KINDS)
    parts = {each["type"]: each for each in array_at(card, "components", where)}
    header = _header(parts["HEADER"], sent.header, reading, named=named)
    text = str(parts.get("BODY", {}).get("text", ""))
    return Card(
        attachment=header.attachment,
        body=filled(text, "body", sent.body, CARD_TEXT, named=named) or header.product,
        buttons=tuple(filled_buttons(parts["BUTTONS"]["buttons"], sent.buttons)),
    )
