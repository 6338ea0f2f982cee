"""Signatures of webhooks: over raw bytes, exact, and never an exception whatever the header holds."""

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.whatsapp.signature import signature_valid

SECRET = b"sim-secret"
BODY = rb'{"name":"Zo\u00eb","path":"a\/b"}'


def sign(body: bytes, secret: bytes = SECRET) -> bytes:
    return b"sha256=" + hmac.new(secret, body, "sha256").hexdigest().encode()


def test_signature_of_known_bytes_is_valid() -> None:
    known = b"sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    assert signature_valid(b"The quick brown fox jumps over the lazy dog", known, b"key")


def test_raw_bytes_count_not_their_meaning() -> None:
    assert signature_valid(BODY, sign(BODY), SECRET)
    written_again = json.dumps(json.loads(BODY)).encode()
    assert not signature_valid(written_again, sign(BODY), SECRET)


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"sha256=",
        sign(BODY).removeprefix(b"sha256="),
        sign(BODY).upper(),
        b"sha256=" + sign(BODY)[7:].upper(),
        b"SHA256=" + sign(BODY)[7:],
        b"sha1=" + hmac.new(SECRET, BODY, "sha1").hexdigest().encode(),
        sign(BODY) + b" ",
        b" " + sign(BODY),
        sign(BODY) + b"\n",
        sign(BODY) + b", " + sign(BODY),
        sign(BODY)[:-1],
        sign(BODY, b"another secret"),
        "sha256=é".encode(),
        b"\xff\xfe\x00" * 30,
    ],
)
def test_every_other_header_is_invalid(header: bytes | None) -> None:
    assert not signature_valid(BODY, header, SECRET)


def test_empty_secret_signs_nothing() -> None:
    assert not signature_valid(BODY, sign(BODY, b""), b"")


@given(st.binary(), st.none() | st.binary(), st.binary())
def test_any_bytes_give_an_answer(body: bytes, header: bytes | None, secret: bytes) -> None:
    assert signature_valid(body, header, secret) is (bool(secret) and header == sign(body, secret))


@given(st.binary(min_size=1), st.data())
def test_changing_any_byte_invalidates(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != body[at]))
    changed = body[:at] + bytes([other]) + body[at + 1 :]
    assert not signature_valid(changed, sign(body), SECRET)
