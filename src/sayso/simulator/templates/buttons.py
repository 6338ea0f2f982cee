"""The buttons of a template definition: kinds, counts, order, lengths, addresses (cloud-api.md 2.8, 3.2)."""

from collections import Counter
from collections.abc import Callable
from itertools import groupby
from string import digits
from typing import Any
from urllib.parse import urlsplit

from sayso.simulator.fields import as_object
from sayso.simulator.templates.refusals import refused, too_long
from sayso.simulator.templates.variables import VARIABLE, check_names

BUTTONS = 10
#: At most so many of a kind (2.8); kinds that are not here are bound by the total alone.
OF_A_KIND = {
    "URL": 2,
    "PHONE_NUMBER": 1,
    "COPY_CODE": 1,
    "OTP": 1,
    "FLOW": 1,
    "CATALOG": 1,
    "MPM": 1,
    "SPM": 1,
    "VOICE_CALL": 1,
    "CALL_PERMISSION_REQUEST": 1,
    "REQUEST_CONTACT_INFO": 1,
}
TEXT, URL, PHONE, CODE = 25, 2000, 20, 15
PHONE_DIGITS = 3  # of the shortest numbers there are, such as 110
#: What a button holds, whatever its kind: anything else is misspelt (5.3, 100).
_KEYS = frozenset(
    {
        "type",
        "text",
        "url",
        "example",
        "app_deep_link",
        "phone_number",
        "flow_id",
        "flow_name",
        "flow_json",
        "flow_action",
        "navigate_screen",
        "icon",
        "otp_type",
        "autofill_text",
        "supported_apps",
        "package_name",
        "signature_hash",
        "zero_tap_terms_accepted",
        "ttl_minutes",
    }
)
#: Kinds whose words the platform sets when none are given.
_OWN_WORDS = {
    "COPY_CODE": "Copy offer code",
    "CATALOG": "View catalog",
    "MPM": "View items",
    "SPM": "View",
    "CALL_PERMISSION_REQUEST": "Allow calls",
    "REQUEST_CONTACT_INFO": "Share Contact Info",
}
KINDS = frozenset({"QUICK_REPLY", *OF_A_KIND})
_FLOW_ACTIONS = ("navigate", "data_exchange")


def read_buttons(given: Any, where: str, *, category: str, form: str) -> list[dict[str, Any]]:
    """Check the buttons of a template or of a card; return them as the API lists them."""
    if not isinstance(given, list) or not given:
        raise refused(f"{where} must be an array of 1 to {BUTTONS} buttons.")
    if len(given) > BUTTONS:
        raise refused(f"{where} must hold at most {BUTTONS} buttons; it has {len(given)}.")
    buttons = [_read(each, f"{where}[{place}]", category) for place, each in enumerate(given)]
    for place, each in enumerate(buttons):
        if each["type"] == "URL":
            _url_variable(each, f"{where}[{place}]", form)
    kinds = [each["type"] for each in buttons]
    for kind, count in Counter(kinds).items():
        if count > OF_A_KIND.get(kind, BUTTONS):
            raise refused(f"{where} must hold at most {OF_A_KIND[kind]} of type {kind}; it has {count}.")
    runs = [quick for quick, _ in groupby(kinds, key=lambda kind: kind == "QUICK_REPLY") if quick]
    if len(runs) > 1:
        raise refused(
            f"{where}: quick replies must stand together, apart from the other buttons; they are {kinds}."
        )
    return buttons


def given_button(given: Any, where: str) -> dict[str, Any]:
    """Return what a button holds beside its nulls; refuse a misspelt key by its name."""
    return {key: value for key, value in as_object(given, where, _KEYS).items() if value is not None}


def _read(given: Any, where: str, category: str) -> dict[str, Any]:
    button = given_button(given, where)
    kind = str(button.get("type") or "").upper()
    if kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise refused(f"{where}.type must be one of {{{known}}}; it is {button.get('type')!r}.")
    if kind == "OTP" and category != "AUTHENTICATION":
        raise refused(f"{where}: OTP buttons belong to templates of category AUTHENTICATION.")
    button["type"] = kind
    if kind in _OWN_WORDS:
        button.setdefault("text", _OWN_WORDS[kind])
    if kind != "OTP":
        button["text"] = _text(button, where)
    check = _CHECKS.get(kind)
    if check is not None:
        check(button, where)
    return button


