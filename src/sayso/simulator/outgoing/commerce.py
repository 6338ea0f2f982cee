"""Products, catalogs, addresses and orders: the shapes are checked, the shop behind them is not simulated (2.5).

No catalog exists in the simulator, so any catalog and product id is taken. Payments do not exist either: an order is
refused as Meta refuses a business that has not accepted the terms of payments (134011).
"""

from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import NO_LIMIT, as_object, choice_at, counted_at, id_at, object_at, text_at
from sayso.simulator.outgoing import parts
from sayso.simulator.outgoing.parts import ACTION, PARAMETERS
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import Button, Card, Content, Row, Section

SECTIONS_AT_MOST = 10
ITEMS_AT_MOST = 30  # in all sections together
#: Where address messages exist; from Meta's guide, the sheet names only the type.
ADDRESS_COUNTRIES = ("IN", "SG")
VIEW_ITEMS = "View items"


def product(given: dict[str, Any], _: Reading) -> Content:
    """Read a message that shows one product; its words are optional."""
    parts.nothing_else(given, "body", "footer")
    catalog, item = _product(parts.action_of(given, "catalog_id", "product_retailer_id"), ACTION)
    return Content(
        body=parts.optional_body_of(given),
        footer=parts.footer_of(given),
        buttons=(Button("View", payload=item, kind="catalog", value=catalog),),
        note=f"Catalog {catalog}, product {item}",
    )


def product_list(given: dict[str, Any], reading: Reading) -> Content:
    """Read a message that shows up to 30 products in up to 10 sections."""
    where = f"{ACTION}['sections']"
    header = parts.header_at(given, "interactive['header']", reading, parts.TEXT_HEADER)
    action = parts.action_of(given, "catalog_id", "sections")
    catalog = id_at(action, "catalog_id", f"{ACTION}['catalog_id']")
    sections = counted_at(action, "sections", where, least=1, most=SECTIONS_AT_MOST, what="sections")
    alone = len(sections) == 1
    read = tuple(_section(each, f"{where}[{index}]", alone=alone) for index, each in enumerate(sections))
    count = sum(len(section.rows) for section in read)
    if count > ITEMS_AT_MOST:
        raise GraphError(
            131009, f"Param {where}: at most {ITEMS_AT_MOST} products in all sections; there are {count}."
        )
    return Content(
        body=parts.body_of(given),
        header=header.words,
        footer=parts.footer_of(given),
        list_label=VIEW_ITEMS,
        sections=read,
        note=f"Catalog {catalog}",
    )


def catalog_message(given: dict[str, Any], _: Reading) -> Content:
    """Read a message that opens the whole catalog."""
    parts.nothing_else(given, "body", "footer")
    action = parts.named_action(given, "catalog_message", "parameters")
    thumbnail = ""
    if action.get("parameters") is not None:
        found = as_object(action["parameters"], PARAMETERS, ("thumbnail_product_retailer_id",))
        key = "thumbnail_product_retailer_id"
        thumbnail = id_at(found, key, f"{PARAMETERS}['{key}']") if found.get(key) is not None else ""
    return Content(
        body=parts.body_of(given),
        footer=parts.footer_of(given),
        buttons=(Button("View catalog", payload=thumbnail, kind="catalog"),),
    )


def address_message(given: dict[str, Any], reading: Reading) -> Content:
    """Read a request for a postal address; ``values`` and ``saved_addresses`` fill the form and are left alone."""
    action = parts.named_action(given, "address_message", "parameters")
    keys = ("country", "values", "saved_addresses", "validation_errors")
    found = object_at(action, "parameters", PARAMETERS, keys)
    country = choice_at(found, "country", f"{PARAMETERS}['country']", ADDRESS_COUNTRIES)
    return parts.with_buttons(given, reading, Button("Provide address", payload=country, kind="address"))


def order_details(given: dict[str, Any], _: Reading) -> Content:
    """Check a bill, then refuse it: payments are not simulated."""
    parts.body_of(given)
    raise _no_payments(given, "review_and_pay")


def order_status(given: dict[str, Any], _: Reading) -> Content:
    """Check what became of an order, then refuse it: payments are not simulated."""
    parts.body_of(given)
    raise _no_payments(given, "review_order")


def product_card(card: dict[str, Any], where: str) -> Card:
    """Read a card of a carousel that shows a product."""
    place = f"{where}['action']"
    action = object_at(card, "action", place, ("catalog_id", "product_retailer_id"))
    catalog, item = _product(action, place)
    return Card(
        body=f"Product {item}", buttons=(Button("View", payload=item, kind="catalog", value=catalog),)
    )


def _product(action: dict[str, Any], where: str) -> tuple[str, str]:
    return (
        id_at(action, "catalog_id", f"{where}['catalog_id']"),
        id_at(action, "product_retailer_id", f"{where}['product_retailer_id']"),
    )


def _section(given: Any, where: str, *, alone: bool) -> Section:
    section = as_object(given, where, ("title", "product_items"))
    place = f"{where}['product_items']"
    items = counted_at(section, "product_items", place, least=1, most=ITEMS_AT_MOST, what="products")
    return Section(
        parts.section_title(section, where, alone=alone),
        tuple(_row(each, f"{place}[{index}]") for index, each in enumerate(items)),
    )


def _row(given: Any, where: str) -> Row:
    item = as_object(given, where, ("product_retailer_id",))
    ident = id_at(item, "product_retailer_id", f"{where}['product_retailer_id']")
    return Row(id=ident, title=ident)


def _no_payments(given: dict[str, Any], name: str) -> GraphError:
    """Check the action as far as its reference, and compose the refusal (134011)."""
    action = object_at(given, "action", ACTION, ("name", "parameters"))
    choice_at(action, "name", f"{ACTION}['name']", (name,))
    found = object_at(action, "parameters", PARAMETERS)
    text_at(found, "reference_id", f"{PARAMETERS}['reference_id']", limit=NO_LIMIT)
    return GraphError(
        134011,
        "This WhatsApp business account has not accepted the payments terms; payments are not simulated.",
    )
