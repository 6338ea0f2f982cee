"""What can be sent: its types, its limits, its JSON for Meta and its form in the database.

Each type is one class: its fields are what a caller gives and what is stored, ``examine`` checks it against
everything Meta would refuse, ``wire`` is its JSON for Meta. Shapes: cloud-api 2.1 (envelope), 2.3 to 2.6.
"""

from typing import Any, Final, get_args

import msgspec

from sayso.core.errors import ContentTooLongError, InputInvalidError
from sayso.whatsapp import limits
from sayso.whatsapp.content.asking import CallPermission, ContactRequest, Flow, LocationRequest, VoiceCall
from sayso.whatsapp.content.check import Check, clean_parameter, excess
from sayso.whatsapp.content.interactive import Button, Buttons, CtaUrl, List, Row, Section
from sayso.whatsapp.content.media import Audio, Document, Header, Image, Location, Media, Sticker, Video
from sayso.whatsapp.content.plain import Contacts, Reaction, Text
from sayso.whatsapp.content.showcase import Card, Carousel, Catalog, Product, ProductList
from sayso.whatsapp.content.template import Layout, Template, TemplateCard

__all__ = [
    "TYPES",
    "Audio",
    "Button",
    "Buttons",
    "CallPermission",
    "Card",
    "Carousel",
    "Catalog",
    "ContactRequest",
    "Contacts",
    "Content",
    "CtaUrl",
    "Document",
    "Flow",
    "Header",
    "Image",
    "Layout",
    "List",
    "Location",
    "LocationRequest",
    "Media",
    "Product",
    "ProductList",
    "Reaction",
    "Row",
    "Section",
    "Sticker",
    "Template",
    "TemplateCard",
    "Text",
    "Video",
    "VoiceCall",
    "clean_parameter",
    "from_data",
    "to_data",
    "to_json",
    "type_of",
    "validate",
]

Content = (
    Text
    | Image
    | Video
    | Audio
    | Document
    | Sticker
    | Location
    | Contacts
    | Reaction
    | Buttons
    | List
    | CtaUrl
    | Flow
    | LocationRequest
    | ContactRequest
    | CallPermission
    | VoiceCall
    | Carousel
    | Product
    | ProductList
    | Catalog
    | Template
)


def type_of(content: Content) -> str:
    """What a content is called in the API and the database: ``text``, ``buttons`` and so on."""
    tag = content.__struct_config__.tag
    return str(tag)


TYPES: Final[dict[str, type[Content]]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Content)}
"""Every type by its name."""


def to_data(content: Content) -> dict[str, Any]:
    """Return validated content as a dict of plain JSON values (lists, no tuples), tagged by ``type``."""
    data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(content))
    return data


def from_data(data: Any) -> Content:
    """Read what ``to_data`` wrote. Raises InputInvalidError for anything else."""
    kind = TYPES.get(data["type"]) if isinstance(data, dict) and isinstance(data.get("type"), str) else None
    if kind is None:
        raise InputInvalidError("Not a content: it has no type that is known.")
    try:
        content: Content = msgspec.convert(data, kind)  # the union of all would be put together at each call
    except msgspec.ValidationError as error:
        raise InputInvalidError(f"Not a content: {error}") from error
    return content


def validate(content: Content, *, at: str = "") -> None:
    """Check content against everything Meta would refuse; ``at`` is the JSON Pointer of the content.

    Raises ContentTooLongError when something is only too long, InputInvalidError when anything else is
    wrong; both carry one Fault for each finding. Lengths are counted as ``limits.length`` counts.
    """
    check = Check(at)
    content.examine(check)
    check.verdict()


def to_json(
    content: Content,
    *,
    to: str | None,
    recipient: str | None,
    callback: str,
    context_wamid: str | None,
) -> bytes:
    """Return the body of ``POST /{phone-number-id}/messages`` (cloud-api 2.1).

    ``to`` is a phone number in E.164 with ``+`` (without it Meta prepends the business number's country
    code); ``recipient`` a BSUID, used when there is no ``to``. ``callback`` comes back in every status.
    ``context_wamid`` makes it a quoted reply. Raises InputInvalidError, ContentTooLongError.
    """
    if to is not None and not to.startswith("+"):
        raise InputInvalidError("A phone number to send to starts with +.")
    if not to and not recipient:
        raise InputInvalidError("A message needs a phone number or a user id to go to.")
    if limits.length(callback) > limits.CALLBACK_DATA:
        raise ContentTooLongError(excess("The callback data", callback, limits.CALLBACK_DATA))
    body: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    body |= {"to": to} if to else {"recipient": recipient}
    if context_wamid:
        body["context"] = {"message_id": context_wamid}
    body["biz_opaque_callback_data"] = callback
    return msgspec.json.encode(body | content.wire())