def _text(button: dict[str, Any], where: str) -> str:
    text = button.get("text")
    if not isinstance(text, str) or not text.strip():
        raise refused(f"{where}.text is required.")
    if len(text) > TEXT:
        raise too_long(f"{where}.text", len(text), TEXT)
    if VARIABLE.search(text) or "\n" in text:
        raise refused(f"{where}.text must hold no variables and no line breaks.")
    return text


def _url(button: dict[str, Any], where: str) -> None:
    """Check an address: a host of its own, no ``wa.me`` links (3.2)."""
    url = button.get("url")
    if not isinstance(url, str) or not url:
        raise refused(f"{where}.url is required.")
    if len(url) > URL:
        raise too_long(f"{where}.url", len(url), URL)
    host = _host(url)
    if host is None or "{{" in host:
        raise refused(f"{where}.url must be an http or https address with a host of its own; it is {url!r}.")
    if host in ("wa.me", "www.wa.me", "api.whatsapp.com"):
        raise refused(f"{where}.url: direct links to WhatsApp ({host}) are not allowed in buttons.")


def _host(url: str) -> str | None:
    """Tell the host of a web address; None when it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:  # such as a bracket without its other half
        return None
    return parts.hostname if parts.scheme in ("http", "https") else None


def _url_variable(button: dict[str, Any], where: str, form: str) -> None:
    """Check an address's variable: one at most, at its end, with an example (2.8); in NAMED it may be {{1}} too."""
    url: str = button["url"]
    found = list(VARIABLE.finditer(url))
    check_names(url, "POSITIONAL" if found and found[0][1] == "1" else form, f"{where}.url", None)
    if not found:
        return
    if len(found) > 1 or found[0].end() != len(url):
        raise refused(f"{where}.url takes one variable, at its end; it is {url!r}.")
    example = button.get("example")
    first = example[0] if isinstance(example, list) and example else example
    if not isinstance(first, str) or not first:
        raise refused(f"{where}.example is required: an address with the variable filled, in an array.")
    if len(first) > URL:
        raise too_long(f"{where}.example", len(first), URL)
    button["example"] = [first]


def _phone(button: dict[str, Any], where: str) -> None:
    number = button.get("phone_number")
    if not isinstance(number, str) or not number.strip():
        raise refused(f"{where}.phone_number is required.")
    if len(number) > PHONE:
        raise too_long(f"{where}.phone_number", len(number), PHONE)
    if sum(letter in digits for letter in number) < PHONE_DIGITS:
        raise refused(f"{where}.phone_number must be a phone number; it is {number!r}.")


def _copy_code(button: dict[str, Any], where: str) -> None:
    """Check the example code: a string, or as some clients send it, an array of one."""
    example = button.get("example")
    code = example[0] if isinstance(example, list) and example else example
    if not isinstance(code, str) or not code:
        raise refused(f"{where}.example is required: a code of at most {CODE} characters.")
    if len(code) > CODE:
        raise too_long(f"{where}.example", len(code), CODE)


def _flow(button: dict[str, Any], where: str) -> None:
    named = [key for key in ("flow_id", "flow_name", "flow_json") if button.get(key)]
    if len(named) != 1:
        raise refused(
            f"{where} takes exactly one of flow_id, flow_name and flow_json; it has {named or 'none'}."
        )
    action = str(button.get("flow_action", "navigate")).lower()
    if action not in _FLOW_ACTIONS:
        raise refused(
            f"{where}.flow_action must be navigate or data_exchange; it is {button['flow_action']!r}."
        )


_CHECKS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "URL": _url,
    "PHONE_NUMBER": _phone,
    "COPY_CODE": _copy_code,
    "FLOW": _flow,
}
