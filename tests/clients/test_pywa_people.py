"""pywa reads what people do: rows, reactions, media, places, contacts, flows, and news of themselves."""

import base64
import hashlib
from typing import Any

import pytest
from pywa import types

from clients.files import JPEG, MP4, OGG, PDF, WEBP
from clients.python_business import PythonBusiness
from clients.stage import ANA

KINDS: list[tuple[str, bytes, str, dict[str, Any]]] = [
    ("image", JPEG, "image/jpeg", {"caption": "Look ☀️"}),
    ("video", MP4, "video/mp4", {"caption": "See"}),
    ("audio", OGG, "audio/ogg", {"voice": True}),
    ("document", PDF, "application/pdf", {"filename": "7.pdf", "caption": "Mine"}),
    ("sticker", WEBP, "image/webp", {}),
]


def heard_after(pywa: PythonBusiness, **deed: Any) -> types.Message:
    """Let Ana do something, and return what was heard of it."""
    return pywa.hears(types.Message, id=pywa.meta.person(**deed))


def sent_after_hi(pywa: PythonBusiness, words: str, **more: Any) -> types.SentMessage:
    """Send Ana, who has written, a message, and wait until it is there."""
    pywa.meta.person(text="hi")
    sent = pywa.wa.send_message(ANA, words, **more)
    pywa.status(sent.id, types.MessageStatusType.DELIVERED)
    return sent


def test_a_row_of_a_list_brings_its_data_back(pywa: PythonBusiness) -> None:
    rows = [types.SectionRow("17:00", "slot:17", "30 minutes"), types.SectionRow("Never", "no")]
    menu = types.SectionList("Slots", [types.Section("Today", rows)])
    sent = sent_after_hi(pywa, "Pick one", buttons=menu)
    wamid = pywa.meta.person(choose={"message_id": sent.id, "row": "slot:17"})
    heard = pywa.hears(types.CallbackSelection, id=wamid)
    assert (heard.data, heard.title, heard.description) == ("slot:17", "17:00", "30 minutes")
    assert heard.reply_to_message.id == sent.id


def test_a_card_of_a_carousel_brings_its_data_back(pywa: PythonBusiness) -> None:
    pywa.meta.person(text="hi")
    cards = [
        types.ImageCarouselCard(
            image="https://example.org/a.jpg", buttons=[types.Button("This one", f"card:{place}")]
        )
        for place in range(2)
    ]
    sent = pywa.wa.send_carousel(ANA, body="Which one?", cards=list(cards))
    pywa.status(sent.id, types.MessageStatusType.DELIVERED)
    wamid = pywa.meta.person(tap={"message_id": sent.id, "card": 1, "button": 0})
    assert pywa.hears(types.CallbackButton, id=wamid).data == "card:1"


def test_a_reaction_and_its_removal(pywa: PythonBusiness) -> None:
    sent = sent_after_hi(pywa, "hello")
    heard = heard_after(pywa, react={"message_id": sent.id, "emoji": "👍🏽"})
    assert heard.type == types.MessageType.REACTION
    assert heard.reaction == types.Reaction(message_id=sent.id, emoji="👍🏽")
    heard = heard_after(pywa, react={"message_id": sent.id, "emoji": ""})
    assert heard.reaction is not None
    assert heard.reaction.is_removed


@pytest.mark.parametrize(("kind", "content", "mime_type", "more"), KINDS)
def test_media_is_told_with_its_digest_and_fetched(
    pywa: PythonBusiness, kind: str, content: bytes, mime_type: str, more: dict[str, Any]
) -> None:
    data = base64.b64encode(content).decode()
    heard = heard_after(pywa, media={"kind": kind, "data_base64": data, "mime_type": mime_type, **more})
    assert (heard.type.value, heard.caption) == (kind, more.get("caption"))
    media = heard.media
    assert media is not None
    assert media.mime_type.split(";")[0] == mime_type
    assert media.sha256 == base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert media.get_bytes() == content
    if heard.audio is not None:
        assert heard.audio.voice
    if heard.document is not None:
        assert heard.document.filename == "7.pdf"


