"""@kapso/whatsapp-cloud-api sends: what it was told to send is what arrives."""

from typing import Any

import pytest

from clients.files import PDF, PNG, Shelf
from clients.javascript_business import Kapso, blob, wamid_of
from clients.stage import ANA, PHONE_ID


@pytest.fixture(autouse=True)
def said_hi(kapso: Kapso) -> str:
    """Open the window: Ana has written."""
    return kapso.meta.person(text="hi")


def test_a_text_that_quotes_and_carries_a_reference(kapso: Kapso, said_hi: str) -> None:
    wamid = kapso.send(
        "Text",
        body="Hello ☀️ https://example.org",
        previewUrl=True,
        contextMessageId=said_hi,
        bizOpaqueCallbackData="job:7",
    )
    assert kapso.arrived(wamid, "text") == {"body": "Hello ☀️ https://example.org", "preview_url": True}
    assert kapso.meta.arrived(wamid)["context"] == {"message_id": said_hi}
    assert kapso.hears("status", id=wamid, status="read")["bizOpaqueCallbackData"] == "job:7"


def test_a_text_to_somebody_known_only_by_their_bsuid(kapso: Kapso, said_hi: str) -> None:
    bsuid = kapso.hears("message", id=said_hi)["fromUserId"]
    sent = kapso("messages.sendText", {"phoneNumberId": PHONE_ID, "recipient": bsuid, "body": "hello"})
    assert sent["contacts"] == [{"input": bsuid, "userId": bsuid}]
    assert kapso.meta.arrived(wamid_of(sent))["wa_id"] == "15550001111"


