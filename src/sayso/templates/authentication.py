"""Templates of one-time passwords: their words are Meta's, ours are a few switches (cloud-api 2.6, 3.2). Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sayso.templates.definitions import OneTimeCode
from sayso.templates.rules import kind_of

#: Meta's words in English. It writes them in each language itself; these stand for them until it has told its own.
_CODE: Final = "*{{1}}* is your verification code."
_ADVICE: Final = " For your security, do not share this code."
_GOOD_FOR: Final = "This code expires in {minutes} minutes."
_COPY, _FILL = "Copy code", "Autofill"
_NUMBER: Final = re.compile(r"\d{1,4}")
#: What of a button is compared where we said it, and Meta lists it.
_OURS: Final = ("text", "autofill_text", "supported_apps")
_OTP_TYPE: Final = re.compile(r"otp_type=(\w+)")


def components(code: OneTimeCode) -> list[dict[str, Any]]:
    """The components of a create call."""
    parts: list[dict[str, Any]] = [{"type": "BODY", "add_security_recommendation": code.advice}]
    if code.minutes is not None:
        parts.append({"type": "FOOTER", "code_expiration_minutes": code.minutes})
    return [*parts, {"type": "BUTTONS", "buttons": [_button(code)]}]


def _button(code: OneTimeCode) -> dict[str, Any]:
    apps = [{"package_name": app.package, "signature_hash": app.signature} for app in code.apps]
    told = {
        "text": code.label,
        "autofill_text": code.autofill,
        "supported_apps": apps,
        "zero_tap_terms_accepted": code.terms_accepted,
    }
    return {"type": "OTP", "otp_type": code.button} | {key: value for key, value in told.items() if value}


def is_one(parts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether components are those of a one-time password."""
    return any(kind_of(button) == "OTP" for part in parts for button in part.get("buttons") or ())


def as_listed(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Components as Meta lists them, its own words put in; those of any other template as they are."""
    if not is_one(parts):
        return [dict(part) for part in parts]
    return [_filled(part) for part in parts]


def _filled(part: Mapping[str, Any]) -> dict[str, Any]:
    match part["type"]:
        case "BODY":
            return {"text": _CODE + (_ADVICE if part.get("add_security_recommendation") else ""), **part}
        case "FOOTER":
            return {"text": _GOOD_FOR.format(minutes=part["code_expiration_minutes"]), **part}
        case _:
            (button,) = part["buttons"]
            preset = {"text": _COPY} | ({} if button["otp_type"] == "COPY_CODE" else {"autofill_text": _FILL})
            return {**part, "buttons": [preset | button]}


def as_asked(
    wanted: Sequence[Mapping[str, Any]], has: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """What Meta lists of a one-time password in the form it was asked for, without what it adds by itself."""
    if not is_one(wanted):
        return list(has)
    mine = {str(part["type"]).upper(): part for part in wanted}
    return [_asked(mine, part) for part in has]


def _asked(mine: Mapping[str, Mapping[str, Any]], part: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = str(part.get("type", "")).upper()
    if kind == "BODY":
        return {"type": kind, "add_security_recommendation": bool(part.get("add_security_recommendation"))}
    if kind == "FOOTER":
        told = _NUMBER.search(str(part.get("code_expiration_minutes") or part.get("text", "")))
        return {"type": kind, "code_expiration_minutes": int(told[0]) if told else 0}
    if kind != "BUTTONS":
        return part
    ours = mine["BUTTONS"]["buttons"][0]
    return {"type": kind, "buttons": [_asked_button(ours, each) for each in part.get("buttons") or ()]}


def _asked_button(ours: Mapping[str, Any], button: Mapping[str, Any]) -> Mapping[str, Any]:
    """A listed button may be a link of Meta's own, whose address says how the code is handed over."""
    if kind_of(button) != "OTP":
        return button
    found = _OTP_TYPE.search(str(button.get("url", "")))
    told = {"type": "OTP", "otp_type": button.get("otp_type") or (found[1] if found else "")}
    return told | {key: button.get(key, ours[key]) for key in _OURS if key in ours}


def words(part: Mapping[str, Any]) -> str:
    """What stands for Meta's words where they are compared; "" for a part that has its own."""
    if "add_security_recommendation" in part:
        return f"(a one-time code{', with advice not to share it' if part['add_security_recommendation'] else ''})"
    if "code_expiration_minutes" in part:
        return f"(good for {part['code_expiration_minutes']} minutes)"
    return ""


def label(button: Mapping[str, Any]) -> str:
    """How the button of a one-time password is compared; "" for any other."""
    if kind_of(button) != "OTP":
        return ""
    apps = [
        f"{app.get('package_name')} {app.get('signature_hash')}" for app in button.get("supported_apps") or ()
    ]
    told = [str(button.get("otp_type", "")).lower(), button.get("text"), button.get("autofill_text"), *apps]
    return f"[{', '.join(each for each in told if each)}]"
