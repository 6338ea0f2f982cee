"""whatsapp-api-js sends templates that another client created: every kind of component it can fill."""

from typing import Any

import pytest

from clients.files import OFFERED, PNG, Shelf
from clients.javascript_business import Driver, Kapso, Waj, make
from clients.stage import ANA, WABA_ID

TOWER = ["Tower", "Champ de Mars 5"]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"review": "instant", "marketing_cap": 100}


@pytest.fixture
def author(driver: Driver, waj: Waj) -> Kapso:
    """Manage the templates of the same account by the other client."""
    made = Kapso(driver)
    made.connect(waj.meta)
    return made


def create(author: Kapso, category: str, *components: dict[str, Any], **more: Any) -> None:
    """Create a template named ``made_here``."""
    template = {"name": "made_here", "language": "en_US", "category": category, "components": components}
    made = author("templates.create", {"businessAccountId": WABA_ID, **template, **more})
    assert made["status"] == "APPROVED"


def delivered(waj: Waj, *components: Any) -> Any:
    """Send the template filled with these components; return what arrived, once it was delivered."""
    wamid = waj.send("Template", "made_here", "en_US", *components)
    waj.hears("status", id=wamid, status="delivered")
    return waj.meta.arrived(wamid)


def text(words: str, **example: Any) -> dict[str, Any]:
    """Define a body."""
    return {"type": "BODY", "text": words, **({"example": example} if example else {})}


def test_variables_by_position_with_money_and_a_date(waj: Waj, author: Kapso) -> None:
    heading = {
        "type": "HEADER",
        "format": "TEXT",
        "text": "Order {{1}} is here",
        "example": {"headerText": ["7"]},
    }
    paid = text("You paid {{1}} for your tea on {{2}} by card.", bodyText=[["$10.99", "May 1"]])
    create(author, "UTILITY", heading, paid)
    values = [make("Currency", 12500, "USD", "$12.50"), make("DateTime", "May 3")]
    arrived = delivered(
        waj,
        make("HeaderComponent", make("HeaderParameter", "812")),
        make("BodyComponent", *[make("BodyParameter", each) for each in values]),
    )
    assert "Order 812 is here" in arrived["shown"]
    assert "You paid $12.50 for your tea on May 3 by card." in arrived["shown"]


def test_variables_by_name(waj: Waj, author: Kapso) -> None:
    named = [{"paramName": "name", "example": "Ana"}]
    create(
        author,
        "UTILITY",
        text("Hello {{name}}, the meeting begins soon.", bodyTextNamedParams=named),
        parameterFormat="NAMED",
    )
    arrived = delivered(waj, make("BodyComponent", make("BodyParameter", "Bo", "name")))
    assert arrived["shown"] == "Hello Bo, the meeting begins soon."


@pytest.mark.parametrize("kind", ["image", "video", "document"])
def test_media_above(waj: Waj, author: Kapso, shelf: Shelf, kind: str) -> None:
    name = {"image": "photo.jpg", "video": "clip.mp4", "document": "report.pdf"}[kind]
    mime_type, content = OFFERED[name]
    example = {"headerHandle": [waj.meta.handle(content, mime_type)]}
    heading = {"type": "HEADER", "format": kind.upper(), "example": example}
    create(author, "UTILITY", heading, text("Here it is for you."))
    media = make(kind.title(), shelf.link(name))
    arrived = delivered(waj, make("HeaderComponent", make("HeaderParameter", media)))
    assert arrived["template"]["components"][0]["parameters"] == [
        {"type": kind, kind: {"link": shelf.link(name)}}
    ]


def test_a_place_above(waj: Waj, author: Kapso) -> None:
    create(author, "UTILITY", {"type": "HEADER", "format": "LOCATION"}, text("We meet here."))
    place = make("Location", 2.2945, 48.8584, *TOWER)
    assert "Tower" in delivered(waj, make("HeaderComponent", make("HeaderParameter", place)))["shown"]


def test_a_link_a_code_and_an_offer_that_ends(waj: Waj, author: Kapso) -> None:
    offer = {"type": "LIMITED_TIME_OFFER", "limitedTimeOffer": {"text": "Ends soon", "hasExpiration": True}}
    buttons = [
        {"type": "COPY_CODE", "example": "SAVE25"},
        {"type": "URL", "text": "Look", "url": "https://example.org/{{1}}", "example": ["7"]},
    ]
    create(author, "MARKETING", text("There is an offer."), offer, {"type": "BUTTONS", "buttons": buttons})
    arrived = delivered(
        waj,
        make("LTOComponent", 1798761600000),
        make("CopyComponent", "SAVE30"),
        make("URLComponent", "8?a=b"),
    )
    assert "There is an offer." in arrived["shown"]
    assert "Look" in arrived["buttons"]


def test_a_flow(waj: Waj, author: Kapso) -> None:
    button = {
        "type": "FLOW",
        "text": "Begin",
        "flow_id": "700000000000007",
        "flow_action": "navigate",
        "navigate_screen": "FIRST",
    }
    create(author, "UTILITY", text("Tell us more, please."), {"type": "BUTTONS", "buttons": [button]})
    arrived = delivered(waj, make("FlowComponent", "flow:7", {"name": "Ana"}))
    done = waj.meta.person(ANA, flow={"message_id": arrived["wamid"], "response": {"colour": "green"}})
    heard = waj.hears("message", id=done)
    assert "flow:7" in heard["interactive"]["nfm_reply"]["response_json"]


def test_cards(waj: Waj, author: Kapso, shelf: Shelf) -> None:
    example = {"headerHandle": [waj.meta.handle(PNG, "image/png")]}
    card = {
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": example},
            text("For {{1}} only, today.", bodyText=[["you"]]),
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "This one"}]},
        ]
    }
    create(author, "MARKETING", text("Look at these."), {"type": "CAROUSEL", "cards": [card, card]})
    cards = [
        make(
            "CarouselCard",
            make("Image", shelf.link("photo.jpg")),
            make("BodyComponent", make("BodyParameter", "Ana")),
            make("PayloadComponent", f"card:{place}"),
        )
        for place in range(2)
    ]
    arrived = delivered(waj, make("CarouselComponent", *cards))
    assert "For Ana only, today." in arrived["shown"]
    tapped = waj.meta.person(tap={"message_id": arrived["wamid"], "card": 1, "button": 0})
    assert waj.hears("message", id=tapped)["button"]["payload"] == "card:1"


def test_a_one_time_code(waj: Waj, author: Kapso) -> None:
    create(
        author,
        "AUTHENTICATION",
        {"type": "BODY", "addSecurityRecommendation": True},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otpType": "COPY_CODE"}]},
    )
    code = "123456"
    arrived = delivered(waj, make("BodyComponent", make("BodyParameter", code)), make("URLComponent", code))
    assert code in arrived["shown"]
