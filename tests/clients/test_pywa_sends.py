"""pywa sends: what it was told to send is what arrives."""

from pywa import types

from clients.python_business import PythonBusiness
from clients.stage import ANA, Stage


def test_a_text_arrives_as_written(pywa: PythonBusiness, meta: Stage) -> None:
    meta.person(text="hi")
    sent = pywa.wa.send_message(ANA, "Good morning ☀️ https://example.org", preview_url=True, tracker="job:7")
    assert sent.chat.id == "15550001111"
    arrived = meta.arrived(sent.id)
    assert arrived["text"] == {"body": "Good morning ☀️ https://example.org", "preview_url": True}
    status = pywa.status(sent.id, types.MessageStatusType.DELIVERED)
    assert status.tracker == "job:7"
