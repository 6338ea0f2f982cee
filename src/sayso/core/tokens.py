"""Bearer tokens: issued and checked with the installation's secret."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from sayso.core import spans
from sayso.core.errors import InputInvalidError, UnauthenticatedError
from sayso.core.faults import near, shown

#: Every scope, with what it allows. ``admin`` implies the others and sees every assistant's objects.
SCOPES = {
    "messages:send": "send a message",
    "messages:read": "see one's own messages and their timelines",
    "confirmations:ask": "ask a person for a confirmation",
    "confirmations:read": "see one's own confirmations, and wait for them",
    "people:write": "link a user to a WhatsApp number, or have them forgotten",
    "people:read": "see the link of a user, and everything known of them",
    "templates:read": "see templates, and how they look filled",
    "templates:write": "create, change and delete templates at Meta",
    "consents:write": "record opt-ins and opt-outs",
    "consents:read": "see how people stand, and the proof",
    "events:read": "read one's own feed of events, and what was delivered",
    "endpoints:write": "say where events are delivered to, and have them delivered again",
    "operate": "see what came in from Meta and what became of it",
    "admin": "everything, across assistants",
}
#: What an assistant needs, and the default of ``sayso token``.
ASSISTANT_SCOPES = (
    "messages:send",
    "messages:read",
    "confirmations:ask",
    "confirmations:read",
    "people:write",
    "people:read",
    "templates:read",
    "consents:write",
    "consents:read",
    "events:read",
)
LEEWAY_S = 30
#: Tokens whose signature is remembered as genuine.
MOST_REMEMBERED = 1_000
LONGEST_TTL = timedelta(days=366)
_REQUIRED = ("sub", "client_id", "scope", "exp", "iat", "iss", "aud", "jti")
_NO_TIME = 1e12  # seconds: beyond it, and not a number at all, is no moment of ours
_PARTS = 3


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls: an assistant (``client_id``) on behalf of its user (``user_id``, the token's ``sub``)."""

    client_id: str
    user_id: str
    scopes: frozenset[str]
    token_id: str

    def may(self, scope: str) -> bool:
        """Whether the token carries ``scope``."""
        return scope in self.scopes or "admin" in self.scopes

    def sees(self, client_id: str) -> bool:
        """Whether an object of ``client_id`` exists as far as this caller is concerned."""
        return client_id == self.client_id or "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class Tokens:
    """Issues and checks HS256 tokens with the installation's secret."""

    secret: bytes
    issuer: str
    audience: str
    _genuine: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    def issue(
        self, *, user: str, client: str, scopes: tuple[str, ...], ttl: timedelta, now: datetime, token_id: str
    ) -> str:
        """A signed token; raises :class:`InputInvalidError` for what :func:`check` refuses."""
        check(user=user, client=client, scopes=scopes, ttl=ttl)
        issued = int(now.timestamp())
        claims = {
            "sub": user,
            "client_id": client,
            "scope": " ".join(scopes),
            "iat": issued,
            "exp": issued + int(ttl.total_seconds()),
            "iss": self.issuer,
            "aud": self.audience,
            "jti": token_id,
        }
        return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(self.secret))

    def actor(self, token: str, *, now: datetime) -> Actor:
        """Who a token speaks for; raises :class:`UnauthenticatedError` saying what is wrong with it."""
        claims = self._genuine.get(token)
        if claims is None:
            claims = self._read(token)
        self._check(claims, now.timestamp())
        return Actor(
            client_id=claims["client_id"],
            user_id=claims["sub"],
            scopes=frozenset(claims["scope"].split()),
            token_id=claims["jti"],
        )

    def ends_at(self, token: str) -> datetime:
        """When a token that :meth:`actor` has taken ends."""
        return datetime.fromtimestamp(self._read(token)["exp"], UTC)

    def _read(self, token: str) -> dict[str, Any]:
        """The claims of a token that is genuine. A signature stays what it is, so each is checked once."""
        try:
            claims = jwt.decode(token, OctKey.import_key(self.secret), algorithms=["HS256"]).claims
        except (JoseError, ValueError) as error:
            raise UnauthenticatedError(
                f"The bearer token is not one of ours: {self._unlike(token)}. `sayso token`, run where this service "
                "runs, makes one."
            ) from error
        if len(self._genuine) >= MOST_REMEMBERED:
            self._genuine.clear()
        self._genuine[token] = claims
        return claims

    def _unlike(self, token: str) -> str:
        """What a token that is not genuine says of itself; none of it is believed."""
        header, claims = _unverified(token)
        if header is None or claims is None:
            return "it is no JWT, three parts with dots between them"
        if header.get("alg") != "HS256":
            return f"its `alg` is {shown(header.get('alg'))}, and must be HS256"
        if (claims.get("iss"), claims.get("aud")) != (self.issuer, self.audience):
            return f"{shown(claims.get('iss'))} made it for {shown(claims.get('aud'))}"
        return (
            "it was signed with another key, so it is of another service or of an earlier key, or was altered"
        )

    def _check(self, claims: dict[str, Any], now: float) -> None:
        missing = [name for name in _REQUIRED if not claims.get(name)]
        if missing:
            raise UnauthenticatedError(f"The token lacks {', '.join(missing)}.")
        if any(not isinstance(claims[name], str) for name in ("sub", "client_id", "scope", "jti")):
            raise UnauthenticatedError("sub, client_id, scope and jti must be strings.")
        if any(type(claims[n]) not in (int, float) or not abs(claims[n]) < _NO_TIME for n in ("exp", "iat")):
            raise UnauthenticatedError("exp and iat must be numbers.")
        if claims["iss"] != self.issuer or claims["aud"] != self.audience:
            raise UnauthenticatedError(
                f"The token was issued by or for somebody else: its iss and aud are {shown(claims['iss'])} and "
                f"{shown(claims['aud'])}, and must be {shown(self.issuer)} and {shown(self.audience)}."
            )
        if claims["exp"] <= now - LEEWAY_S:
            raise UnauthenticatedError(
                f"The token {_expired(claims['exp'])}; make a new one with `sayso token`."
            )
        if claims["iat"] > now + LEEWAY_S:
            raise UnauthenticatedError("The token was issued in the future; compare the clocks.")


