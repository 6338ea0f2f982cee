"""pywa meets the platform's rules as they come: limits, paused templates, unwanted marketing, restrictions."""

from typing import Any

import pytest
from pywa import errors, types
from pywa.types import templates as t

from clients.python_business import PythonBusiness, body
from clients.stage import ANA, BEN, PHONE_ID, TOKEN, WABA_ID

ENGLISH, ENGLISH_US = t.TemplateLanguage.ENGLISH, t.TemplateLanguage.ENGLISH_US
SUMMARY = [body("3 March", "2 tasks", "Stand-up")]
ROSA = "+5511987654321"  # in a country where marketing is delivered, and capped


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"review": "instant", "enforce_rates": True}


def template_id(pywa: PythonBusiness, name: str) -> str:
    """Return the id of one of the templates that are there from the start."""
    (found,) = pywa.wa.get_templates(name=name)
    return found.id


def offer(pywa: PythonBusiness) -> t.TemplateDetails:
    """Create a marketing template."""
    components: list[Any] = [t.BodyText("There is an offer for you.")]
    category = t.TemplateCategory.MARKETING
    made = pywa.wa.create_template(
        t.Template(name="offer", language=ENGLISH_US, category=category, components=components)
    )
    pywa.hears(t.TemplateStatusUpdate, template_id=made.id, new_status=t.TemplateStatus.APPROVED)
    return made.get()


def test_one_person_is_not_flooded(pywa: PythonBusiness) -> None:
    pywa.meta.person(text="hi")
    pywa.meta.control("POST", "/clock", {"freeze": True})

    def flood() -> None:
        for number in range(60):
            pywa.wa.send_message(ANA, f"message {number}")

    with pytest.raises(errors.TooManyMessages):
        flood()
    assert len(pywa.meta.sent()) == 45
    pywa.wa.send_template(BEN, "hello_world", ENGLISH_US, params=[])  # others are reached


def test_no_more_than_a_number_may_send_in_a_second(pywa: PythonBusiness) -> None:
    pywa.meta.control("POST", "/clock", {"freeze": True})
    for number in range(80):
        pywa.wa.send_template(f"+55119876500{number:02}", "hello_world", ENGLISH_US, params=[])
    with pytest.raises(errors.RateLimitHit):
        pywa.wa.send_template(ROSA, "hello_world", ENGLISH_US, params=[])
    pywa.meta.control("POST", "/clock", {"advance_s": 1})
    pywa.wa.send_template(ROSA, "hello_world", ENGLISH_US, params=[])


@pytest.mark.parametrize(
    ("action", "kind"), [("pause", errors.TemplatePaused), ("disable", errors.TemplateDisabled)]
)
def test_a_template_that_is_paused_or_disabled(
    pywa: PythonBusiness, action: str, kind: type[errors.WhatsAppError]
) -> None:
    summary = template_id(pywa, "daily_summary")
    pywa.meta.control("POST", f"/templates/{summary}/{action}", {})
    told = pywa.hears(t.TemplateStatusUpdate, template_id=summary)
    assert told.new_status.value == f"{action.upper().removesuffix('E')}ED"
    with pytest.raises(kind):
        pywa.wa.send_template(ANA, "daily_summary", ENGLISH, params=SUMMARY)


def test_a_template_that_is_unpaused_is_sent_again(pywa: PythonBusiness) -> None:
    summary = template_id(pywa, "daily_summary")
    assert pywa.meta.control("POST", f"/templates/{summary}/pause", {})["status"] == "PAUSED"
    pywa.meta.control("POST", "/clock", {"advance_s": 3 * 3600 + 60})
    sent = pywa.wa.send_template(ANA, "daily_summary", ENGLISH, params=SUMMARY)
    pywa.status(sent.id, types.MessageStatusType.DELIVERED)


def test_marketing_that_somebody_stopped(pywa: PythonBusiness) -> None:
    template = offer(pywa)
    pywa.meta.control("POST", "/people", {"phone": ROSA, "name": "Rosa"})
    pywa.meta.control("POST", f"/people/{ROSA}/marketing", {"value": "stop"})
    told = pywa.hears(types.UserMarketingPreferences)
    assert (told.value, bool(told)) == (types.MarketingPreference.STOP, False)
    assert told.from_user.wa_id == ROSA[1:]
    with pytest.raises(errors.UserStoppedMarketingMessages):
        pywa.delivers(template.send(ROSA, []))
    pywa.meta.control("POST", f"/people/{ROSA}/marketing", {"value": "resume"})
    assert pywa.hears(types.UserMarketingPreferences).value == types.MarketingPreference.RESUME
    pywa.delivers(template.send(ROSA, []))


def test_more_marketing_than_a_person_takes(pywa: PythonBusiness) -> None:
    template = offer(pywa)
    for _ in range(2):
        pywa.delivers(template.send(ROSA, []))
    with pytest.raises(errors.MessageUndeliverableDueToHealthyEcosystemEngagement):
        pywa.delivers(template.send(ROSA, []))


def test_somebody_who_is_not_on_whatsapp(pywa: PythonBusiness) -> None:
    pywa.meta.control("POST", f"/people/{BEN}", {"on_whatsapp": False})
    with pytest.raises(errors.MessageUndeliverable):
        pywa.delivers(pywa.wa.send_template(BEN, "hello_world", ENGLISH_US, params=[]))


def test_somebody_who_blocked_the_business(pywa: PythonBusiness) -> None:
    pywa.meta.control("POST", f"/people/{BEN}/block", {})
    sent = pywa.wa.send_template(BEN, "hello_world", ENGLISH_US, params=[])
    assert sent.id  # a block shows in nothing, or as undeliverable
    pywa.meta.person(text="hi")
    pywa.hears(types.Message)
    assert pywa.meta.arrived(sent.id)["status"] not in ("delivered", "read")


@pytest.mark.parametrize(
    ("what", "change", "kind"),
    [
        ("numbers", {"allowed": [BEN]}, errors.RecipientNotInAllowedList),
        ("numbers", {"restriction": {"code": 131037}}, errors.PhoneNumberDisplayNameNotApproved),
        ("wabas", {"restriction": {"code": 131031}}, errors.AccountLocked),
        ("wabas", {"restriction": {"code": 368}}, errors.TemporarilyBlocked),
        ("wabas", {"restriction": {"code": 131042, "late": True}}, errors.BusinessPaymentIssue),
        ("tokens", {"expires_in_s": 0}, errors.ExpiredAccessToken),
        ("tokens", {"subcode": 460}, errors.ExpiredAccessToken),
        ("tokens", {"scopes": ["whatsapp_business_management"]}, errors.PermissionDenied),
    ],
)
def test_an_account_in_trouble(
    pywa: PythonBusiness, what: str, change: dict[str, Any], kind: type[errors.WhatsAppError]
) -> None:
    node = {"numbers": PHONE_ID, "wabas": WABA_ID, "tokens": TOKEN}[what]
    pywa.meta.control("POST", f"/{what}/{node}", change)
    with pytest.raises(kind):
        pywa.delivers(pywa.wa.send_template(ANA, "hello_world", ENGLISH_US, params=[]))


def test_an_expired_token_says_so_in_its_subcode(pywa: PythonBusiness) -> None:
    pywa.meta.control("POST", f"/tokens/{TOKEN}", {"expires_in_s": 0})
    with pytest.raises(errors.ExpiredAccessToken) as refused:
        pywa.wa.get_business_phone_number()
    assert refused.value.subcode == 463
