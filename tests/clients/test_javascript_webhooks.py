"""JavaScript clients take the simulator's webhooks: the bytes they check, and what they read out of them."""

import pytest

from clients.javascript_business import Kapso, Waj
from clients.stage import ANA, BEN, WORDS


@pytest.fixture(params=["kapso", "waj"])
def business(request: pytest.FixtureRequest) -> Kapso | Waj:
    """Each of the JavaScript clients in turn."""
    found: Kapso | Waj = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("words", WORDS)
def test_a_text_is_let_in_by_its_signature_and_read_as_written(business: Kapso | Waj, words: str) -> None:
    wamid = business.meta.person(text=words)
    heard = business.hears("message", id=wamid)
    assert (heard["type"], heard["text"]["body"]) == ("text", words)
    assert heard["from"] == "15550001111"


@pytest.mark.parametrize("words", WORDS)
def test_a_body_that_was_tampered_with_is_kept_out(business: Kapso | Waj, words: str) -> None:
    business.hears("message", id=business.meta.person(text=words))
    tampered, unsigned, whole = business.meta.posts_again(business.url)
    assert (tampered, whole) == (401, 200)
    assert unsigned >= 400


def test_the_callback_is_verified(business: Kapso | Waj) -> None:
    business.hears("message", id=business.meta.person(text="hi"))
    assert business.meta.control("GET", "/state")["webhooks"]["verification"] == "verified"


def test_a_status_is_told_with_its_price(business: Kapso | Waj) -> None:
    business.meta.person(text="hi")
    wamid = business.send_text(ANA, "hello")
    for status in ("sent", "delivered", "read"):
        heard = business.hears("status", id=wamid, status=status)
        assert ("pricing" in heard) == (status != "read")


def test_a_failure_is_told_with_its_code(business: Kapso | Waj) -> None:
    wamid = business.send_text(BEN, "hello")
    heard = business.hears("status", id=wamid, status="failed")
    error = heard["errors"][0] if "errors" in heard else heard["error"]
    assert error["code"] == 131047
    assert "24 hours" in str(error)


def test_a_tap_on_a_button_brings_its_id_back(business: Kapso | Waj) -> None:
    business.meta.person(text="hi")
    wamid = business.send_button(ANA, "Shall we?", "yes:7", "Yes ✅")
    business.hears("status", id=wamid, status="delivered")
    heard = business.hears("message", id=business.meta.person(tap={"message_id": wamid, "button": "Yes ✅"}))
    reply = heard["interactive"].get("buttonReply") or heard["interactive"]["button_reply"]
    assert reply == {"id": "yes:7", "title": "Yes ✅"}
    assert heard["context"]["id"] == wamid


@pytest.mark.parametrize("settings", [{"batch_at_most": 10, "batch_wait_ms": 200}])
def test_every_update_of_a_batch_is_heard(kapso: Kapso) -> None:
    wamids = [kapso.meta.person(sender, text="hi") for sender in (ANA, BEN, ANA, BEN)]
    for wamid in wamids:
        kapso.hears("message", id=wamid)
    assert len(kapso.meta.webhooks(kind="inbound")) < len(wamids)
