"""pywa takes the simulator's webhooks: the bytes it checks, and what it reads out of them."""

import pytest
from pywa import types

from clients.python_business import PythonBusiness
from clients.stage import ANA, PHONE_ID, WABA_ID, WORDS


@pytest.mark.parametrize("words", WORDS)
def test_a_text_is_let_in_by_its_signature_and_read_as_written(pywa: PythonBusiness, words: str) -> None:
    wamid = pywa.meta.person(text=words)
    heard = pywa.hears(types.Message, id=wamid)
    assert heard.text == words
    assert heard.type == types.MessageType.TEXT
    (posted,) = pywa.meta.webhooks(kind="inbound")
    assert posted["body"].isascii()


def test_a_person_is_told_by_name_number_and_bsuid(pywa: PythonBusiness) -> None:
    heard = pywa.hears(types.Message, id=pywa.meta.person(text="hi", name="Ana <Zoë> Q."))
    assert (heard.from_user.name, heard.from_user.wa_id) == ("Ana <Zoë> Q.", "15550001111")
    assert heard.from_user.bsuid.startswith("US.")
    assert (heard.metadata.phone_number_id, heard.waba_id) == (PHONE_ID, WABA_ID)


@pytest.mark.parametrize("words", WORDS)
def test_a_body_that_was_tampered_with_is_kept_out(pywa: PythonBusiness, words: str) -> None:
    wamid = pywa.meta.person(text=words)
    pywa.hears(types.Message, id=wamid)
    assert pywa.meta.posts_again(pywa.url) == (403, 401, 200)


def test_the_callback_is_verified(pywa: PythonBusiness) -> None:
    pywa.hears(types.Message, id=pywa.meta.person(text="hi"))
    assert pywa.meta.control("GET", "/state")["webhooks"]["verification"] == "verified"


def test_a_quote_names_what_it_quotes(pywa: PythonBusiness) -> None:
    first = pywa.hears(types.Message, id=pywa.meta.person(text="hi"))
    sent = first.reply_text("hello")
    pywa.status(sent.id, types.MessageStatusType.DELIVERED)
    heard = pywa.hears(types.Message, id=pywa.meta.person(text="hello yourself", quote=sent.id))
    assert heard.reply_to_message is not None
    assert (heard.reply_to_message.id, heard.is_reply) == (sent.id, True)


def test_a_tap_on_a_button_brings_its_data_back(pywa: PythonBusiness) -> None:
    pywa.meta.person(text="hi")
    buttons = [types.Button("Yes ✅", "yes:7"), types.Button("No", "no:7")]
    sent = pywa.wa.send_message(ANA, "Shall we?", buttons=buttons)
    pywa.status(sent.id, types.MessageStatusType.DELIVERED)
    wamid = pywa.meta.person(tap={"message_id": sent.id, "button": 0})
    heard = pywa.hears(types.CallbackButton, id=wamid)
    assert (heard.data, heard.title, heard.is_quick_reply) == ("yes:7", "Yes ✅", False)
    assert heard.reply_to_message is not None
    assert heard.reply_to_message.id == sent.id
    again = pywa.meta.person(tap={"message_id": sent.id, "button": "No", "context": False})
    assert pywa.hears(types.CallbackButton, id=again).reply_to_message is None


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_every_status_is_told_with_price_and_person(pywa: PythonBusiness, status: str) -> None:
    pywa.meta.person(text="hi")
    sent = pywa.wa.send_message(ANA, "hello")
    heard = pywa.status(sent.id, types.MessageStatusType(status))
    assert (heard.from_user.wa_id, heard.error) == ("15550001111", None)
    assert heard.from_user.bsuid is not None
    assert (heard.pricing is None) == (status == "read")
    if heard.pricing is not None:
        assert (heard.pricing.billable, heard.pricing.category) == (False, "service")


def test_a_webhook_told_twice_is_heard_once(pywa: PythonBusiness) -> None:
    wamid = pywa.meta.person(text="hi")
    pywa.hears(types.Message, id=wamid)
    (posted,) = pywa.meta.webhooks(kind="inbound")
    again = pywa.meta.control("POST", f"/webhooks/{posted['id']}/redeliver", {"copies": 3})
    assert again["status_codes"] == [200, 200, 200]
    pywa.hears(types.Message, id=pywa.meta.person(text="next"))
    assert pywa.unheard(types.Message) == []
