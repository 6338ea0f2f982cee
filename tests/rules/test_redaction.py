"""Nothing that must stay private reaches a log line, at any level, by any road."""

import dataclasses
import io
import json
import logging
import os
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from sayso.core import redaction
from sayso.core.redaction import redact_json, redact_text, redact_trace, redact_values, show_values
from sayso.core.telemetry import configure_logging

PHONE = "15557770123"
TEXT = "canary meet me behind the old mill"
SECRET = "canary-secret-0815"
TOKEN = "EAAGcanary0123456789abcdefXYZ"
WAMID = "wamid.HBgLMTU1NTc3NzAxMjMVAgARGBJBQkNERUYA"
ALL_AT_ONCE = f"{SECRET} {TOKEN} {WAMID}"
CANARIES = (PHONE, "canary", SECRET, TOKEN, WAMID, WAMID[6:30], "old mill")


@pytest.fixture(autouse=True)
def _clean_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_secrets", set())
    monkeypatch.setattr(redaction, "_shown", set())
    monkeypatch.setattr(redaction, "_patterns", [])
    redact_values()


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Yield a function that returns what was logged; all loggers are as before afterwards."""
    root = logging.getLogger()
    names = ("", "sayso", "whatsapp_service", "uvicorn", "asyncpg")
    before = {name: logging.getLogger(name).level for name in names}
    handlers = list(root.handlers)
    yield lambda: capsys.readouterr().err
    root.handlers = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def configured(level: str, fmt: Literal["console", "json"]) -> None:
    configure_logging(level, fmt)
    root = logging.getLogger()
    root.handlers = root.handlers[-1:]  # without pytest's, which keep the raw records


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        (f"to +{PHONE} now", "to +1•••••••23 now"),
        (f"to {PHONE}", "to 1•••••••23"),
        ("call +1 555 777-0123.", "call +1•••••••23."),
        ("tel:+44 (20) 7946 0958", "tel:+4•••••••58"),
        (f"escaped \\n{PHONE}", "escaped \\n1•••••••23"),
        (f"wa_id{PHONE}x", "wa_id1•••••••23x"),
        (f"sent {WAMID}", "sent wamid.…RUYA"[:12] + f"{WAMID[-6:]}"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer <redacted>"),
        (f"token {TOKEN}", "token <redacted>"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", "<redacted>"),
        (
            "GET /x?hub.verify_token=v3rify&hub.challenge=7",
            "GET /x?hub.verify_token=<redacted>&hub.challenge=7",
        ),
        ("postgresql://me:pass@db/sayso", "postgresql://<redacted>@db/sayso"),
        ("one\r\ntwo\x1b[31m red \u202e", "one\\r\\ntwo\\x1b[31m red \\u202e"),
        ("id 01993412-1234-7abc-8def-446655440000", "id 01993412-1234-7abc-8def-446655440000"),
        ("trace 4bf92f35771234567890ce929d0e0e47", "trace 4bf92f35771234567890ce929d0e0e47"),
        ("US.13491208655302741918", "US.13491208655302741918"),
        ("2026-11-22T18:58:00.123456Z took 12345 us", "2026-11-22T18:58:00.123456Z took 12345 us"),
    ],
)
def test_a_text_loses_what_is_private_and_keeps_what_helps(given_text: str, shown: str) -> None:
    assert redact_text(given_text) == shown


def test_registered_secrets_vanish_in_every_form() -> None:
    redact_values("s3cr3t/with+signs", None, "abc")
    assert redact_text("x s3cr3t/with+signs y") == "x <redacted> y"
    assert redact_text("x=s3cr3t%2Fwith%2Bsigns") == "x=<redacted>"
    assert redact_text("abc") == "abc", "three letters are too short to hunt for"


def test_our_own_ids_stay_readable() -> None:
    show_values("100000000000001")
    assert redact_text("/v25.0/100000000000001/messages") == "/v25.0/100000000000001/messages"


def test_message_texts_are_replaced_by_their_length_wherever_they_are() -> None:
    webhook = {
        "messages": [{"from": PHONE, "id": WAMID, "timestamp": "1732300000", "text": {"body": "hello"}}],
        "contacts": [{"profile": {"name": "Ann"}, "wa_id": PHONE}],
        "template": {"name": "confirmation_request", "language": {"code": "en"}},
        "action_details": ["tomorrow", {"caption": "pic"}],
        "raw": b"hello",
        "access-token": "t0ken",
    }
    assert redact_json(webhook) == {
        "messages": [
            {
                "from": "1•••••••23",
                "id": f"wamid.…{WAMID[-6:]}",
                "timestamp": "1732300000",
                "text": {"body": "<5 chars>"},
            }
        ],
        "contacts": [{"profile": {"name": "<3 chars>"}, "wa_id": "1•••••••23"}],
        "template": {"name": "confirmation_request", "language": {"code": "en"}},
        "action_details": ["<8 chars>", {"caption": "<3 chars>"}],
        "raw": "<5 bytes>",
        "access-token": "<redacted>",
    }


def test_numbers_that_are_times_or_sizes_stay_and_phones_given_as_numbers_do_not() -> None:
    assert redact_json({"took_ns": 123456789012, "rows": 250, "wa_id": int(PHONE), "ratio": 0.5}) == {
        "took_ns": 123456789012,
        "rows": 250,
        "wa_id": "1•••••••23",
        "ratio": 0.5,
    }


def test_objects_whose_print_could_hold_texts_show_only_their_class() -> None:
    @dataclasses.dataclass
    class Message:
        text: str

    assert redact_json({"message": Message(TEXT), "id": uuid.UUID(int=7)}) == {
        "message": "<Message>",
        "id": "00000000-0000-0000-0000-000000000007",
    }


def test_endless_nesting_ends() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    assert "<deep>" in json.dumps(redact_json(loop))


def test_values_quoted_by_exceptions_of_libraries_are_withheld() -> None:
    class Body(BaseModel):
        number: int

    with pytest.raises(ValidationError) as caught:
        Body.model_validate({"number": TEXT})
    assert "old mill" not in redact_trace(str(caught.value))
    detail = f"UniqueViolationError: duplicate key\nDETAIL:  Key (body)=({TEXT}\nmore) already exists."
    assert "old mill" not in redact_trace(detail)
    assert "already exists" not in redact_trace(detail)


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_whatever_is_logged_stays_on_one_line_and_redacting_twice_changes_nothing(text: str) -> None:
    once = redact_text(text)
    assert once.splitlines() in ([], [once])
    assert "\x1b" not in once
    assert redact_text(once) == once


@given(st.text("0123456789+ -().x", max_size=40), st.from_regex(r"[1-9][0-9]{9,12}", fullmatch=True))
def test_a_full_phone_number_never_survives_whatever_stands_around_it(around: str, phone: str) -> None:
    assert phone not in redact_text(f"{around} {phone} {around}")


def fail(sentence: str) -> None:
    raise ValueError(sentence)


def log_everything_forbidden(logger: Any) -> None:
    """Take every road a careless line of code could take."""
    log = structlog.get_logger("sayso.mine")
    body = {"to": PHONE, "text": {"body": TEXT}, "biz": [{"caption": TEXT}]}
    log.debug("exchange", request=body, authorization=f"Bearer {TOKEN}", wamid=WAMID)
    log.info("to %s", PHONE, content=TEXT, secret=SECRET, **{f"key{PHONE}": 1})
    log.warning(
        ALL_AT_ONCE,
        action_description=TEXT,
        row=dataclasses.make_dataclass("R", ["x"])(TEXT),
    )
    logger.debug("POST /messages to=%s %s", PHONE, WAMID, extra={"body": TEXT, "token": TOKEN})
    logger.error("broken %d", SECRET)
    try:
        fail(f"call of +{PHONE} with {TOKEN} failed")
    except ValueError as error:
        log.exception("it broke", error=error)
        logger.exception("it broke")
    logging.getLogger("asyncpg").warning("refused: DETAIL:  Key (wa_id)=(%s)", PHONE)
    logging.getLogger("uvicorn.access").warning('GET "/x?access_token=%s"', TOKEN)


@pytest.mark.parametrize("fmt", ["console", "json"])
def test_canaries_in_every_field_never_reach_the_log_even_at_debug(
    logged: Callable[[], str], fmt: Literal["console", "json"]
) -> None:
    redact_values(SECRET)
    configured("DEBUG", fmt)
    log_everything_forbidden(logging.getLogger("whatsapp_service"))
    seen = logged()
    assert not [canary for canary in CANARIES if canary in seen]
    for reached in ("exchange", "it broke", "ValueError", "Traceback", "1•••••••23", "uvicorn.access"):
        assert reached in seen


def test_the_canary_test_would_notice_a_leak(
    logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    redact_values(SECRET)
    monkeypatch.setattr("sayso.core.telemetry.redact_json", lambda value: value)
    monkeypatch.setattr("sayso.core.telemetry.redact_text", lambda value: value)
    monkeypatch.setattr("sayso.core.telemetry.redact_trace", lambda value: value)
    configured("DEBUG", "json")
    log_everything_forbidden(logging.getLogger("whatsapp_service"))
    seen = logged()
    assert [canary for canary in CANARIES if canary in seen] == list(CANARIES)


def test_the_guides_debug_line_shows_the_exchanges_though_everything_else_stays_at_info(
    logged: Callable[[], str],
) -> None:
    configured("INFO", "json")
    exchange = logging.getLogger("whatsapp_service")
    exchange.debug("before")
    logging.getLogger("whatsapp_service").setLevel(logging.DEBUG)
    exchange.debug("after")
    structlog.get_logger("sayso.other").debug("ours stays quiet")
    logging.getLogger("asyncpg").info("libraries stay quiet")
    assert [json.loads(line)["event"] for line in logged().splitlines()] == ["after"]


def test_a_json_line_says_when_who_how_bad_and_what(logged: Callable[[], str]) -> None:
    configured("INFO", "json")
    structlog.get_logger("sayso.x").info("message.sent", state="accepted", took_ms=12)
    (line,) = logged().splitlines()
    record = json.loads(line)
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "event": "message.sent",
        "level": "info",
        "logger": "sayso.x",
        "state": "accepted",
        "took_ms": 12,
    }


@pytest.mark.parametrize("fmt", ["console", "json"])
def test_no_input_can_forge_a_line_of_its_own(
    logged: Callable[[], str], fmt: Literal["console", "json"]
) -> None:
    configured("INFO", fmt)
    forged = "\r\n2026-11-22T00:00:00Z [info] forged"
    structlog.get_logger("sayso.x").info("hello" + forged, value=forged, **{"key" + forged: 1})
    try:
        fail(forged)
    except ValueError:
        logging.getLogger("sayso.y").exception("broke")
    seen = logged()
    assert not [line for line in seen.splitlines() if line.startswith("2026-11-22T00:00:00Z")]
    assert "\r" not in seen


@pytest.mark.usefixtures("logged")
def test_a_closed_stderr_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    configured("INFO", "json")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    logging.getLogger("sayso.x").info("nobody hears")


@pytest.mark.usefixtures("logged")
def test_a_reader_that_stops_reading_costs_records_but_never_time(monkeypatch: pytest.MonkeyPatch) -> None:
    configured("INFO", "json")
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as read, os.fdopen(writer, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        begin = time.monotonic()
        for number in range(3000):
            logging.getLogger("sayso.x").info("record %d", number)
        assert time.monotonic() - begin < 5, "a blocked write would last for ever"
        os.set_blocking(read.fileno(), False)
        while read.read(1 << 20):
            pass
        logging.getLogger("sayso.x").info("once more")
        after = read.read().decode()
    assert re.search(r"<\d+ records were dropped: nobody read stderr>\n.*once more", after)
