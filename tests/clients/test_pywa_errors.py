"""pywa recognises the simulator's refusals by its own error classes, at once."""

from typing import Any

import httpx
import pytest
from pywa import errors, types
from pywa.types import templates as t

from clients.python_business import REFUSALS, PythonBusiness, body
from clients.stage import ANA

ENGLISH = t.TemplateLanguage.ENGLISH


@pytest.mark.parametrize(("code", "kind"), REFUSALS)
def test_every_refusal_that_pywa_has_a_class_for(
    pywa: PythonBusiness, code: int, kind: type[errors.WhatsAppError]
) -> None:
    pywa.meta.control("POST", "/faults", {"on": "messages", "kind": "error", "code": code, "details": "Why"})
    with pytest.raises(kind) as refused:
        pywa.wa.send_message(ANA, "hello")
    told = refused.value
    assert (told.code, told.details, told.type) == (code, "Why", "OAuthException")
    assert f"(#{code})" in told.message
    assert told.fbtrace_id
    assert told.status_code is not None
    assert told.status_code >= 400


@pytest.mark.parametrize(
    ("told", "kind", "code"),
    [
        ({"token": "another"}, errors.ExpiredAccessToken, 190),
        ({"phone_id": "100000000000009"}, errors.WhatsAppError, 33),
    ],
)
def test_a_business_that_is_not_known(
    pywa: PythonBusiness, told: dict[str, Any], kind: type[errors.WhatsAppError], code: int
) -> None:
    stranger = pywa.client(**told)
    with pytest.raises(kind) as refused:
        stranger.send_message(ANA, "hello")
    assert refused.value.code == code


def test_what_is_too_long_or_missing_is_refused_with_its_parameter_named(pywa: PythonBusiness) -> None:
    with pytest.raises(errors.WhatsAppError) as refused:
        pywa.wa.send_message(ANA, "x" * 4097)
    assert refused.value.code in (100, 131009)
    assert "body" in str(refused.value.details)
    title = "A title that is too long"
    with pytest.raises(errors.WhatsAppError) as refused:
        pywa.wa.send_message(ANA, "?", buttons=[types.Button(title, "x")])
    assert "title" in str(refused.value.details)
    with pytest.raises(errors.WhatsAppError):
        pywa.wa.send_message(ANA, "?", buttons=[types.Button("Same", "x"), types.Button("Same", "y")])


def test_sending_to_oneself(pywa: PythonBusiness) -> None:
    with pytest.raises(errors.RecipientCannotBeSender):
        pywa.wa.send_message("+15550100000", "hello")


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ([], errors.TemplateParamCountMismatch),
        ([body(nobody="x", action="y")], errors.WhatsAppError),
        ([body("x", "y")], errors.WhatsAppError),
    ],
)
def test_template_parameters_that_do_not_fit(
    pywa: PythonBusiness, params: list[t.BaseParams], kind: type[errors.WhatsAppError]
) -> None:
    with pytest.raises(kind):
        pywa.wa.send_template(ANA, "confirmation_request", ENGLISH, params=params)


def test_a_template_that_is_not_there_in_this_language(pywa: PythonBusiness) -> None:
    with pytest.raises(errors.TemplateNotExists):
        pywa.wa.send_template(ANA, "no_such_thing", ENGLISH, params=[])
    with pytest.raises(errors.TemplateNotExists):
        pywa.wa.send_template(ANA, "hello_world", t.TemplateLanguage.GERMAN, params=[])


def test_a_connection_that_is_cut_is_no_refusal(pywa: PythonBusiness) -> None:
    pywa.meta.control("POST", "/faults", {"kind": "drop_before"})
    with pytest.raises(httpx.TransportError):
        pywa.wa.send_message(ANA, "hello")
    assert pywa.meta.sent() == []
