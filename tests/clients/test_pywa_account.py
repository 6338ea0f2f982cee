"""pywa looks after the account: numbers, profile, blocking, registration, callbacks."""

import pytest
from pywa import errors, types

from clients.python_business import PythonBusiness
from clients.stage import ANA, BEN, PHONE_ID, WABA_ID


def test_the_phone_number_by_itself_and_among_those_of_the_account(pywa: PythonBusiness) -> None:
    number = pywa.wa.get_business_phone_number()
    assert (number.id, number.verified_name) == (PHONE_ID, "Sayso Assistant")
    assert number.display_phone_number is not None
    assert "".join(filter(str.isdigit, number.display_phone_number)) == "15550100000"
    assert (number.quality_rating, number.status) == ("GREEN", "CONNECTED")
    assert number.throughput == {"level": "STANDARD"}
    assert [each.id for each in pywa.wa.get_business_phone_numbers()] == [PHONE_ID]


def test_the_account(pywa: PythonBusiness) -> None:
    account = pywa.wa.get_business_account()
    assert account.id == WABA_ID
    assert account.name


def test_the_business_profile_is_written_and_read(pywa: PythonBusiness) -> None:
    assert pywa.wa.update_business_profile(
        about="We confirm",
        address="1 Example Street",
        description="A business that asks first ✅",
        email="hello@example.org",
        industry=types.Industry.OTHER,
        websites=["https://example.org", "https://example.org/help"],
    )
    profile = pywa.wa.get_business_profile()
    assert (profile.about, profile.email) == ("We confirm", "hello@example.org")
    assert profile.industry == types.Industry.OTHER
    assert profile.websites is not None
    assert [each.rstrip("/") for each in profile.websites] == [
        "https://example.org",
        "https://example.org/help",
    ]
    assert pywa.wa.update_business_profile(about="Still here")
    assert pywa.wa.get_business_profile().description == "A business that asks first ✅"


def test_people_are_blocked_and_let_in_again(pywa: PythonBusiness) -> None:
    for person in (ANA, BEN):
        pywa.meta.person(person, text="hi")
    bsuid = pywa.hears(types.Message).from_user.bsuid
    blocked = pywa.wa.block_users([ANA])
    assert [(each.input, each.wa_id) for each in blocked.added_users] == [(ANA, "15550001111")]
    unblocked = pywa.wa.unblock_users([ANA])
    assert [each.input for each in unblocked.removed_users] == [ANA]
    assert (
        list(pywa.wa.get_blocked_users()) == []
    )  # pywa reads no others: it wants an `input` Meta does not list
    assert [each.input for each in pywa.wa.block_users([bsuid]).added_users] == [bsuid]


def test_a_blocked_person_is_not_written_to(pywa: PythonBusiness) -> None:
    pywa.meta.person(text="hi")
    pywa.wa.block_users([ANA])
    with pytest.raises(errors.WhatsAppError) as refused:
        pywa.wa.send_message(ANA, "hello")
    assert refused.value.code == 130403


def test_a_number_is_taken_off_and_registered_again(pywa: PythonBusiness) -> None:
    assert pywa.wa.deregister_phone_number()
    with pytest.raises(errors.WhatsAppError) as refused:
        pywa.wa.send_message(ANA, "hello")
    assert refused.value.code == 133010
    assert pywa.wa.register_phone_number(pin="123456")
    pywa.wa.send_template(ANA, "hello_world", types.templates.TemplateLanguage.ENGLISH_US, params=[])


def test_an_app_token_from_id_and_secret(pywa: PythonBusiness) -> None:
    token = pywa.wa.get_app_access_token(int(pywa.wa.app_id or 0), "sim-secret")
    assert token.startswith(f"{pywa.wa.app_id}|")


def test_a_number_is_verified_by_a_code(pywa: PythonBusiness) -> None:
    pywa.meta.control("POST", f"/numbers/{PHONE_ID}", {"code_verification_status": "NOT_VERIFIED"})
    assert pywa.wa.request_verification_code(code_method="SMS", language_code="en")
    with pytest.raises(errors.WhatsAppError):
        pywa.wa.verify_phone_number(code="000")
    assert pywa.wa.get_business_phone_number().code_verification_status == "NOT_VERIFIED"


def test_a_username_is_taken_and_given_up(pywa: PythonBusiness) -> None:
    assert pywa.wa.set_username("sayso.example").status
    assert pywa.wa.get_current_username().username == "sayso.example"
    assert pywa.wa.delete_username()


def test_identity_checks_are_switched_on(pywa: PythonBusiness) -> None:
    on = types.UserIdentityChangeSettings(enable_identity_key_check=True)
    assert pywa.wa.update_business_phone_number_settings(user_identity_change=on)
    found = pywa.wa.get_business_phone_number_settings().user_identity_change
    assert found is not None
    assert found.enable_identity_key_check
