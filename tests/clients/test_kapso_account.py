"""@kapso/whatsapp-cloud-api looks after templates, media, the number and its profile."""

from typing import Any

import pytest

from clients.files import PNG, UPLOADS, Shelf
from clients.javascript_business import Kapso, RefusedError, blob, make, unpacked
from clients.stage import ANA, PHONE_ID, WABA_ID

NUMBER, ACCOUNT = {"phoneNumberId": PHONE_ID}, {"businessAccountId": WABA_ID}
#: What fills a template with a place, money, a date and two buttons.
PAID: dict[str, Any] = {
    "name": "made_here",
    "language": "en_US",
    "header": {
        "type": "location",
        "location": {"latitude": 48.8584, "longitude": 2.2945, "name": "Tower", "address": "Champ de Mars 5"},
    },
    "body": [
        {"type": "currency", "currency": {"fallbackValue": "$12.50", "code": "USD", "amount1000": 12500}},
        {"type": "date_time", "dateTime": {"fallbackValue": "May 3"}},
    ],
    "buttons": [
        {
            "type": "button",
            "subType": "quick_reply",
            "index": 0,
            "parameters": [{"type": "payload", "payload": "thanks:7"}],
        },
        {"type": "button", "subType": "url", "index": 1, "parameters": [{"type": "text", "text": "8"}]},
    ],
}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"review": "instant"}


def created(kapso: Kapso, **definition: Any) -> Any:
    """Create a template by the library's own builder, and wait until it can be sent."""
    template = {"name": "made_here", "language": "en_US", "category": "UTILITY", **definition}
    made = kapso("templates.create", {**ACCOUNT, **template})
    kapso.hears("messageTemplateStatusUpdate", messageTemplateId=int(made["id"]), event="APPROVED")
    return made


def test_a_template_is_created_listed_sent_and_deleted(kapso: Kapso) -> None:
    named = [{"paramName": "name", "example": "Ana"}, {"paramName": "day", "example": "Monday"}]
    body = {
        "type": "BODY",
        "text": "Hello {{name}}, we meet on {{day}} at ten.",
        "example": {"bodyTextNamedParams": named},
    }
    made = created(kapso, parameterFormat="NAMED", components=[body])
    listed = kapso("templates.list", {**ACCOUNT, "name": "made_here", "status": "APPROVED", "limit": 5})
    (found,) = listed["data"]
    assert (found["id"], found["parameterFormat"], found["components"]) == (made["id"], "NAMED", [body])

    values = [
        {"type": "text", "text": "Bo", "parameterName": "name"},
        {"type": "text", "text": "Friday", "parameterName": "day"},
    ]
    filled = make("buildTemplateSendPayload", {"name": "made_here", "language": "en_US", "body": values})
    wamid = kapso.send("Template", template=filled)
    kapso.hears("status", id=wamid, status="delivered")
    assert kapso.meta.arrived(wamid)["shown"] == "Hello Bo, we meet on Friday at ten."

    assert kapso("templates.delete", {**ACCOUNT, "name": "made_here"}) == {"success": True}
    assert kapso("templates.list", {**ACCOUNT, "name": "made_here", "status": "APPROVED"})["data"] == []


def test_a_template_with_a_place_money_a_date_and_buttons(kapso: Kapso) -> None:
    body = {
        "type": "BODY",
        "text": "You paid {{1}} on {{2}} for tea.",
        "example": {"bodyText": [["$10.99", "May 1"]]},
    }
    buttons = [
        {"type": "QUICK_REPLY", "text": "Thanks"},
        {"type": "URL", "text": "Look", "url": "https://example.org/{{1}}", "example": ["7"]},
    ]
    header = {"type": "HEADER", "format": "LOCATION"}
    created(kapso, components=[header, body, {"type": "BUTTONS", "buttons": buttons}])
    wamid = kapso.send("Template", template=make("buildTemplateSendPayload", PAID))
    kapso.hears("status", id=wamid, status="delivered")
    assert "You paid $12.50 on May 3 for tea." in kapso.meta.arrived(wamid)["shown"]
    heard = kapso.hears("message", id=kapso.meta.person(tap={"message_id": wamid, "button": "Thanks"}))
    assert (heard["type"], heard["button"]) == ("button", {"payload": "thanks:7", "text": "Thanks"})


