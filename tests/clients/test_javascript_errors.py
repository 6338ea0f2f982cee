"""JavaScript clients recognise the simulator's refusals: kapso by its error class, whatsapp-api-js by the answer."""

import pytest

from clients.javascript_business import Driver, Kapso, RefusedError, Waj
from clients.stage import ANA, PHONE_ID

#: Codes of Meta's, the category kapso puts them in, and what it advises.
KNOWN = [
    (0, "authorization", "refresh_token"),
    (190, "authorization", "refresh_token"),
    (10, "permission", "fix_and_retry"),
    (200, "permission", "fix_and_retry"),
    (100, "parameter", "fix_and_retry"),
    (131008, "parameter", "fix_and_retry"),
    (131009, "parameter", "fix_and_retry"),
    (4, "throttling", "retry_after"),
    (80007, "throttling", "retry_after"),
    (130429, "throttling", "retry_after"),
    (131048, "throttling", "retry_after"),
    (131056, "throttling", "retry_after"),
    (368, "integrity", "do_not_retry"),
    (131031, "integrity", "do_not_retry"),
    (131047, "reengagementWindow", "do_not_retry"),
    (132000, "template", "fix_and_retry"),
    (132001, "template", "fix_and_retry"),
    (132015, "template", "fix_and_retry"),
    (131053, "media", "fix_and_retry"),
    (133010, "phoneRegistration", "fix_and_retry"),
    (131016, "server", "retry"),
]


@pytest.mark.parametrize(("code", "category", "advice"), KNOWN)
def test_kapso_sorts_every_refusal(kapso: Kapso, code: int, category: str, advice: str) -> None:
    kapso.meta.control("POST", "/faults", {"kind": "error", "code": code, "details": "Why"})
    with pytest.raises(RefusedError) as refused:
        kapso.send_text(ANA, "hello")
    told = refused.value.told
    assert refused.value.kind == "GraphApiError"
    assert (told["code"], told["category"], told["retry"]["action"]) == (code, category, advice)
    assert (told["details"], told["type"]) == ("Why", "OAuthException")
    assert told["httpStatus"] >= 400
    assert told["fbtraceId"]


def test_kapso_recognises_a_wrong_token(driver: Driver, kapso: Kapso) -> None:
    stranger = Kapso(driver, token="another")
    stranger.connect(kapso.meta)
    with pytest.raises(RefusedError) as refused:
        stranger.send_text(ANA, "hello")
    told = refused.value.told
    assert (told["code"], told["httpStatus"], told["category"]) == (190, 401, "authorization")


@pytest.mark.parametrize("code", [131009, 131047, 130429, 132001])
def test_whatsapp_api_js_hands_on_the_error(waj: Waj, code: int) -> None:
    waj.meta.control("POST", "/faults", {"kind": "error", "code": code, "details": "Why"})
    answer = waj("sendMessage", PHONE_ID, {"phone": ANA}, {"$make": "Text", "with": ["hello"]})
    error = answer["error"]
    assert (error["code"], error["error_data"]["details"]) == (code, "Why")
    assert error["message"].startswith(f"(#{code})")


def test_whatsapp_api_js_hands_on_that_a_token_is_wrong(driver: Driver, waj: Waj) -> None:
    stranger = Waj(driver, token="another")
    stranger.connect(waj.meta)
    answer = stranger("markAsRead", PHONE_ID, "wamid.none")
    assert answer["error"]["code"] == 190
