"""Bearer tokens: what is refused, and what is taken with how much patience for clocks."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from sayso.core.errors import InputInvalidError, UnauthenticatedError
from sayso.core.tokens import ASSISTANT_SCOPES, LEEWAY_S, LONGEST_TTL, SCOPES, Actor, Tokens, parse_ttl

SECRET = b"a-secret-for-tests-of-at-least-32-bytes"
TOKENS = Tokens(SECRET, "sayso", "sayso")
NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ISSUED = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {
    "sub": "alice", "client_id": "assistant", "scope": "messages:send events:read", "iat": ISSUED,
    "exp": ISSUED + 3600, "iss": "sayso", "aud": "sayso", "jti": "j1",
}  # fmt: skip


CRITICAL = json.dumps({"alg": "HS256", "crit": ["exp2"], "exp2": 1}).encode()


def signed(claims: Any, *, secret: bytes = SECRET, alg: str = "HS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, **header}, claims, OctKey.import_key(secret), algorithms=[alg])


def by_hand(header: Any, payload: Any, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def refused(token: str, *, now: datetime = NOW) -> str:
    with pytest.raises(UnauthenticatedError) as raised:
        TOKENS.actor(token, now=now)
    return raised.value.detail


def test_a_token_speaks_for_its_user_and_its_assistant() -> None:
    token = TOKENS.issue(
        user="alice", client="bot", scopes=ASSISTANT_SCOPES, ttl=timedelta(hours=1), now=NOW, token_id="j1"
    )
    assert TOKENS.actor(token, now=NOW) == Actor("bot", "alice", frozenset(ASSISTANT_SCOPES), "j1")
    assert TOKENS.actor(signed(CLAIMS), now=NOW).scopes == {"messages:send", "events:read"}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("left", ["out", None, ""])
def test_each_claim_is_required(claim: str, left: str | None) -> None:
    changed = {**CLAIMS, claim: left}
    if left == "out":
        del changed[claim]
    assert claim in refused(signed(changed))


@pytest.mark.parametrize(
    ("claim", "value", "says"),
    [
        ("iss", "somebody", "somebody else"), ("iss", ["sayso"], "somebody else"), ("aud", "other", "somebody else"),
        ("aud", ["sayso", "other"], "somebody else"), ("sub", 7, "strings"), ("sub", ["alice"], "strings"),
        ("client_id", {"a": 1}, "strings"), ("scope", ["messages:send"], "strings"), ("jti", 1.5, "strings"),
        ("exp", "9999999999", "numbers"), ("exp", True, "numbers"), ("iat", "1", "numbers"), ("iat", True, "numbers"),
        ("exp", float("nan"), ""), ("exp", float("inf"), ""), ("iat", float("nan"), ""), ("exp", -1, "expired"),
        ("exp", 10**400, ""),
        ("exp", [ISSUED + 60], "numbers"), ("exp", {"at": 1}, "numbers"),
    ],
)  # fmt: skip
def test_claims_of_another_shape_or_for_another_place_are_refused(
    claim: str, value: object, says: str
) -> None:
    assert says in refused(signed({**CLAIMS, claim: value}))


@pytest.mark.parametrize(
    ("now", "taken"),
    [
        (ISSUED, True),
        (ISSUED - LEEWAY_S, True),
        (ISSUED - LEEWAY_S - 1, False),  # issued in the future
        (ISSUED + 3600, True),
        (ISSUED + 3600 + LEEWAY_S - 1, True),
        (ISSUED + 3600 + LEEWAY_S, False),  # expired
    ],
)
def test_clocks_may_differ_by_half_a_minute_and_no_more(now: int, taken: bool) -> None:
    at = datetime.fromtimestamp(now, UTC)
    if taken:
        assert TOKENS.actor(signed(CLAIMS), now=at).user_id == "alice"
    else:
        assert refused(signed(CLAIMS), now=at).startswith("The token")


def rs256() -> str:
    key = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256"}, CLAIMS, key, algorithms=["RS256"])


def altered() -> str:
    head, payload, signature = signed(CLAIMS).split(".")
    other = base64.urlsafe_b64encode(json.dumps({**CLAIMS, "sub": "mallory"}).encode()).rstrip(b"=").decode()
    assert payload != other
    return f"{head}.{other}.{signature}"


NOT_OURS: dict[str, Callable[[], str]] = {
    "alg none": lambda: by_hand({"alg": "none"}, CLAIMS),
    "alg none with a signature": lambda: by_hand({"alg": "none"}, CLAIMS, b"x"),
    "alg None": lambda: by_hand({"alg": "None"}, CLAIMS),
    "no alg": lambda: by_hand({}, CLAIMS, b"x"),
    "alg HS512": lambda: signed(CLAIMS, secret=SECRET * 2, alg="HS512"),
    "alg HS512, our secret": lambda: by_hand({"alg": "HS512"}, CLAIMS, b"x" * 64),
    "alg RS256": rs256,
    "another secret": lambda: signed(CLAIMS, secret=b"x" * 40),
    "altered": altered,
    "signature cut": lambda: signed(CLAIMS)[:-4],
    "signature empty": lambda: signed(CLAIMS).rpartition(".")[0] + ".",
    "two dots more": lambda: signed(CLAIMS) + "..",
    "crit nobody knows": lambda: signed_bytes(json.dumps(CLAIMS).encode(), CRITICAL),
    "payload a list": lambda: signed_payload(["a"]),
    "payload a number": lambda: signed_payload(7),
    "payload not JSON": lambda: signed_bytes(b"hello"),
    "empty": lambda: "",
    "one word": lambda: "token",
    "not ASCII": lambda: "é.ü.ß",
    "three dots": lambda: "...",
    "deep": lambda: signed_bytes(b"[" * 100_000 + b"]" * 100_000),
    "a number of 5,000 digits": lambda: signed_bytes(b'{"exp":' + b"9" * 5_000 + b"}"),
    "not UTF-8": lambda: signed_bytes(b"\xff\xfe{}"),
}


def signed_bytes(payload: bytes, header: bytes = b'{"alg":"HS256"}') -> str:
    """A token with a good signature over whatever bytes."""
    import hashlib  # noqa: PLC0415 - only here, where a token is made without a library
    import hmac  # noqa: PLC0415 - same

    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload)]
    mac = hmac.new(SECRET, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def signed_payload(payload: object) -> str:
    return signed_bytes(json.dumps(payload).encode())


@pytest.mark.parametrize("kind", NOT_OURS)
def test_what_we_did_not_sign_is_not_ours(kind: str) -> None:
    assert "not one of ours" in refused(NOT_OURS[kind]())


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (lambda: "token", "it is no JWT, three parts with dots between them"),
        (
            lambda: by_hand({"alg": "HS256"}, [CLAIMS], b"x"),
            "it is no JWT, three parts with dots between them",
        ),
        (rs256, 'its `alg` is "RS256", and must be HS256'),
        (lambda: signed({**CLAIMS, "iss": "auth0"}, secret=b"x" * 40), '"auth0" made it for "sayso"'),
        (
            lambda: signed(CLAIMS, secret=b"x" * 40),
            "it was signed with another key, so it is of another service",
        ),
    ],
)
def test_a_token_that_is_not_ours_is_told_from_the_others_and_what_to_do(
    token: Callable[[], str], why: str
) -> None:
    said = refused(token())
    assert said.startswith(f"The bearer token is not one of ours: {why}")
    assert said.endswith("`sayso token`, run where this service runs, makes one.")


def test_when_a_token_ended_and_whose_it_is_are_said() -> None:
    assert refused(signed(CLAIMS), now=NOW + timedelta(days=1)) == (
        "The token expired at 2026-03-14 13:00:00 UTC; make a new one with `sayso token`."
    )
    other = refused(signed({**CLAIMS, "aud": "billing"}))
    assert other.endswith('its iss and aud are "sayso" and "billing", and must be "sayso" and "sayso".')


def test_a_token_made_by_hand_with_our_secret_is_ours() -> None:
    assert (
        TOKENS.actor(signed_payload(CLAIMS), now=NOW).user_id == "alice"
    )  # the forgeries above are good ones


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_allows_itself_and_admin_allows_all(scope: str) -> None:
    plain = Actor("bot", "alice", frozenset({scope}), "j")
    admin = Actor("bot", "alice", frozenset({"admin"}), "j")
    assert all(admin.may(other) for other in SCOPES)
    assert [other for other in SCOPES if plain.may(other)] == (list(SCOPES) if scope == "admin" else [scope])
    assert plain.sees("bot")
    assert plain.sees("other") == (scope == "admin")
    assert admin.sees("other")


@pytest.mark.parametrize(
    ("scopes", "ttl", "says"),
    [
        (("messages:send", "fly"), timedelta(hours=1), "Unknown scope fly"),
        (("MESSAGES:SEND",), timedelta(hours=1), "Unknown scope"),
        (("messages:send",), timedelta(0), "lives between"),
        (("messages:send",), timedelta(seconds=-1), "lives between"),
        (("messages:send",), LONGEST_TTL + timedelta(seconds=1), "366 days"),
    ],
)
def test_no_token_is_issued_for_an_unknown_scope_or_an_unreasonable_life(
    scopes: tuple[str, ...], ttl: timedelta, says: str
) -> None:
    with pytest.raises(InputInvalidError, match=says):
        TOKENS.issue(user="alice", client="bot", scopes=scopes, ttl=ttl, now=NOW, token_id="j1")


@pytest.mark.parametrize(
    ("text", "ttl"),
    [("45s", timedelta(seconds=45)), ("30m", timedelta(minutes=30)), (" 12h ", timedelta(hours=12)),
     ("7d", timedelta(7))],
)  # fmt: skip
def test_a_lifetime_is_read(text: str, ttl: timedelta) -> None:
    assert parse_ttl(text) == ttl


@pytest.mark.parametrize("text", ["", "7", "d", "7w", "7 d", "-7d", "1.5h", "7D", "1h30m", "7d\x00"])
def test_what_is_no_lifetime_is_refused(text: str) -> None:
    with pytest.raises(InputInvalidError, match="no length of time"):
        parse_ttl(text)