def test_reply_buttons_beneath_a_picture(kapso: Kapso, shelf: Shelf) -> None:
    wamid = kapso.send(
        "InteractiveButtons",
        header={"type": "image", "image": {"link": shelf.link("photo.jpg")}},
        bodyText="Shall we?",
        footerText="Today",
        buttons=[{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
    )
    told = kapso.arrived(wamid, "interactive")
    assert told["header"] == {"type": "image", "image": {"link": shelf.link("photo.jpg")}}
    assert [each["reply"]["id"] for each in told["action"]["buttons"]] == ["yes", "no"]


def test_a_list(kapso: Kapso) -> None:
    rows = [{"id": "slot:17", "title": "17:00", "description": "30 minutes"}, {"id": "no", "title": "Never"}]
    sections = [{"title": "Today", "rows": rows}]
    wamid = kapso.send("InteractiveList", bodyText="Pick one", buttonText="Slots", sections=sections)
    action = kapso.arrived(wamid, "interactive")["action"]
    assert action == {"button": "Slots", "sections": sections}


def test_a_link_as_a_button(kapso: Kapso) -> None:
    parameters = {"displayText": "Open", "url": "https://example.org/7?a=b"}
    wamid = kapso.send("InteractiveCtaUrl", bodyText="It is ready", parameters=parameters)
    assert kapso.arrived(wamid, "interactive")["action"] == {
        "name": "cta_url",
        "parameters": {"display_text": "Open", "url": "https://example.org/7?a=b"},
    }


def test_a_question_where_somebody_is(kapso: Kapso) -> None:
    interactive = {
        "type": "location_request_message",
        "body": {"text": "Where are you?"},
        "action": {"name": "send_location"},
    }
    wamid = kapso.send("InteractiveRaw", interactive=interactive)
    assert kapso.arrived(wamid, "interactive") == interactive


def test_requests_with_parameters_of_the_librarys_own(kapso: Kapso) -> None:
    wamid = kapso.send(
        "InteractiveLocationRequest", bodyText="Where are you?", parameters={"requestMessage": "Where?"}
    )
    assert kapso.arrived(wamid, "interactive")["action"]["name"] == "send_location"
    wamid = kapso.send(
        "InteractiveCallPermission", bodyText="May we call?", parameters={"phoneNumber": "+15550100000"}
    )
    assert kapso.arrived(wamid, "interactive")["action"]["name"] == "call_permission_request"


def test_a_flow(kapso: Kapso) -> None:
    parameters = {
        "flowId": "700000000000007",
        "flowCta": "Begin",
        "mode": "draft",
        "flowToken": "flow:7",
        "flowAction": "navigate",
        "flowActionPayload": {"screen": "FIRST"},
    }
    wamid = kapso.send("InteractiveFlow", bodyText="Tell us more", parameters=parameters)
    told = kapso.arrived(wamid, "interactive")["action"]["parameters"]
    assert (told["flow_id"], told["flow_token"], told["mode"]) == ("700000000000007", "flow:7", "draft")


@pytest.mark.parametrize("kind", ["links", "replies"])
def test_a_carousel(kapso: Kapso, shelf: Shelf, kind: str) -> None:
    def card(place: int) -> dict[str, Any]:
        link = {"type": "cta_url", "displayText": "Look", "url": f"https://example.org/{place}"}
        reply = {"buttons": [{"id": f"card:{place}", "title": "This one"}]}
        header = {"type": "image", "image": {"link": shelf.link("photo.jpg")}}
        action = link if kind == "links" else reply
        return {"cardIndex": place, "header": header, "bodyText": "One", "action": action}

    wamid = kapso.send("InteractiveCarousel", bodyText="Which one?", cards=[card(0), card(1)])
    cards = kapso.arrived(wamid, "interactive")["action"]["cards"]
    assert [each["card_index"] for each in cards] == [0, 1]


@pytest.mark.parametrize(
    ("kind", "name", "more"),
    [
        ("image", "dot.png", {"caption": "A dot"}),
        ("video", "clip.mp4", {"caption": "A clip"}),
        ("audio", "word.ogg", {"voice": True}),
        ("document", "report.pdf", {"caption": "Yours", "filename": "7.pdf"}),
        ("sticker", "wave.webp", {}),
    ],
)
def test_media_by_link(kapso: Kapso, shelf: Shelf, kind: str, name: str, more: dict[str, Any]) -> None:
    media = {"link": shelf.link(name), **more}
    wamid = kapso.send(kind.title(), message={kind: media})
    assert kapso.arrived(wamid, kind) == media


@pytest.mark.parametrize(
    ("kind", "content", "mime_type"),
    [("image", PNG, "image/png"), ("document", PDF, "application/pdf")],
)
def test_media_that_was_uploaded(kapso: Kapso, kind: str, content: bytes, mime_type: str) -> None:
    file = blob(content, mime_type)
    uploaded = kapso(
        "media.upload", {"phoneNumberId": PHONE_ID, "type": mime_type, "file": file, "fileName": "f"}
    )
    wamid = kapso.send(kind.title(), message={kind: {"id": uploaded["id"]}})
    assert kapso.arrived(wamid, kind) == {"id": uploaded["id"]}


def test_a_reaction_and_its_removal(kapso: Kapso, said_hi: str) -> None:
    wamid = kapso.send("Reaction", reaction={"messageId": said_hi, "emoji": "👍"})
    assert kapso.meta.arrived(wamid)["reaction"] == {"message_id": said_hi, "emoji": "👍"}
    wamid = kapso.send("Reaction", reaction={"messageId": said_hi})  # removed by leaving the emoji out
    assert kapso.meta.arrived(wamid)["reaction"] == {"message_id": said_hi}


def test_a_place(kapso: Kapso) -> None:
    place = {"latitude": -33.45, "longitude": -70.66, "name": "Santiago", "address": "Chile"}
    assert kapso.arrived(kapso.send("Location", location=place), "location") == place


def test_a_contact(kapso: Kapso) -> None:
    contact = {
        "name": {"formattedName": "Bo Diaz", "firstName": "Bo"},
        "phones": [{"phone": "+1 555 000 2222", "type": "WORK", "waId": "15550002222"}],
        "org": {"company": "Example"},
    }
    assert kapso.arrived(kapso.send("Contacts", contacts=[contact]), "contacts") == [
        {
            "name": {"formatted_name": "Bo Diaz", "first_name": "Bo"},
            "phones": [{"phone": "+1 555 000 2222", "type": "WORK", "wa_id": "15550002222"}],
            "org": {"company": "Example"},
        }
    ]


def test_a_message_is_marked_as_read_and_typing_shown(kapso: Kapso, said_hi: str) -> None:
    read = {"phoneNumberId": PHONE_ID, "messageId": said_hi}
    assert kapso("messages.markRead", read) == {"success": True}
    assert kapso("messages.markRead", {**read, "typingIndicator": {"type": "text"}}) == {"success": True}
    (ana,) = [each for each in kapso.meta.control("GET", "/state")["people"] if each["phone"] == ANA]
    assert ana["typing_until"] is not None
