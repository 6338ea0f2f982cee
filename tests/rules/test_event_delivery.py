"""The ladder, what a receiver asks for, and how an endpoint that fails for days is judged."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from sayso.events.rules import FAILING_AFTER, LADDER, Called, Health, delay_s, verdict
from sayso.events.signing import Keys, headers, secret_bytes

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def failed(status: int | None = 500, **more: float | bool) -> Called:
    return Called(status, 5, "no", **more)  # type: ignore[arg-type]


def test_the_ladder_is_the_one_that_is_documented() -> None:
    assert LADDER == (0, 5, 300, 1800, 7200, 18000, 36000, 36000)
    assert timedelta(seconds=sum(LADDER)) == timedelta(hours=27, minutes=35, seconds=5)


@given(attempt=st.integers(1, len(LADDER) - 1), chance=st.floats(0, 1))
def test_a_delay_keeps_within_a_fifth_of_its_step(attempt: int, chance: float) -> None:
    step = LADDER[attempt]
    assert abs(delay_s(failed(), attempt, lambda: chance) - step) <= step * 0.2 + 1e-6


@pytest.mark.parametrize(
    ("called", "attempt", "seconds"),
    [
        (failed(), 1, 5),
        (failed(429), 1, 60),
        (failed(None, timed_out=True), 1, 60),
        (failed(429), 2, 300),
        (failed(503, retry_after_s=8.0), 1, 8),
        (failed(503, retry_after_s=1.0), 1, 5),
        (failed(503, retry_after_s=9e9), 1, 10),
        (failed(429, retry_after_s=100.0), 1, 100),
        (failed(429, retry_after_s=9e9), 2, 600),
    ],
)
def test_what_the_receiver_asks_for_counts_between_one_step_and_two(
    called: Called, attempt: int, seconds: float
) -> None:
    assert delay_s(called, attempt, lambda: 0.5) == pytest.approx(seconds)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_2xx_is_success(status: int) -> None:
    assert verdict(Called(status, 1), 1) == "delivered"


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 304, 400, 404, 429, 500, 599])
def test_everything_else_is_tried_again_to_the_end_of_the_ladder(status: int | None) -> None:
    verdicts = [verdict(failed(status), attempt) for attempt in range(1, len(LADDER) + 1)]
    assert verdicts == ["retry"] * (len(LADDER) - 1) + ["exhausted"]


def test_gone_is_gone_at_the_first_attempt() -> None:
    assert verdict(failed(410), 1) == "gone"


def after(*hours: float) -> tuple[Health, bool]:
    """An endpoint that failed at these hours; how it stands, and whether it is given up at the last."""
    health, given_up = Health(), False
    for hour in hours:
        health = health.after_failure(NOW + hour * HOUR)
        given_up = health.given_up(NOW + hour * HOUR)
    return health, given_up


def test_failures_in_a_row_are_counted_and_four_are_failing() -> None:
    assert [after(*[0] * n)[0].failures for n in range(1, 6)] == [1, 2, 3, 4, 5]
    assert FAILING_AFTER == 4


@pytest.mark.parametrize(
    ("hours", "given_up"),
    [
        (range(0, 120, 6), False),
        (range(0, 121, 6), True),
        ((0, 1, 2, 119, 121), False),  # no two within a day that are twelve hours apart before the last days
        ((0, 13, 121), True),
        ((0, 11, 121), False),
        ((0, 130), False),  # two accidents
        ((0, 130, 143, 143 + 106), False),
        ((0, 130, 143, 130 + 120), True),
        ((0, 13, 14 + 240), False),  # forgotten
    ],
)
def test_five_days_of_failures_with_two_half_a_day_apart_are_enough(
    hours: tuple[float, ...], given_up: bool
) -> None:
    assert after(*hours)[1] is given_up


KEYS = Keys(bytes(range(32)), bytes(range(32, 64)))


@given(
    body=st.text().map(str.encode),
    event=st.text("abcdefghjkmnpqrstvwxyz0123456789", min_size=26, max_size=26),
)
def test_the_public_library_accepts_what_we_sign_and_nothing_else(body: bytes, event: str) -> None:
    now = int(datetime.now(UTC).timestamp())
    signed = headers(f"evt_{event}", now, body, [Keys(b"x" * 32, b"y" * 32), KEYS], ["v1", "v1a"])
    Webhook(KEYS.shown_secret).verify(body, signed, json_parse=False)
    for other in (body + b" ", b"x" + body):
        with pytest.raises(Exception, match="No matching signature"):
            Webhook(KEYS.shown_secret).verify(other, signed, json_parse=False)


def test_the_asymmetric_signature_is_checked_with_the_public_key_alone() -> None:
    signed = headers("evt_1", 17, b"{}", [KEYS], ["v1a"])["webhook-signature"]
    kind, _, signature = signed.partition(",")
    public = base64.b64decode(KEYS.public_key.removeprefix("whpk_"))
    Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature), b"evt_1.17.{}")
    assert kind == "v1a"


def test_keys_are_kept_whole_and_a_secret_is_read_as_it_is_shown() -> None:
    assert Keys.of(KEYS.raw) == KEYS
    assert secret_bytes(KEYS.shown_secret) == KEYS.secret
    for wrong in ("whsec_!!", "whsec_" + base64.b64encode(b"x" * 23).decode(), "whsec_" + "A" * 92):
        with pytest.raises(ValueError, match="a secret"):
            secret_bytes(wrong)
