"""pywa sends: what it was told to send is what arrives."""

from typing import Any

import pytest
from pywa import types

from clients.files import MP4, OGG, PDF, PNG, WEBP, Shelf
from clients.python_business import PythonBusiness
from clients.stage import ANA

CLOSING = types.Button(title="Close it", callback_data="close:7")
KEEPING = types.Button(title="Keep it ✅", callback_data="keep:7")


@pytest.fixture(autouse=True)
def said_hi(pywa: PythonBusiness) -> str:
    """Open the window: Ana has written."""
    return pywa.meta.person(text="hi")


def arrived(pywa: PythonBusiness, sent: types.SentMessage, kind: str) -> Any:
    """Return what of this kind arrived, once it was delivered."""
    pywa.status(sent.id, types.MessageStatusType.DELIVERED)
    message = pywa.meta.arrived(sent.id)
    assert message["type"] == kind
    return message[kind]


def test_a_text_with_a_preview_and_a_tracker(pywa: PythonBusiness) -> None:
    sent = pywa.wa.send_message(ANA, "Good morning ☀️ https://example.org", preview_url=True, tracker="job:7")
    assert (sent.chat.id, sent.input) == ("15550001111", ANA)
    body = "Good morning ☀️ https://example.org"
    assert arrived(pywa, sent, "text") == {"body": body, "preview_url": True}
    assert pywa.status(sent.id, types.MessageStatusType.READ).tracker == "job:7"


def test_a_text_that_quotes_what_was_written(pywa: PythonBusiness, said_hi: str) -> None:
    message = pywa.hears(types.Message, id=said_hi)
    sent = message.reply_text("hello", quote=True)
    assert arrived(pywa, sent, "text")["body"] == "hello"
    assert pywa.meta.arrived(sent.id)["context"] == {"message_id": said_hi}


def test_a_text_to_somebody_known_only_by_their_bsuid(pywa: PythonBusiness, said_hi: str) -> None:
    bsuid = pywa.hears(types.Message, id=said_hi).from_user.bsuid
    sent = pywa.wa.send_message(bsuid, "hello")
    assert sent.chat.id == bsuid
    assert pywa.meta.arrived(sent.id)["wa_id"] == "15550001111"


def test_reply_buttons_with_header_and_footer(pywa: PythonBusiness) -> None:
    sent = pywa.wa.send_message(
        ANA, "Close the account?", header="Account 7", footer="Reply soon", buttons=[CLOSING, KEEPING]
    )
    assert arrived(pywa, sent, "interactive") == {
        "type": "button",
        "header": {"type": "text", "text": "Account 7"},
        "body": {"text": "Close the account?"},
        "footer": {"text": "Reply soon"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "close:7", "title": "Close it"}},
                {"type": "reply", "reply": {"id": "keep:7", "title": "Keep it ✅"}},
            ]
        },
    }


def test_a_list_of_two_sections(pywa: PythonBusiness) -> None:
    today = types.Section("Today", [types.SectionRow("17:00", "slot:17", "30 minutes")])
    later = types.Section("Later", [types.SectionRow("Monday", "slot:mon"), types.SectionRow("Never", "no")])
    sent = pywa.wa.send_message(ANA, "Pick a slot", buttons=types.SectionList("Slots", [today, later]))
    action = arrived(pywa, sent, "interactive")["action"]
    assert action["button"] == "Slots"
    assert action["sections"][0] == {
        "title": "Today",
        "rows": [{"id": "slot:17", "title": "17:00", "description": "30 minutes"}],
    }
    assert [row["id"] for row in action["sections"][1]["rows"]] == ["slot:mon", "no"]


def test_a_link_as_a_button(pywa: PythonBusiness) -> None:
    button = types.URLButton(title="Open", url="https://example.org/7?a=b")
    sent = pywa.wa.send_message(ANA, "It is ready", buttons=button)
    assert arrived(pywa, sent, "interactive")["action"] == {
        "name": "cta_url",
        "parameters": {"display_text": "Open", "url": "https://example.org/7?a=b"},
    }


def test_a_question_where_somebody_is(pywa: PythonBusiness) -> None:
    sent = pywa.wa.request_location(ANA, "Where are you?")
    assert arrived(pywa, sent, "interactive")["action"] == {"name": "send_location"}


