"""The buttons of a template as they are sent: payloads, addresses, codes, flows (cloud-api.md 2.6)."""

from collections.abc import Callable, Iterator
from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import array_at, as_object, missing, object_at, text_at, within, words_at
from sayso.simulator.outgoing.template_components import SentButton
from sayso.simulator.outgoing.template_words import words_of
from sayso.simulator.templates.variables import VARIABLE
from sayso.simulator.world.content import Button, ButtonKind

PAYLOAD = 256
SUFFIX = 2000  # of a URL's variable
CODE = 15  # of a coupon, of a one-time password
SECTIONS, PRODUCTS = 10, 30  # of a multi-product message
_ACTION_KEYS = ("flow_token", "flow_action_data", "thumbnail_product_retailer_id", "sections")
_SECTION_KEYS = ("title", "product_items")

#: What a button's parameters come as: a one-time password as ``url``, the others as their own kind in lower case.
_SENT_AS = {
    "OTP": ("url", "copy_code"),
    "QUICK_REPLY": ("quick_reply",),
    "PHONE_NUMBER": ("phone_number", "voice_call"),
}
#: The icon of each kind on the phone; those that take nothing when sent are here alone.
_PLAIN: dict[str, ButtonKind] = {
    "CALL_PERMISSION_REQUEST": "permission",
    "VOICE_CALL": "call",
    "REQUEST_CONTACT_INFO": "contact",
    "SPM": "catalog",
}


def filled_buttons(buttons: list[dict[str, Any]], sent: dict[int, SentButton]) -> Iterator[Button]:
    """Walk the buttons as the person has them; refuse parameters for one that is not there, or is another kind."""
    for index, given in sent.items():
        if index >= len(buttons):
            raise GraphError(
                132018, f"{given.where}: index {index} is not one of the template's {len(buttons)} buttons"
            )
        _check_kind(buttons[index]["type"], given, index)
    for index, button in enumerate(buttons):
        yield _filled(button, index, sent.get(index))


def _check_kind(kind: str, given: SentButton, index: int) -> None:
    wanted = _SENT_AS.get(kind, (kind.lower(),))
    if given.sub_type not in wanted:
        raise GraphError(
            132018,
            f"{given.where}: the button at index {index} is sent as sub_type {wanted[0]}, not {given.sub_type}",
        )


def _filled(button: dict[str, Any], index: int, given: SentButton | None) -> Button:
    fill = _FILLERS.get(button["type"])
    if fill is not None:
        return fill(button, index, given)
    return Button(button["text"], kind=_PLAIN[button["type"]])


def _quick_reply(button: dict[str, Any], _: int, given: SentButton | None) -> Button:
    """Without a payload the tap reports the button's words."""
    words: str = button["text"]
    parameter = _one(given, "payload", None)
    if parameter is None or given is None:
        return Button(words, words)
    payload = parameter.get("payload", parameter.get("text"))
    if not isinstance(payload, str) or not payload:
        raise GraphError(132012, f"{given.where}: a quick_reply parameter is of type payload, with a payload")
    return Button(words, within(payload, f"{_at(given)}['payload']", PAYLOAD))


def _url(button: dict[str, Any], index: int, given: SentButton | None) -> Button:
    """Append the suffix to the address; an address without a variable takes none."""
    address: str = button["url"]
    if not VARIABLE.search(address):
        if given is not None and given.parameters:
            raise GraphError(
                132018, f"{given.where}: the button at index {index} has a fixed URL, no variable"
            )
        return Button(button["text"], kind="url", value=address)
    parameter = _one(given, "text", f"buttons: Button at index {index} of type Url requires a parameter")
    suffix = within(_words(parameter, given, "text"), f"{_at(given)}['text']", SUFFIX)
    return Button(button["text"], kind="url", value=VARIABLE.sub(lambda _: suffix, address))


def _otp(button: dict[str, Any], index: int, given: SentButton | None) -> Button:
    """Put the code under the button that copies or fills it in."""
    parameter = _one(given, "text", f"buttons: Button at index {index} of type Otp requires a parameter")
    key = "coupon_code" if parameter is not None and "coupon_code" in parameter else "text"
    code = within(_words(parameter, given, key), f"{_at(given)}['{key}']", CODE)
    words = button["text"] if button["otp_type"] == "COPY_CODE" else button["autofill_text"]
    return Button(words, kind="copy", value=code)