def test_templates_are_listed_page_by_page(kapso: Kapso) -> None:
    first = kapso("templates.list", {**ACCOUNT, "limit": 2})
    assert len(first["data"]) == 2
    second = kapso("templates.list", {**ACCOUNT, "limit": 2, "after": first["paging"]["cursors"]["after"]})
    assert "next" in first["paging"]
    assert "next" not in second["paging"]
    names = [each["name"] for each in first["data"] + second["data"]]
    assert sorted(names) == ["confirmation_request", "daily_summary", "hello_world"]


@pytest.mark.parametrize(("content", "mime_type"), UPLOADS)
def test_what_is_uploaded_comes_back_byte_by_byte(kapso: Kapso, content: bytes, mime_type: str) -> None:
    file = blob(content, mime_type)
    media = kapso("media.upload", {**NUMBER, "type": mime_type, "file": file, "fileName": "file"})["id"]
    found = kapso("media.get", {"mediaId": media, **NUMBER})
    assert (found["id"], found["mimeType"], int(found["fileSize"])) == (media, mime_type, len(content))
    assert unpacked(kapso("media.download", {"mediaId": media, "auth": "always"})) == content
    refused = kapso("media.download", {"mediaId": media, "auth": "never", "as": "response"})
    assert refused["status"] == 401
    assert kapso("media.delete", {"mediaId": media}) == {"success": True}
    with pytest.raises(RefusedError):
        kapso("media.get", {"mediaId": media})


def test_a_file_whose_kind_is_told_in_a_word(kapso: Kapso) -> None:
    """As the library's own introduction does it: ``type: "image"``."""
    file = blob(PNG, "image/png")
    media = kapso("media.upload", {**NUMBER, "type": "image", "file": file, "fileName": "dot.png"})["id"]
    assert kapso("media.get", {"mediaId": media})["mimeType"] == "image/png"


def test_the_business_profile_is_written_and_read(kapso: Kapso) -> None:
    profile = {"about": "We confirm", "websites": ["https://example.org/"], "vertical": "OTHER"}
    assert kapso("phoneNumbers.businessProfile.update", {**NUMBER, **profile}) == {"success": True}
    asked = {**NUMBER, "fields": "about,websites,vertical"}
    (found,) = kapso("phoneNumbers.businessProfile.get", asked)["data"]
    assert found == {**profile, "messagingProduct": "whatsapp"}


def test_a_number_is_taken_off_verified_and_registered_again(kapso: Kapso) -> None:
    assert kapso("phoneNumbers.deregister", NUMBER) == {"success": True}
    with pytest.raises(RefusedError) as refused:
        kapso.send_text(ANA, "hello")
    assert (refused.value.told["code"], refused.value.told["category"]) == (133010, "phoneRegistration")
    assert kapso("phoneNumbers.register", {**NUMBER, "pin": "123456"}) == {"success": True}
    kapso.send_text(ANA, "hello")


def test_a_template_of_cards(kapso: Kapso, shelf: Shelf) -> None:
    example = {"headerHandle": [kapso.meta.handle(PNG, "image/png")]}
    card = {
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": example},
            {"type": "BODY", "text": "For {{1}} only, today.", "example": {"bodyText": [["you"]]}},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "This one"}]},
        ]
    }
    cards = {"type": "CAROUSEL", "cards": [card, card]}
    created(kapso, category="MARKETING", components=[{"type": "BODY", "text": "Look at these."}, cards])
    image = {"type": "image", "image": {"link": shelf.link("photo.jpg")}}
    filled = [
        {
            "cardIndex": place,
            "components": [
                {"type": "header", "parameters": [image]},
                {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
                {
                    "type": "button",
                    "subType": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": f"card:{place}"}],
                },
            ],
        }
        for place in range(2)
    ]
    template = {"name": "made_here", "language": "en_US", "cards": filled}
    wamid = kapso.send("Template", template=make("buildTemplateSendPayload", template))
    kapso.hears("status", id=wamid, status="delivered")
    heard = kapso.hears("message", id=kapso.meta.person(tap={"message_id": wamid, "card": 1, "button": 0}))
    assert heard["button"]["payload"] == "card:1"