def test_a_question_for_somebodys_number(pywa: PythonBusiness) -> None:
    sent = pywa.wa.request_contact_info(ANA, "May we call?")
    assert arrived(pywa, sent, "interactive")["action"] == {"name": "request_contact_info"}


@pytest.mark.parametrize(
    ("button", "action"),
    [
        (types.CallPermissionRequestButton(), {"name": "call_permission_request"}),
        (types.VoiceCallButton("Call us"), {"name": "voice_call", "parameters": {"display_text": "Call us"}}),
    ],
)
def test_a_question_about_calls(pywa: PythonBusiness, button: Any, action: dict[str, Any]) -> None:
    sent = pywa.wa.send_message(ANA, "Shall we talk?", buttons=button)
    assert arrived(pywa, sent, "interactive")["action"] == action


def test_products(pywa: PythonBusiness) -> None:
    sent = pywa.wa.send_product(ANA, catalog_id="7", sku="tea", body="This one?")
    assert arrived(pywa, sent, "interactive")["action"] == {"catalog_id": "7", "product_retailer_id": "tea"}
    shelves = [types.ProductsSection("Hot", ["tea", "coffee"]), types.ProductsSection("Cold", ["water"])]
    sent = pywa.wa.send_products(ANA, catalog_id="7", title="Drinks", body="Which?", product_sections=shelves)
    assert [each["title"] for each in arrived(pywa, sent, "interactive")["action"]["sections"]] == [
        "Hot",
        "Cold",
    ]
    sent = pywa.wa.send_catalog(ANA, "All we have", thumbnail_product_sku="tea")
    assert arrived(pywa, sent, "interactive")["action"]["name"] == "catalog_message"


def test_a_flow(pywa: PythonBusiness) -> None:
    button = types.FlowButton(
        title="Begin",
        flow_id="700000000000007",
        flow_token="flow:7",
        flow_action_type=types.FlowActionType.NAVIGATE,
        flow_action_screen="FIRST",
        flow_action_payload={"name": "Ana"},
    )
    sent = pywa.wa.send_message(ANA, "Tell us more", buttons=button)
    assert arrived(pywa, sent, "interactive")["action"] == {
        "name": "flow",
        "parameters": {
            "mode": "published",
            "flow_message_version": "3",
            "flow_token": "flow:7",
            "flow_id": "700000000000007",
            "flow_cta": "Begin",
            "flow_action": "navigate",
            "flow_action_payload": {"screen": "FIRST", "data": {"name": "Ana"}},
        },
    }


def test_a_carousel_of_links_and_one_of_quick_replies(pywa: PythonBusiness, shelf: Shelf) -> None:
    def card(buttons: Any) -> types.ImageCarouselCard:
        return types.ImageCarouselCard(image=shelf.link("photo.jpg"), body="One of them", buttons=buttons)

    links = [card(types.URLButton("Look", f"https://example.org/{number}")) for number in range(2)]
    sent = pywa.wa.send_carousel(ANA, body="Which one?", cards=list(links))
    cards = arrived(pywa, sent, "interactive")["action"]["cards"]
    assert [each["action"]["parameters"]["url"][-1] for each in cards] == ["0", "1"]

    replies = [card([types.Button("This one", f"card:{number}")]) for number in range(3)]
    sent = pywa.wa.send_carousel(ANA, body="Which one?", cards=list(replies))
    cards = arrived(pywa, sent, "interactive")["action"]["cards"]
    assert [each["action"]["buttons"][0]["quick_reply"]["id"] for each in cards] == [
        "card:0",
        "card:1",
        "card:2",
    ]


