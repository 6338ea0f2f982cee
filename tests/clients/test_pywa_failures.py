"""pywa recognises what is told later, by a status webhook, with the same error classes."""

import pytest
from pywa import errors, types

from clients.python_business import REFUSALS, PythonBusiness
from clients.stage import ANA, BEN


@pytest.mark.parametrize(("code", "kind"), REFUSALS)
def test_every_failure_that_pywa_has_a_class_for(
    pywa: PythonBusiness, code: int, kind: type[errors.WhatsAppError]
) -> None:
    pywa.meta.control("POST", "/faults", {"kind": "fail_late", "code": code, "details": "Why"})
    sent = pywa.wa.send_message(ANA, "hello", tracker="job:7")
    failed = pywa.status(sent.id, types.MessageStatusType.FAILED)
    assert type(failed.error) is kind
    assert (failed.error.code, failed.error.details, failed.tracker) == (code, "Why", "job:7")
    assert failed.error.href


def test_a_message_outside_the_window_is_told_to_have_failed(pywa: PythonBusiness) -> None:
    sent = pywa.wa.send_message(BEN, "hello")
    failed = pywa.status(sent.id, types.MessageStatusType.FAILED)
    assert isinstance(failed.error, errors.ReEngagementMessage)
    assert failed.from_user.wa_id == "15550002222"


def test_the_window_closes_a_day_after_the_last_word(pywa: PythonBusiness) -> None:
    pywa.meta.person(text="hi")
    pywa.delivers(pywa.wa.send_message(ANA, "hello"))
    pywa.meta.control("POST", "/clock", {"advance_s": 24 * 3600 + 1})
    late = pywa.wa.send_message(ANA, "still there?")
    with pytest.raises(errors.ReEngagementMessage):
        pywa.delivers(late)
