"""Authentication templates: their words are the platform's, only switches and buttons are given (cloud-api.md 3.2)."""

from typing import Any

from sayso.simulator.fields import as_object, flag_at, whole_number
from sayso.simulator.templates.buttons import TEXT, given_button
from sayso.simulator.templates.refusals import refused, too_long

EXPIRES_AT_LEAST, EXPIRES_AT_MOST = 1, 90  # minutes
APPS_AT_MOST = 5
_SIGNATURE = 11  # characters of an app's signing key hash
_OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
_CODE_BODY = "*{{1}}* is your verification code."
_ADVICE = " For your security, do not share this code."


def read_authentication(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Check the components of an authentication template; return them with the platform's words filled in."""
    by_kind = {each["type"]: each for each in given}
    for kind in by_kind:
        if kind not in ("BODY", "FOOTER", "BUTTONS"):
            raise refused(f"component {kind}: authentication templates have only BODY, FOOTER and BUTTONS.")
    if "BODY" not in by_kind or "BUTTONS" not in by_kind:
        raise refused("An authentication template needs the components BODY and BUTTONS.")
    found = [_body(by_kind["BODY"])]
    if "FOOTER" in by_kind:
        found.append(_footer(by_kind["FOOTER"]))
    return [*found, _buttons(by_kind["BUTTONS"])]


def _body(given: dict[str, Any]) -> dict[str, Any]:
    """Compose the body; a text of one's own is not taken."""
    advice = flag_at(given, "add_security_recommendation", "BODY.add_security_recommendation")
    text = _CODE_BODY + (_ADVICE if advice else "")
    if given.get("text") not in (None, text):
        raise refused("component BODY: the text of an authentication template is preset and cannot be given.")
    return {
        "type": "BODY",
        "text": text,
        "add_security_recommendation": advice,
        "example": {"body_text": [["123456"]]},
    }


def _footer(given: dict[str, Any]) -> dict[str, Any]:
    minutes = whole_number(given.get("code_expiration_minutes"))
    if minutes is None or not EXPIRES_AT_LEAST <= minutes <= EXPIRES_AT_MOST:
        raise refused(
            f"component FOOTER: code_expiration_minutes must be a number from {EXPIRES_AT_LEAST} to "
            f"{EXPIRES_AT_MOST}; it is {given.get('code_expiration_minutes')!r}."
        )
    text = f"This code expires in {minutes} minutes."
    return {"type": "FOOTER", "text": text, "code_expiration_minutes": minutes}


def _buttons(given: dict[str, Any]) -> dict[str, Any]:
    buttons = given.get("buttons")
    if not isinstance(buttons, list) or len(buttons) != 1:
        raise refused("component BUTTONS: an authentication template has exactly one button, of type OTP.")
    button = given_button(buttons[0], "buttons[0]")
    if str(button.get("type", "")).upper() != "OTP":
        raise refused("component BUTTONS: the button of an authentication template is of type OTP.")
    kind = str(button.get("otp_type", "")).upper()
    if kind not in _OTP_TYPES:
        raise refused(
            f"buttons[0].otp_type must be one of {{{', '.join(_OTP_TYPES)}}}; it is {kind or None!r}."
        )
    for key, preset in (("text", "Copy code"), ("autofill_text", "Autofill")):
        if key == "text" or kind != "COPY_CODE":
            _label(button, key, preset)
    if kind != "COPY_CODE":
        button["supported_apps"] = _apps(button)
    terms = "zero_tap_terms_accepted"
    if kind == "ZERO_TAP" and not flag_at(button, terms, f"buttons[0].{terms}"):
        raise refused(f"buttons[0].{terms} must be true: the terms must be accepted.")
    return {"type": "BUTTONS", "buttons": [{**button, "type": "OTP", "otp_type": kind}]}


def _label(button: dict[str, Any], key: str, preset: str) -> None:
    words = button.setdefault(key, preset)
    if not isinstance(words, str) or not words.strip():
        raise refused(f"buttons[0].{key} must be a text.")
    if len(words) > TEXT:
        raise too_long(f"buttons[0].{key}", len(words), TEXT)


def _apps(button: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the apps a code may be filled in by; the older way is to name the one app in the button itself."""
    keys = ("package_name", "signature_hash")
    apps = button.get("supported_apps")
    if apps is None and button.get("package_name"):
        apps = [{key: button.get(key) for key in keys}]
    if not isinstance(apps, list) or not 1 <= len(apps) <= APPS_AT_MOST:
        raise refused(f"buttons[0].supported_apps must hold 1 to {APPS_AT_MOST} apps.")
    read = [as_object(app, f"buttons[0].supported_apps[{place}]", keys) for place, app in enumerate(apps)]
    for place, app in enumerate(read):
        where = f"buttons[0].supported_apps[{place}]"
        if not app.get("package_name"):
            raise refused(f"{where}.package_name is required.")
        if len(str(app.get("signature_hash") or "")) != _SIGNATURE:
            raise refused(f"{where}.signature_hash must have {_SIGNATURE} characters.")
    return read
