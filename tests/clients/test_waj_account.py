"""whatsapp-api-js looks after media and blocked people, and sends templates of every kind of component."""

from typing import Any

import pytest

from clients.files import PDF, PNG
from clients.javascript_business import Waj, blob, make, unpacked
from clients.stage import ANA, PHONE_ID


def delivered(waj: Waj, wamid: str) -> Any:
    """Return what arrived, once it was delivered."""
    waj.hears("status", id=wamid, status="delivered")
    return waj.meta.arrived(wamid)


def test_a_template_without_variables(waj: Waj) -> None:
    arrived = delivered(waj, waj.send("Template", "hello_world", "en_US"))
    assert arrived["template"]["language"] == {"policy": "deterministic", "code": "en_US"}
    assert "Welcome and congratulations!!" in arrived["shown"]


def test_a_template_with_variables_and_payloads(waj: Waj) -> None:
    values = [make("BodyParameter", each) for each in ("Ana", "send it", "reach Bo")]
    payloads = [make("PayloadComponent", f"answer:{place}") for place in range(3)]
    wamid = waj.send("Template", "confirmation_request", "en", make("BodyComponent", *values), *payloads)
    assert "The AI Assistant wants to send it." in delivered(waj, wamid)["shown"]
    tapped = waj.meta.person(tap={"message_id": wamid, "button": 1})
    heard = waj.hears("message", id=tapped)
    assert (heard["type"], heard["button"]["payload"]) == ("button", "answer:1")


@pytest.mark.parametrize(("content", "mime_type"), [(PNG, "image/png"), (PDF, "application/pdf")])
def test_what_is_uploaded_comes_back_byte_by_byte(waj: Waj, content: bytes, mime_type: str) -> None:
    media = waj("uploadMedia", PHONE_ID, {"$form": {"file": blob(content, mime_type)}})["id"]
    found = waj("retrieveMedia", media, PHONE_ID)
    assert (found["mime_type"], int(found["file_size"])) == (mime_type, len(content))
    fetched = waj("fetchMedia", found["url"])
    assert (fetched["status"], fetched["type"]) == (200, mime_type)
    assert unpacked(fetched) == content
    assert waj("deleteMedia", media) == {"success": True}
    assert "error" in waj("retrieveMedia", media)


def test_people_are_blocked_and_let_in_again_without_a_version(waj: Waj) -> None:
    waj.hears("message", id=waj.meta.person(text="hi"))
    blocked = waj("blockUser", PHONE_ID, {"phone": ANA})
    assert blocked["block_users"]["added_users"] == [{"input": ANA, "wa_id": "15550001111"}]
    unblocked = waj("unblockUser", PHONE_ID, {"phone": ANA})
    assert unblocked["block_users"]["removed_users"] == [{"input": ANA, "wa_id": "15550001111"}]