def test_media_by_link(pywa: PythonBusiness, shelf: Shelf) -> None:
    picture = pywa.wa.send_image(ANA, shelf.link("dot.png"), caption="A dot")
    assert arrived(pywa, picture, "image") == {"link": shelf.link("dot.png"), "caption": "A dot"}
    clip = pywa.wa.send_video(ANA, shelf.link("clip.mp4"), caption="A clip")
    assert arrived(pywa, clip, "video") == {"link": shelf.link("clip.mp4"), "caption": "A clip"}
    report = pywa.wa.send_document(ANA, shelf.link("report.pdf"), filename="7.pdf", caption="Yours")
    assert arrived(pywa, report, "document") == {
        "link": shelf.link("report.pdf"),
        "filename": "7.pdf",
        "caption": "Yours",
    }
    word = pywa.wa.send_audio(ANA, shelf.link("word.ogg"))
    assert arrived(pywa, word, "audio") == {"link": shelf.link("word.ogg")}
    wave = pywa.wa.send_sticker(ANA, shelf.link("wave.webp"))
    assert arrived(pywa, wave, "sticker") == {"link": shelf.link("wave.webp")}


def test_media_that_pywa_uploads_itself_first(pywa: PythonBusiness) -> None:
    picture = pywa.wa.send_image(ANA, PNG, caption="A dot", mime_type="image/png")
    assert arrived(pywa, picture, "image")["caption"] == "A dot"
    clip = pywa.wa.send_video(ANA, MP4, mime_type="video/mp4")
    assert set(arrived(pywa, clip, "video")) == {"id"}
    report = pywa.wa.send_document(ANA, PDF, filename="7.pdf", mime_type="application/pdf")
    assert arrived(pywa, report, "document")["filename"] == "7.pdf"
    word = pywa.wa.send_voice(ANA, OGG, mime_type="audio/ogg")
    assert arrived(pywa, word, "audio")["voice"] is True
    wave = pywa.wa.send_sticker(ANA, WEBP, mime_type="image/webp")
    assert set(arrived(pywa, wave, "sticker")) == {"id"}


def test_a_picture_with_buttons_beneath(pywa: PythonBusiness) -> None:
    media = pywa.wa.upload_media(PNG, mime_type="image/png", filename="dot.png")
    sent = pywa.wa.send_image(ANA, media, caption="This one?", buttons=[KEEPING])
    told = arrived(pywa, sent, "interactive")
    assert told["header"] == {"type": "image", "image": {"id": media.id}}
    assert told["body"] == {"text": "This one?"}


def test_a_reaction_and_its_removal(pywa: PythonBusiness, said_hi: str) -> None:
    sent = pywa.wa.send_reaction(ANA, "👍", said_hi)
    assert pywa.meta.arrived(sent.id)["reaction"] == {"message_id": said_hi, "emoji": "👍"}
    sent = pywa.wa.remove_reaction(ANA, said_hi)
    assert pywa.meta.arrived(sent.id)["reaction"] == {"message_id": said_hi, "emoji": ""}


def test_a_place_with_and_without_a_name(pywa: PythonBusiness) -> None:
    sent = pywa.wa.send_location(ANA, 48.8584, 2.2945, "Tower", "Champ de Mars 5")
    place = {"latitude": 48.8584, "longitude": 2.2945, "name": "Tower", "address": "Champ de Mars 5"}
    assert arrived(pywa, sent, "location") == place
    sent = pywa.wa.send_location(ANA, -33.45, -70.66)  # name and address go out as null
    assert arrived(pywa, sent, "location")["latitude"] == -33.45


def test_a_contact_with_most_of_it_left_open(pywa: PythonBusiness) -> None:
    name = types.Contact.Name(formatted_name="Bo Diaz", first_name="Bo")
    phone = types.Contact.Phone(phone="+1 555 000 2222", type="WORK", wa_id="15550002222")
    sent = pywa.wa.send_contact(ANA, types.Contact(name=name, phones=[phone]))
    (card,) = arrived(pywa, sent, "contacts")
    assert card["name"]["formatted_name"] == "Bo Diaz"
    assert card["phones"] == [{"phone": "+1 555 000 2222", "type": "WORK", "wa_id": "15550002222"}]


def test_a_message_is_marked_as_read_and_typing_shown(pywa: PythonBusiness, said_hi: str) -> None:
    assert pywa.wa.mark_message_as_read(said_hi)
    assert pywa.wa.indicate_typing(said_hi)
    (ana,) = [each for each in pywa.meta.control("GET", "/state")["people"] if each["phone"] == ANA]
    assert ana["typing_until"] is not None
