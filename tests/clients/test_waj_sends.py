"""whatsapp-api-js sends: what it was told to send is what arrives."""

from typing import Any

import pytest

from clients.files import PNG, Shelf
from clients.javascript_business import Waj, blob, make, wamid_of
from clients.stage import ANA, PHONE_ID


@pytest.fixture(autouse=True)
def said_hi(waj: Waj) -> str:
    """Open the window: Ana has written."""
    return waj.meta.person(text="hi")


def test_a_text_that_quotes_and_carries_a_reference(waj: Waj, said_hi: str) -> None:
    words = make("Text", "Hello ☀️ https://example.org", True)
    wamid = wamid_of(waj("sendMessage", PHONE_ID, {"phone": ANA}, words, said_hi, "job:7"))
    assert waj.arrived(wamid, "text") == {"body": "Hello ☀️ https://example.org", "preview_url": True}
    assert waj.meta.arrived(wamid)["context"] == {"message_id": said_hi}
    assert waj.hears("status", id=wamid, status="read")["biz_opaque_callback_data"] == "job:7"


def test_a_text_to_somebody_known_only_by_their_bsuid(waj: Waj, said_hi: str) -> None:
    bsuid = waj.hears("message", id=said_hi)["from_user_id"]
    sent = waj("sendMessage", PHONE_ID, {"bsuid": bsuid}, make("Text", "hello"))
    assert sent["contacts"] == [{"input": bsuid, "user_id": bsuid}]
    assert waj.meta.arrived(wamid_of(sent))["wa_id"] == "15550001111"


def test_reply_buttons_beneath_a_picture(waj: Waj, shelf: Shelf) -> None:
    wamid = waj.send(
        "Interactive",
        make("ActionButtons", make("Button", "yes", "Yes"), make("Button", "no", "No")),
        make("Body", "Shall we?"),
        make("Header", make("Image", shelf.link("photo.jpg"))),
        make("Footer", "Today"),
    )
    told = waj.arrived(wamid, "interactive")
    assert told["header"] == {"type": "image", "image": {"link": shelf.link("photo.jpg")}}
    assert [each["reply"]["id"] for each in told["action"]["buttons"]] == ["yes", "no"]


def test_a_list(waj: Waj) -> None:
    rows = [make("Row", "slot:17", "17:00", "30 minutes"), make("Row", "no", "Never")]
    action = make("ActionList", "Slots", make("ListSection", "Today", *rows))
    told = waj.arrived(waj.send("Interactive", action, make("Body", "Pick one")), "interactive")
    assert told["action"]["sections"][0]["rows"] == [
        {"id": "slot:17", "title": "17:00", "description": "30 minutes"},
        {"id": "no", "title": "Never"},
    ]


def test_a_link_as_a_button(waj: Waj) -> None:
    action = make("ActionCTA", "Open", "https://example.org/7?a=b")
    told = waj.arrived(waj.send("Interactive", action, make("Body", "It is ready")), "interactive")
    assert told["action"]["parameters"] == {"display_text": "Open", "url": "https://example.org/7?a=b"}


@pytest.mark.parametrize(
    ("action", "name"),
    [("ActionLocation", "send_location"), ("ActionContactRequest", "request_contact_info")],
)
def test_a_question_where_somebody_is_or_for_their_number(waj: Waj, action: str, name: str) -> None:
    told = waj.arrived(waj.send("Interactive", make(action), make("Body", "May we ask?")), "interactive")
    assert told["action"] == {"name": name}


def test_a_flow(waj: Waj) -> None:
    action = make("ActionNavigateFlow", "flow:7", "700000000000007", "Begin", "FIRST", {"name": "Ana"})
    told = waj.arrived(waj.send("Interactive", action, make("Body", "Tell us more")), "interactive")
    parameters = told["action"]["parameters"]
    assert (parameters["flow_id"], parameters["flow_cta"]) == ("700000000000007", "Begin")
    assert parameters["flow_action_payload"] == {"screen": "FIRST", "data": {"name": "Ana"}}


@pytest.mark.parametrize(
    ("kind", "name", "given", "more"),
    [
        ("Image", "dot.png", ["A dot"], {"caption": "A dot"}),
        ("Video", "clip.mp4", ["A clip"], {"caption": "A clip"}),
        ("Audio", "word.ogg", [True], {"voice": True}),
        ("Document", "report.pdf", ["Yours", "7.pdf"], {"caption": "Yours", "filename": "7.pdf"}),
        ("Sticker", "wave.webp", [], {}),
    ],
)
def test_media_by_link(
    waj: Waj, shelf: Shelf, kind: str, name: str, given: list[Any], more: dict[str, Any]
) -> None:
    wamid = waj.send(kind, shelf.link(name), False, *given)
    assert waj.arrived(wamid, kind.lower()) == {"link": shelf.link(name), **more}


def test_media_that_was_uploaded(waj: Waj) -> None:
    uploaded = waj("uploadMedia", PHONE_ID, {"$form": {"file": blob(PNG, "image/png")}})
    wamid = waj.send("Image", uploaded["id"], True, "A dot")
    assert waj.arrived(wamid, "image") == {"id": uploaded["id"], "caption": "A dot"}


def test_a_reaction_and_its_removal(waj: Waj, said_hi: str) -> None:
    wamid = waj.send("Reaction", said_hi, "👍")
    assert waj.meta.arrived(wamid)["reaction"] == {"message_id": said_hi, "emoji": "👍"}
    wamid = waj.send("Reaction", said_hi)
    assert waj.meta.arrived(wamid)["reaction"] == {"message_id": said_hi, "emoji": ""}


def test_a_place(waj: Waj) -> None:
    wamid = waj.send("Location", -70.66, -33.45, "Santiago", "Chile")
    place = {"latitude": -33.45, "longitude": -70.66, "name": "Santiago", "address": "Chile"}
    assert waj.arrived(wamid, "location") == place


def test_a_contact_which_is_sent_as_json_within_json(waj: Waj) -> None:
    card = [make("Name", "Bo Diaz", "Bo"), make("Phone", "+1 555 000 2222", "WORK", "15550002222")]
    waj.hears("status", id=waj.send("Contacts", card), status="delivered")
    assert "Bo Diaz" in waj.meta.sent()[-1]["shown"]


def test_a_message_is_marked_as_read_and_typing_shown(waj: Waj, said_hi: str) -> None:
    assert waj("markAsRead", PHONE_ID, said_hi) == {"success": True}
    assert waj("markAsRead", PHONE_ID, said_hi, "text") == {"success": True}
    (ana,) = [each for each in waj.meta.control("GET", "/state")["people"] if each["phone"] == ANA]
    assert ana["typing_until"] is not None
