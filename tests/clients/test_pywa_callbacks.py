"""pywa subscribes its callback by the API: of the app, of the account, of the number."""

from typing import Any

import pytest
from pywa import errors, types

from clients.python_business import PythonBusiness
from clients.stage import APP_ID, APP_SECRET, VERIFY_TOKEN


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"webhook_url": ""}


def test_nothing_comes_until_the_app_has_a_callback(pywa: PythonBusiness) -> None:
    pywa.meta.person(text="unheard")
    token = pywa.wa.get_app_access_token(int(APP_ID), APP_SECRET)
    assert pywa.wa.set_app_callback_url(int(APP_ID), token, pywa.url, VERIFY_TOKEN, ["messages"])
    heard = pywa.hears(types.Message, id=pywa.meta.person(text="heard"))
    assert heard.text == "heard"
    assert pywa.unheard(types.Message) == []


def test_a_callback_that_does_not_know_the_verify_token_is_refused(pywa: PythonBusiness) -> None:
    token = pywa.wa.get_app_access_token(int(APP_ID), APP_SECRET)
    with pytest.raises(errors.WhatsAppError):
        pywa.wa.set_app_callback_url(int(APP_ID), token, pywa.url, "another", ["messages"])


def test_the_account_and_the_number_have_callbacks_of_their_own(pywa: PythonBusiness) -> None:
    token = pywa.wa.get_app_access_token(int(APP_ID), APP_SECRET)
    nowhere = pywa.url.replace("/hook", "/nowhere")
    assert pywa.wa.set_app_callback_url(int(APP_ID), token, pywa.url, VERIFY_TOKEN, ["messages"])
    assert pywa.wa.override_waba_callback_url(pywa.url, VERIFY_TOKEN)
    assert pywa.wa.delete_waba_callback_url()
    assert pywa.wa.override_phone_callback_url(pywa.url, VERIFY_TOKEN)
    number = pywa.wa.get_business_phone_number()
    assert number.webhook_configuration is not None
    assert pywa.url in number.webhook_configuration.values()
    assert pywa.wa.delete_phone_callback_url()
    with pytest.raises(errors.WhatsAppError):
        pywa.wa.override_waba_callback_url(nowhere, VERIFY_TOKEN)
    pywa.hears(types.Message, id=pywa.meta.person(text="heard"))
