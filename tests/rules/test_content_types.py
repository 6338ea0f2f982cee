"""Every outgoing type beside text, buttons and plain templates: its JSON is Meta's."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sayso.whatsapp.content import (
    TYPES,
    Audio,
    Button,
    Buttons,
    CallPermission,
    Card,
    Carousel,
    Catalog,
    ContactRequest,
    Contacts,
    Content,
    CtaUrl,
    Document,
    Flow,
    Header,
    Image,
    Layout,
    List,
    Location,
    LocationRequest,
    Media,
    Product,
    ProductList,
    Reaction,
    Row,
    Section,
    Sticker,
    Template,
    TemplateCard,
    Video,
    VoiceCall,
    from_data,
    to_data,
    to_json,
    type_of,
    validate,
)
from sayso.whatsapp.content.plain import Contact, Email, Name, Organization, Phone
from sayso.whatsapp.content.showcase import Shelf
from sayso.whatsapp.content.template import FlowButton, ProductsButton

LINK = "https://example.org/a.png"
PICTURE = Header(image=Media(link=LINK))
ENDS = datetime(2027, 3, 3, 12, tzinfo=UTC)


def interactive(kind: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "action": action, **more}}


def template(*components: dict[str, Any], name: str = "t", language: str = "en") -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "language": {"code": language}}
    return {"type": "template", "template": told | ({"components": list(components)} if components else {})}


def button(kind: str, index: int, parameter: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", "sub_type": kind, "index": str(index), "parameters": [parameter]}


BODY = {"body": {"text": "Hi"}}
WIRE: list[tuple[Content, dict[str, Any]]] = [
    (Image(link=LINK, caption="c"), {"type": "image", "image": {"link": LINK, "caption": "c"}}),
    (Image(id="5001"), {"type": "image", "image": {"id": "5001"}}),
    (Video(id="5001", caption="c"), {"type": "video", "video": {"id": "5001", "caption": "c"}}),
    (Audio(id="5001"), {"type": "audio", "audio": {"id": "5001"}}),
    (Audio(id="5001", voice=True), {"type": "audio", "audio": {"id": "5001", "voice": True}}),
    (
        Document(link=LINK, filename="a.pdf", caption="c"),
        {"type": "document", "document": {"link": LINK, "filename": "a.pdf", "caption": "c"}},
    ),
    (Sticker(id="5001"), {"type": "sticker", "sticker": {"id": "5001"}}),
    (
        Location(1.5, -2.0, "n", "a"),
        {"type": "location", "location": {"latitude": 1.5, "longitude": -2.0, "name": "n", "address": "a"}},
    ),
    (
        Contacts(
            (
                Contact(
                    Name("John Doe", first_name="John"),
                    phones=(Phone("+1 555 000 2222", "WORK", "15550002222"),),
                    emails=(Email("j@example.org"),),
                    org=Organization("Example"),
                    birthday="1990-03-14",
                ),
            )
        ),
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "John Doe", "first_name": "John"},
                    "phones": [{"phone": "+1 555 000 2222", "type": "WORK", "wa_id": "15550002222"}],
                    "emails": [{"email": "j@example.org"}],
                    "org": {"company": "Example"},
                    "birthday": "1990-03-14",
                }
            ],
        },
    ),
    (Reaction("wamid.1", "👍"), {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}}),
    (Reaction("wamid.1"), {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": ""}}),
    (
        Buttons("Hi", (Button("y", "Yes"),), header=Header(document=Media(id="1", filename="a.pdf"))),
        interactive(
            "button",
            {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]},
            header={"type": "document", "document": {"id": "1", "filename": "a.pdf"}},
            **BODY,
        ),
    ),
    (
        List("Hi", "Slots", (Section((Row("1700", "17:00", "30 minutes"),), "Today"),), footer="f"),
        interactive(
            "list",
            {
                "button": "Slots",
                "sections": [
                    {
                        "title": "Today",
                        "rows": [{"id": "1700", "title": "17:00", "description": "30 minutes"}],
                    }
                ],
            },
            footer={"text": "f"},
            **BODY,
        ),
    ),
    (
        CtaUrl("Hi", "Open", "https://example.org", header=PICTURE),
        interactive(
            "cta_url",
            {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.org"}},
            header={"type": "image", "image": {"link": LINK}},
            **BODY,
        ),
    ),
    (
        Flow(
            "Hi",
            "Start",
            flow_id="7",
            flow_token="t",
            mode="draft",
            action="navigate",
            screen="A",
            data={"b": 1},
        ),
        interactive(
            "flow",
            {
                "name": "flow",
                "parameters": {
                    "flow_message_version": "3",
                    "flow_id": "7",
                    "flow_cta": "Start",
                    "flow_token": "t",
                    "mode": "draft",
                    "flow_action": "navigate",
                    "flow_action_payload": {"screen": "A", "data": {"b": 1}},
                },
            },
            **BODY,
        ),
    ),
    (LocationRequest("Hi"), interactive("location_request_message", {"name": "send_location"}, **BODY)),
    (ContactRequest("Hi"), interactive("request_contact_info", {"name": "request_contact_info"}, **BODY)),
    (CallPermission(), interactive("call_permission_request", {"name": "call_permission_request"})),
    (
        VoiceCall("Hi", "Call"),
        interactive("voice_call", {"name": "voice_call", "parameters": {"display_text": "Call"}}, **BODY),
    ),
    (
        Carousel(
            "Hi",
            (
                Card(PICTURE, "A", buttons=(Button("a", "A"),)),
                Card(PICTURE, "B", buttons=(Button("b", "B"),)),
            ),
        ),
        interactive(
            "carousel",
            {
                "cards": [
                    {
                        "card_index": index,
                        "type": "cta_url",
                        "header": {"type": "image", "image": {"link": LINK}},
                        "body": {"text": name},
                        "action": {
                            "buttons": [
                                {"type": "quick_reply", "quick_reply": {"id": name.lower(), "title": name}}
                            ]
                        },
                    }
                    for index, name in enumerate("AB")
                ]
            },
            **BODY,
        ),
    ),
    (Product("7", "S"), interactive("product", {"catalog_id": "7", "product_retailer_id": "S"})),
    (
        ProductList("Hi", Header(text="H"), "7", (Shelf(("S",), "T"),)),
        interactive(
            "product_list",
            {
                "catalog_id": "7",
                "sections": [{"title": "T", "product_items": [{"product_retailer_id": "S"}]}],
            },
            header={"type": "text", "text": "H"},
            **BODY,
        ),
    ),
    (
        Catalog("Hi", "S"),
        interactive(
            "catalog_message",
            {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "S"}},
            **BODY,
        ),
    ),
    (
        Template("t", "en", {"a": "1", "b": "2"}, header=Header(text="h"), layout=Layout(header="who")),
        template(
            {"type": "header", "parameters": [{"type": "text", "text": "h", "parameter_name": "who"}]},
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "parameter_name": "a", "text": "1"},
                    {"type": "text", "parameter_name": "b", "text": "2"},
                ],
            },
        ),
    ),
    (
        Template("t", "en", header=Header(location=Location(1, 2, "n"))),
        template(
            {
                "type": "header",
                "parameters": [
                    {"type": "location", "location": {"latitude": 1.0, "longitude": 2.0, "name": "n"}}
                ],
            }
        ),
    ),
    (
        Template(
            "t",
            "en",
            quick_replies=("p",),
            url_suffixes=("s",),
            coupon_code="SAVE",
            flow=FlowButton("tok"),
            products=ProductsButton("S"),
        ),
        template(
            button("quick_reply", 0, {"type": "payload", "payload": "p"}),
            button("url", 1, {"type": "text", "text": "s"}),
            button("copy_code", 2, {"type": "coupon_code", "coupon_code": "SAVE"}),
            button("flow", 3, {"type": "action", "action": {"flow_token": "tok"}}),
            button("catalog", 4, {"type": "action", "action": {"thumbnail_product_retailer_id": "S"}}),
        ),
    ),
    (
        Template(
            "t",
            "en",
            quick_replies=("p",),
            url_suffixes=("s",),
            layout=Layout(urls=(0,), quick_replies=(1, 2)),
        ),
        template(
            button("quick_reply", 1, {"type": "payload", "payload": "p"}),
            button("url", 0, {"type": "text", "text": "s"}),
        ),
    ),
    (
        Template("t", "en", ("123456",), layout=Layout(passwords=(0,))),
        template(
            {"type": "body", "parameters": [{"type": "text", "text": "123456"}]},
            button("url", 0, {"type": "text", "text": "123456"}),
        ),
    ),
    (
        Template("t", "en", products=ProductsButton("S", (Shelf(("S",)),)), layout=Layout(products=0)),
        template(
            button(
                "mpm",
                0,
                {
                    "type": "action",
                    "action": {
                        "thumbnail_product_retailer_id": "S",
                        "sections": [{"product_items": [{"product_retailer_id": "S"}]}],
                    },
                },
            )
        ),
    ),
    (
        Template("t", "en", offer_ends_at=ENDS, cards=(TemplateCard(PICTURE, ("x",), ("p",), ("s",)),) * 2),
        template(
            {
                "type": "limited_time_offer",
                "parameters": [
                    {
                        "type": "limited_time_offer",
                        "limited_time_offer": {"expiration_time_ms": int(ENDS.timestamp() * 1000)},
                    }
                ],
            },
            {
                "type": "carousel",
                "cards": [
                    {
                        "card_index": index,
                        "components": [
                            {"type": "header", "parameters": [{"type": "image", "image": {"link": LINK}}]},
                            {"type": "body", "parameters": [{"type": "text", "text": "x"}]},
                            button("quick_reply", 0, {"type": "payload", "payload": "p"}),
                            button("url", 1, {"type": "text", "text": "s"}),
                        ],
                    }
                    for index in range(2)
                ],
            },
        ),
    ),
]


@pytest.mark.parametrize(("content", "wire"), WIRE, ids=[type_of(content) for content, _ in WIRE])
def test_the_json_is_metas_and_the_stored_form_reads_back(content: Content, wire: dict[str, Any]) -> None:
    validate(content)
    body = json.loads(
        to_json(content, to="+15550001111", recipient=None, callback="m", context_wamid="wamid.0")
    )
    assert body["context"] == {"message_id": "wamid.0"}
    assert {name: body[name] for name in wire} == wire
    assert from_data(json.loads(json.dumps(to_data(content)))) == content
    assert to_data(content)["type"] == type_of(content)


def test_every_type_is_here_or_with_the_texts() -> None:
    assert {type_of(content) for content, _ in WIRE} | {"text"} == set(TYPES)