def check(*, user: str, client: str, scopes: tuple[str, ...], ttl: timedelta) -> None:
    """Raise :class:`InputInvalidError` for a token that nobody should be given, before anything is made for it."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        meant = near(unknown[0], SCOPES) or "."
        raise InputInvalidError(f"Unknown scope {', '.join(unknown)}; there are: {', '.join(SCOPES)}{meant}")
    if not scopes:
        raise InputInvalidError(f"A token without a scope opens nothing; there are: {', '.join(SCOPES)}.")
    if not user.strip() or not client.strip():
        raise InputInvalidError("A token speaks for somebody: neither the user nor the client may be empty.")
    if not timedelta(0) < ttl <= LONGEST_TTL:
        raise InputInvalidError(f"A token lives between 1 s and {LONGEST_TTL.days} days, not {ttl}.")


def _unverified(token: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Header and claims of a token as they stand there; None for what cannot be read."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return None, None
    return _object(parts[0]), _object(parts[1])


def _object(part: str) -> dict[str, Any] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _expired(seconds: float) -> str:
    """When it was; a moment that no calendar has is not named."""
    try:
        return f"expired at {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return "has expired"


def parse_ttl(text: str) -> timedelta:
    """``30m``, ``12h``, ``7d`` … as a duration; raises :class:`InputInvalidError` for anything else."""
    span = spans.parse(text.strip())
    if span is None:
        raise InputInvalidError(f"{text!r} is no length of time; write for example 30m, 12h or 7d.")
    return span
