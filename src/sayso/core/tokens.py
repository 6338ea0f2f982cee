"""Bearer tokens: issued and checked with the installation's secret."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from sayso.core.errors import InputInvalidError, UnauthenticatedError

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
_TTL = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


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
        """A signed token; raises :class:`InputInvalidError` for an unknown scope or an unreasonable lifetime."""
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown:
            raise InputInvalidError(f"Unknown scope {', '.join(unknown)}; there are: {', '.join(SCOPES)}.")
        if not user.strip() or not client.strip():
            raise InputInvalidError(
                "A token speaks for somebody: neither the user nor the client may be empty."
            )
        if not timedelta(0) < ttl <= LONGEST_TTL:
            raise InputInvalidError(f"A token lives between 1 s and {LONGEST_TTL.days} days, not {ttl}.")
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

    def _read(self, token: str) -> dict[str, Any]:
        """The claims of a token that is genuine. A signature stays what it is, so each is checked once."""
        try:
            claims = jwt.decode(token, OctKey.import_key(self.secret), algorithms=["HS256"]).claims
        except (JoseError, ValueError) as error:
            raise UnauthenticatedError("The bearer token is not one of ours, or was altered.") from error
        if len(self._genuine) >= MOST_REMEMBERED:
            self._genuine.clear()
        self._genuine[token] = claims
        return claims

    def _check(self, claims: dict[str, Any], now: float) -> None:
        missing = [name for name in _REQUIRED if not claims.get(name)]
        if missing:
            raise UnauthenticatedError(f"The token lacks {', '.join(missing)}.")
        if any(not isinstance(claims[name], str) for name in ("sub", "client_id", "scope", "jti")):
            raise UnauthenticatedError("sub, client_id, scope and jti must be strings.")
        if any(type(claims[n]) not in (int, float) or not abs(claims[n]) < _NO_TIME for n in ("exp", "iat")):
            raise UnauthenticatedError("exp and iat must be numbers.")
        if claims["iss"] != self.issuer or claims["aud"] != self.audience:
            raise UnauthenticatedError("The token was issued by or for somebody else (iss, aud).")
        if claims["exp"] <= now - LEEWAY_S:
            raise UnauthenticatedError("The token has expired; make a new one with `sayso token`.")
        if claims["iat"] > now + LEEWAY_S:
            raise UnauthenticatedError("The token was issued in the future; compare the clocks.")


def parse_ttl(text: str) -> timedelta:
    """``30m``, ``12h``, ``7d`` … as a duration; raises :class:`InputInvalidError` for anything else."""
    match = _TTL.fullmatch(text.strip())
    if not match:
        raise InputInvalidError(f"{text!r} is no length of time; write for example 30m, 12h or 7d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