def _copy_code(button: dict[str, Any], index: int, given: SentButton | None) -> Button:
    parameter = _one(
        given, "coupon_code", f"buttons: Button at index {index} of type CopyCode requires a parameter"
    )
    code = text_at(parameter or {}, "coupon_code", f"{_at(given)}['coupon_code']", limit=CODE)
    return Button(button["text"], kind="copy", value=code)


def _phone(button: dict[str, Any], _: int, __: SentButton | None) -> Button:
    return Button(button["text"], kind="phone", value=button["phone_number"])


def _flow(button: dict[str, Any], _: int, given: SentButton | None) -> Button:
    """Open the flow with the token sent; without one Meta uses ``unused``."""
    action = _action(given)
    token = words_at(action, "flow_token", f"{_at(given)}['action']['flow_token']")
    data = action.get("flow_action_data")
    if data is not None and not isinstance(data, dict):
        raise GraphError(132012, f"{_at(given)}['action']['flow_action_data'] must be an object")
    flow = str(button.get("flow_id") or button.get("flow_name") or "")
    return Button(button["text"], flow, kind="flow", value=token or "unused")


def _catalog(button: dict[str, Any], _: int, given: SentButton | None) -> Button:
    key = "thumbnail_product_retailer_id"
    shown = words_at(_action(given), key, f"{_at(given)}['action']['{key}']")
    return Button(button["text"], kind="catalog", value=shown)


def _mpm(button: dict[str, Any], index: int, given: SentButton | None) -> Button:
    """Show up to 30 products in up to 10 sections, behind one of them."""
    _one(given, "action", f"buttons: Button at index {index} of type Mpm requires a parameter")
    action, where = _action(given), f"{_at(given)}['action']"
    shown = text_at(
        action, "thumbnail_product_retailer_id", f"{where}['thumbnail_product_retailer_id']", limit=100
    )
    sections = array_at(action, "sections", f"{where}['sections']")
    items = [
        as_object(each, f"{where}['sections'][{place}]", _SECTION_KEYS).get("product_items")
        for place, each in enumerate(sections)
    ]
    count = sum(len(each) for each in items if isinstance(each, list))
    if not 1 <= len(sections) <= SECTIONS or not 1 <= count <= PRODUCTS:
        raise GraphError(
            132012,
            f"{where}['sections'] must hold 1 to {SECTIONS} sections with 1 to {PRODUCTS} products in all",
        )
    return Button(button["text"], kind="catalog", value=shown)


def _one(given: SentButton | None, kind: str, needed: str | None) -> dict[str, Any] | None:
    """Return the one parameter of a button, of this kind; raise 131008 with ``needed`` when it must be there."""
    if given is None or not given.parameters:
        if needed is not None:
            raise GraphError(131008, needed)
        return None
    if len(given.parameters) > 1:
        raise GraphError(
            132000, f"{given.where}: a button takes one parameter; it has {len(given.parameters)}"
        )
    parameter = given.parameters[0]
    told = str(parameter.get("type") or kind).lower()
    if told != kind and not {told, kind} <= {"text", "payload", "coupon_code"}:
        raise GraphError(132012, f"{given.where}: a parameter of type {told} where {kind} belongs")
    return parameter


def _action(given: SentButton | None) -> dict[str, Any]:
    parameter = _one(given, "action", None)
    return (
        {} if parameter is None else object_at(parameter, "action", f"{_at(given)}['action']", _ACTION_KEYS)
    )


def _words(parameter: dict[str, Any] | None, given: SentButton | None, key: str) -> str:
    where = f"{_at(given)}['{key}']"
    if parameter is None or parameter.get(key) is None:
        raise missing(where)
    return words_of({"type": "text", "text": parameter[key]}, where)


def _at(given: SentButton | None) -> str:
    return "buttons" if given is None else f"{given.where}['parameters'][0]"


_FILLERS: dict[str, Callable[[dict[str, Any], int, SentButton | None], Button]] = {
    "QUICK_REPLY": _quick_reply,
    "URL": _url,
    "OTP": _otp,
    "COPY_CODE": _copy_code,
    "PHONE_NUMBER": _phone,
    "FLOW": _flow,
    "CATALOG": _catalog,
    "MPM": _mpm,
}
