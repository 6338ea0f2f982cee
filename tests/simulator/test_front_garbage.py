"""Bytes that are no call at all are refused in Graph's envelope like any other wrong call (cloud-api.md 5.1)."""

import logging
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph

NUMBER = "/v25.0/100000000000001"
WABA = "/v25.0/200000000000001"
APP = "/v25.0/900000000000001"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PARTS = {"Content-Type": "multipart/form-data; boundary=X"}
GZIP = {"Content-Encoding": "gzip"}
DEEP = "[" * 100_000
DIGITS = "1" * 5_000

GARBAGE: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
    ("POST", f"{NUMBER}/messages", JSON, {"data": b'{"type":"text","text":{"body":"\xff"}}'}),
    ("POST", f"{NUMBER}/messages", JSON | GZIP, {"data": b"{}"}),
    ("POST", f"{NUMBER}/messages", JSON, {"data": DEEP}),
    ("POST", NUMBER, JSON | GZIP, {"data": b"{}"}),
    ("POST", NUMBER, FORM | GZIP, {"data": b"pin=123456"}),
    ("POST", NUMBER, {"Content-Type": f"{FORM['Content-Type']}; charset=foo"}, {"data": b"pin=123456"}),
    ("POST", NUMBER, PARTS, {"data": b"--X\r\nbroken"}),
    ("POST", NUMBER, PARTS, {"data": b"--X\r\nContent-Disposition: form-data\r\n\r\nx"}),
    ("POST", f"{NUMBER}/media", PARTS, {"data": b"--X\r\nbroken"}),
    ("POST", f"{NUMBER}/media", PARTS | GZIP, {"data": b"--X\r\nbroken"}),
    ("POST", f"{NUMBER}/whatsapp_business_profile", {}, {"json": {"websites": ["http://["]}}),
    ("POST", f"{NUMBER}/whatsapp_business_profile", {}, {"json": {"websites": DEEP}}),
    ("POST", f"{NUMBER}/settings", {}, {"json": {"calling": DEEP}}),
    ("POST", NUMBER, {}, {"json": {"webhook_configuration": DEEP}}),
    (
        "POST",
        f"{WABA}/subscribed_apps",
        {},
        {"json": {"override_callback_uri": "http://[", "verify_token": "x"}},
    ),
    ("GET", f"{WABA}/phone_numbers?limit={DIGITS}", {}, {}),
    ("GET", f"{WABA}?fields=analytics.start({DIGITS}).end({DIGITS}2).granularity(DAY)", {}, {}),
    ("POST", f"{APP}/uploads", {}, {"params": {"file_length": DIGITS, "file_type": "image/png"}}),
]


@pytest.mark.parametrize(("method", "path", "headers", "sent"), GARBAGE)
async def test_what_cannot_be_read_is_an_invalid_parameter(
    graph: "Graph", method: str, path: str, headers: dict[str, str], sent: dict[str, Any]
) -> None:
    sent = dict(sent)
    if "json" in sent:
        sent["json"] = {"messaging_product": "whatsapp"} | sent["json"]
        if "profile" not in path:
            del sent["json"]["messaging_product"]
    answer = await graph.call(method, path, headers={"Authorization": "Bearer sim-token"} | headers, **sent)
    assert (answer.status, answer.code) == (400, 100)
    assert "messaging_product" not in answer.details
    assert (await graph.text(to=ANA)).status == 200, "it stands"


async def test_a_callback_that_is_no_address_is_refused(graph: "Graph") -> None:
    app = {"Authorization": "Bearer 900000000000001|sim-secret"}
    given = {"object": "whatsapp_business_account", "verify_token": "x", "fields": "messages"}
    answer = await graph.call(
        "POST", f"{APP}/subscriptions", headers=app, json={**given, "callback_url": "http://["}
    )
    assert (answer.status, answer.code) == (400, 100)


async def test_a_download_and_an_upload_with_a_number_beyond_all_sense(graph: "Graph") -> None:
    session = await graph.call(
        "POST", f"{APP}/uploads", params={"file_length": "3", "file_type": "image/png"}
    )
    headers = {"Authorization": "OAuth sim-token", "file_offset": DIGITS}
    answer = await graph.call("POST", f"/v25.0/{session.json['id']}", headers=headers, data=b"abc")
    assert (answer.status, answer.code) == (400, 100)
    url = f"/whatsapp_business/attachments/?mid=1&ext={DIGITS}&hash=x"
    assert (await graph.call("GET", url)).code == 131052


async def test_what_nobody_foresaw_is_graphs_unknown_error_and_is_logged(
    graph: "Graph", sim: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    del sim.parts.world.accounts.wabas[sim.config.waba_id]  # a world that is broken
    with caplog.at_level(logging.ERROR):
        answer = await graph.text()
    assert (answer.status, answer.code) == (500, 1)
    assert answer.json["error"]["message"].startswith("(#1) ")
    assert answer.json["error"]["fbtrace_id"]
    assert any(record.exc_info for record in caplog.records)
