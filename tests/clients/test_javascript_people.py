"""JavaScript clients read what people do: rows, reactions, media, places, contacts, flows."""

import base64
from typing import Any

import pytest

from clients.files import JPEG
from clients.javascript_business import Kapso, Waj, make, unpacked
from clients.stage import ANA

BUSINESSES = ["kapso", "waj"]


@pytest.fixture(params=BUSINESSES)
def business(request: pytest.FixtureRequest) -> Kapso | Waj:
    """Each of the JavaScript clients in turn."""
    found: Kapso | Waj = request.getfixturevalue(request.param)
    return found


def heard_after(business: Kapso | Waj, **deed: Any) -> Any:
    """Let Ana do something, and return what was heard of it."""
    return business.hears("message", id=business.meta.person(**deed))


def test_a_row_of_a_list_by_kapso(kapso: Kapso) -> None:
    kapso.meta.person(text="hi")
    sections = [{"title": "Today", "rows": [{"id": "slot:17", "title": "17:00", "description": "short"}]}]
    wamid = kapso.send("InteractiveList", bodyText="Pick one", buttonText="Slots", sections=sections)
    kapso.hears("status", id=wamid, status="delivered")
    heard = heard_after(kapso, choose={"message_id": wamid, "row": "slot:17"})
    assert heard["interactive"] == {
        "type": "list_reply",
        "listReply": {"id": "slot:17", "title": "17:00", "description": "short"},
    }


def test_a_row_of_a_list_by_whatsapp_api_js(waj: Waj) -> None:
    waj.meta.person(text="hi")
    action = make("ActionList", "Slots", make("ListSection", "Today", make("Row", "slot:17", "17:00")))
    wamid = waj.send("Interactive", action, make("Body", "Pick one"))
    waj.hears("status", id=wamid, status="delivered")
    heard = heard_after(waj, choose={"message_id": wamid, "row": "slot:17"})
    assert heard["interactive"]["list_reply"]["id"] == "slot:17"


def test_a_reaction_and_its_removal(business: Kapso | Waj) -> None:
    business.meta.person(text="hi")
    wamid = business.send_text(ANA, "hello")
    business.hears("status", id=wamid, status="delivered")
    reaction = heard_after(business, react={"message_id": wamid, "emoji": "👍🏽"})["reaction"]
    assert reaction["emoji"] == "👍🏽"
    assert wamid in (reaction.get("messageId"), reaction.get("message_id"))
    removed = heard_after(business, react={"message_id": wamid, "emoji": ""})
    assert not removed["reaction"].get("emoji")


def test_a_picture_is_told_and_fetched_by_kapso(kapso: Kapso) -> None:
    data = base64.b64encode(JPEG).decode()
    media = {"kind": "image", "data_base64": data, "mime_type": "image/jpeg", "caption": "Look"}
    image = heard_after(kapso, media=media)["image"]
    assert (image["mimeType"], image["caption"]) == ("image/jpeg", "Look")
    assert unpacked(kapso("media.download", {"mediaId": image["id"], "auth": "always"})) == JPEG


def test_a_picture_is_told_and_fetched_by_whatsapp_api_js(waj: Waj) -> None:
    data = base64.b64encode(JPEG).decode()
    media = {"kind": "image", "data_base64": data, "mime_type": "image/jpeg", "caption": "Look"}
    image = heard_after(waj, media=media)["image"]
    assert (image["mime_type"], image["caption"]) == ("image/jpeg", "Look")
    assert unpacked(waj("fetchMedia", waj("retrieveMedia", image["id"])["url"])) == JPEG


def test_a_place(business: Kapso | Waj) -> None:
    place = {"latitude": 48.8584, "longitude": 2.2945, "name": "Tower", "address": "Champ de Mars 5"}
    heard = heard_after(business, location=place)
    assert heard["type"] == "location"
    assert {key: heard["location"][key] for key in place} == place


def test_contacts(business: Kapso | Waj) -> None:
    heard = heard_after(business, contacts=[{"name": "Bo Diaz", "phones": ["+15550002222"]}])
    name = heard["contacts"][0]["name"]
    assert "Bo Diaz" in (name.get("formattedName"), name.get("formatted_name"))


def test_a_flow_gone_through_by_kapso(kapso: Kapso) -> None:
    kapso.meta.person(text="hi")
    parameters = {"flowId": "700000000000007", "flowCta": "Begin", "flowToken": "flow:7"}
    wamid = kapso.send("InteractiveFlow", bodyText="Tell us more", parameters=parameters)
    kapso.hears("status", id=wamid, status="delivered")
    heard = heard_after(kapso, flow={"message_id": wamid, "response": {"colour": "grün"}})
    assert heard["kapso"]["flowResponse"] == {"colour": "grün", "flowToken": "flow:7"}
