"""Interactive messages: reply buttons, lists, and which reader takes the others (cloud-api.md 2.5)."""

from collections.abc import Callable
from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import as_object, choice_at, counted_at, object_at, text_at, unique
from sayso.simulator.outgoing import asking, commerce, parts
from sayso.simulator.outgoing.carousel import carousel
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import Content, Row, Section

LIST_BUTTON = 20
SECTIONS_AT_MOST = ROWS_AT_MOST = 10  # rows in all sections together
ROW_TITLE = 24
ROW_ID, ROW_DESCRIPTION = 200, 72


def interactive(body: dict[str, Any], reading: Reading) -> Content:
    """Read an interactive message of any kind."""
    given = object_at(body, "interactive", "interactive", ("type", "header", "body", "footer", "action"))
    return _READERS[choice_at(given, "type", "interactive['type']", _READERS)](given, reading)


def _button(given: dict[str, Any], reading: Reading) -> Content:
    action = parts.action_of(given, "buttons")
    return parts.with_buttons(given, reading, *parts.reply_buttons(action, parts.ACTION, "reply"))


def _list(given: dict[str, Any], reading: Reading) -> Content:
    action = parts.action_of(given, "button", "sections")
    return Content(
        body=parts.body_of(given, parts.LIST_BODY),
        header=parts.header_of(given, reading, parts.TEXT_HEADER).words,
        footer=parts.footer_of(given),
        list_label=text_at(action, "button", f"{parts.ACTION}['button']", limit=LIST_BUTTON),
        sections=_sections(action, f"{parts.ACTION}['sections']"),
    )


def _sections(action: dict[str, Any], where: str) -> tuple[Section, ...]:
    given = counted_at(action, "sections", where, least=1, most=SECTIONS_AT_MOST, what="sections")
    sections = tuple(
        _section(each, f"{where}[{index}]", alone=len(given) == 1) for index, each in enumerate(given)
    )
    rows = [row for section in sections for row in section.rows]
    if len(rows) > ROWS_AT_MOST:
        raise GraphError(
            131009,
            f"Param {where}: at most {ROWS_AT_MOST} rows in all sections together; there are {len(rows)}.",
        )
    unique([row.id for row in rows], where, "row's id")
    return sections


def _section(given: Any, where: str, *, alone: bool) -> Section:
    section = as_object(given, where, ("title", "rows"))
    rows = counted_at(section, "rows", f"{where}['rows']", least=1, most=ROWS_AT_MOST, what="rows")
    return Section(
        parts.section_title(section, where, alone=alone),
        tuple(_row(each, f"{where}['rows'][{index}]") for index, each in enumerate(rows)),
    )


def _row(given: Any, where: str) -> Row:
    row = as_object(given, where, ("id", "title", "description"))
    return Row(
        id=text_at(row, "id", f"{where}['id']", limit=ROW_ID),
        title=text_at(row, "title", f"{where}['title']", limit=ROW_TITLE),
        description=""
        if row.get("description") in (None, "")
        else text_at(row, "description", f"{where}['description']", limit=ROW_DESCRIPTION),
    )


_READERS: dict[str, Callable[[dict[str, Any], Reading], Content]] = {
    "button": _button,
    "list": _list,
    "cta_url": asking.cta_url,
    "flow": asking.flow,
    "location_request_message": asking.location_request,
    "request_contact_info": asking.contact_request,
    "call_permission_request": asking.call_permission_request,
    "voice_call": asking.voice_call,
    "carousel": carousel,
    "product": commerce.product,
    "product_list": commerce.product_list,
    "catalog_message": commerce.catalog_message,
    "address_message": commerce.address_message,
    "order_details": commerce.order_details,
    "order_status": commerce.order_status,
}
