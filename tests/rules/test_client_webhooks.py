"""The client's check of a POST takes what the service signs, and refuses whatever was changed in it."""

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from sayso.client.webhooks import TOLERANCE_S, ForgedError, verify
from sayso.events.signing import Keys, headers

NOW = 1_763_876_284
KEYS = Keys(bytes(range(32)), bytes(32))
OTHERS = Keys(bytes(32), bytes(32))  # of all keys the one that an empty secret is padded to
BODY = b'{"id":"evt_1","type":"person.said"}'
SIGNED = headers("evt_1", NOW, BODY, [OTHERS, KEYS], ["v1", "v1a"])


def test_what_the_service_signs_is_taken_with_either_secret() -> None:
    for keys in (KEYS, OTHERS):
        assert verify(keys.shown_secret, SIGNED, BODY, now=NOW)["type"] == "person.said"
    upper = {name.title(): value for name, value in SIGNED.items()}
    assert verify(KEYS.shown_secret, upper, BODY, now=NOW + TOLERANCE_S)["id"] == "evt_1"


@pytest.mark.parametrize(
    "change",
    [
        lambda named: named | {"webhook-id": "evt_2"},
        lambda named: named | {"webhook-timestamp": str(NOW + 1)},
        lambda named: named | {"webhook-timestamp": "soon"},
        lambda named: named | {"webhook-signature": ""},
        lambda named: named | {"webhook-signature": "v1,é"},
        lambda named: named | {"webhook-signature": named["webhook-signature"].replace("v1,", "v2,")},
        lambda named: {name: value for name, value in named.items() if name != "webhook-id"},
    ],
)
def test_a_changed_header_is_refused(change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    with pytest.raises(ForgedError):
        verify(KEYS.shown_secret, change(SIGNED), BODY, now=NOW)


@given(place=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_a_changed_body_is_refused(place: int, bit: int) -> None:
    changed = BODY[:place] + bytes([BODY[place] ^ 1 << bit]) + BODY[place + 1 :]
    with pytest.raises(ForgedError):
        verify(KEYS.shown_secret, SIGNED, changed, now=NOW)


@pytest.mark.parametrize("late", [TOLERANCE_S + 1, -TOLERANCE_S - 1])
def test_what_is_played_again_later_is_refused(late: int) -> None:
    with pytest.raises(ForgedError, match="too old"):
        verify(KEYS.shown_secret, SIGNED, BODY, now=NOW + late)


def test_another_secret_or_none_is_refused() -> None:
    for secret in ("whsec_AAAA", "whsec_!!", ""):
        with pytest.raises(ForgedError):
            verify(secret, SIGNED, BODY, now=NOW)


def test_what_the_public_library_signs_is_taken_too() -> None:
    at = dt.datetime.fromtimestamp(NOW, dt.UTC)
    signature = Webhook(KEYS.shown_secret).sign("evt_9", at, BODY.decode())
    named = {"webhook-id": "evt_9", "webhook-timestamp": str(NOW), "webhook-signature": signature}
    assert verify(KEYS.shown_secret, named, BODY, now=NOW)
