"""Webhook bodies for tests of exploding and reading, and what every update of them must keep."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from sayso.whatsapp.explode import RawUpdate
from sayso.whatsapp.updates import UnreadableUpdateError, read

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "meta" / "in").glob("*.json"))
NAMES = [path.stem for path in FIXTURES]
ANA, BO = "US.84930011223344556677", "US.11110011223344556677"
OUR_KINDS = {"message", "status", "error", "malformed"}

Json = dict[str, Any]


def fixture(name: str) -> bytes:
    return next(path for path in FIXTURES if path.stem == name).read_bytes()


def envelope(value: object, field: object = "messages", **entry: object) -> bytes:
    change = {"value": value, "field": field}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "2", **entry, "changes": [change]}]}
    ).encode()


def told(updates: list[RawUpdate]) -> list[tuple[str, str, str]]:
    """Shorten digests, which say nothing to a reader."""
    return [
        (key.split(":")[0] if len(key) > 64 else key, number, who)
        for key, _, number, who in map(four, updates)
    ]


def four(update: RawUpdate) -> tuple[str, str, str, str]:
    return update.key, update.kind, update.phone_number_id, update.person_key


def check(update: RawUpdate) -> None:
    """Assert what every update promises, and that reading it ends in one of two ways."""
    for text in four(update):
        assert text.isascii()
        assert text.isprintable()
        assert len(text) <= 700
    assert update.key
    assert update.kind
    json.loads(update.context.decode("utf-8", "replace"), strict=False)
    with suppress(UnreadableUpdateError):
        encodable(read(update.kind, update.item, update.context))


def encodable(value: object) -> None:
    """Assert that PostgreSQL could hold every text of it."""
    text = repr(value)
    text.encode()
    assert "\\x00" not in text
    assert "\\ud8" not in text.lower()