def test_media_that_came_in_is_sent_on(pywa: PythonBusiness) -> None:
    data = base64.b64encode(JPEG).decode()
    heard = heard_after(pywa, media={"kind": "image", "data_base64": data, "mime_type": "image/jpeg"})
    assert heard.image is not None
    sent = heard.reply_image(heard.image, caption="Yours")
    assert pywa.meta.arrived(sent.id)["image"] == {"id": heard.image.id, "caption": "Yours"}


def test_a_place_as_the_answer_to_the_question(pywa: PythonBusiness) -> None:
    pywa.meta.person(text="hi")
    asked = pywa.wa.request_location(ANA, "Where are you?")
    pywa.status(asked.id, types.MessageStatusType.DELIVERED)
    place: dict[str, Any] = {
        "latitude": 48.8584,
        "longitude": 2.2945,
        "name": "Tower",
        "address": "Champ de Mars 5",
    }
    heard = heard_after(pywa, location={**place, "message_id": asked.id})
    assert heard.location == types.Location(**place)
    assert heard.reply_to_message is not None
    assert heard.reply_to_message.id == asked.id
    assert heard_after(pywa, location={"latitude": -33.45, "longitude": -70.66}).location == types.Location(
        latitude=-33.45, longitude=-70.66
    )


def test_contacts(pywa: PythonBusiness) -> None:
    cards = [{"name": "Bo Diaz", "phones": ["+15550002222"], "emails": ["bo@example.org"]}]
    heard = heard_after(pywa, contacts=cards)
    assert heard.contacts is not None
    (contact,) = heard.contacts
    assert contact.name is not None
    assert contact.name.formatted_name == "Bo Diaz"
    assert "".join(filter(str.isdigit, contact.phones[0].phone or "")) == "15550002222"


def test_a_flow_gone_through(pywa: PythonBusiness) -> None:
    begin = types.FlowButton(
        title="Begin",
        flow_id="700000000000007",
        flow_token="flow:7",
        flow_action_type=types.FlowActionType.NAVIGATE,
        flow_action_screen="FIRST",
    )
    sent = sent_after_hi(pywa, "Tell us more", buttons=begin)
    wamid = pywa.meta.person(flow={"message_id": sent.id, "response": {"colour": "grün", "number": 7}})
    heard = pywa.hears(types.FlowCompletion, id=wamid)
    assert (heard.token, heard.response) == ("flow:7", {"colour": "grün", "number": 7})


def test_what_the_api_does_not_carry(pywa: PythonBusiness) -> None:
    heard = heard_after(pywa, unsupported={"kind": "poll"})
    assert heard.type == types.MessageType.UNSUPPORTED
    assert heard.error is not None
    assert heard.error.code == 131051


def test_a_forwarded_text_says_so(pywa: PythonBusiness) -> None:
    assert heard_after(pywa, text="pass it on", forwarded=True).forwarded
    assert heard_after(pywa, text="pass it on", forwarded="frequently").forwarded_many_times


def test_somebody_who_came_by_an_ad(pywa: PythonBusiness) -> None:
    heard = heard_after(pywa, text="hi", referral=True)
    assert heard.referral is not None
    assert heard.referral.headline == "Talk to us"


def test_an_order(pywa: PythonBusiness) -> None:
    items = [{"product_retailer_id": "tea", "quantity": 2, "item_price": 3.5, "currency": "EUR"}]
    heard = heard_after(pywa, order={"catalog_id": "7", "product_items": items, "text": "please"})
    assert heard.order is not None
    assert (heard.order.products[0].sku, heard.order.total_price) == ("tea", 7.0)


def test_permission_to_call(pywa: PythonBusiness) -> None:
    sent = sent_after_hi(pywa, "May we call?", buttons=types.CallPermissionRequestButton())
    wamid = pywa.meta.person(call_permission={"message_id": sent.id, "response": "accept"})
    heard = pywa.hears(types.calls.CallPermissionUpdate, id=wamid)
    assert heard
    assert heard.reply_to_message is not None
    assert heard.reply_to_message.id == sent.id
