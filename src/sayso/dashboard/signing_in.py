"""Signing in to the pages: a token of ours, changed for a cookie that opens nothing but them, and not for long."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request

from sayso.core.errors import ForbiddenError, UnauthenticatedError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor, Tokens

COOKIE: Final = "sayso_dashboard"
PATH: Final = "/dashboard"
#: The scopes that the same facts take in the API.
SCOPES: Final = ("confirmations:read", "messages:read", "events:read", "templates:read")
LIVES: Final = timedelta(hours=1)

#: Refused tokens of one address within so long, after which it has to wait; and addresses that are remembered.
MOST_REFUSED: Final = 10
WITHIN: Final = timedelta(minutes=1)
MOST_ADDRESSES: Final = 1_000

_OWN_PAGE: Final = re.compile(r"/dashboard/confirmations(/\w+)?(\?[\w=&]*)?", re.ASCII)


class NotSignedInError(Exception):
    """The page is for who has signed in."""


@dataclass(slots=True)
class Attempts:
    """Refused tokens of late, by address."""

    _refused: dict[str, list[datetime]] = field(default_factory=dict)

    def must_wait(self, address: str, now: datetime) -> bool:
        """Whether an address has had too many refused."""
        return len(self._lately(address, now)) >= MOST_REFUSED

    def refused(self, address: str, now: datetime) -> None:
        """Remember one. Of too many addresses those are forgotten that were refused the longest time ago."""
        lately = [*self._lately(address, now), now][-MOST_REFUSED:]
        self._refused.pop(address, None)
        self._refused[address] = lately
        while len(self._refused) > MOST_ADDRESSES:
            del self._refused[next(iter(self._refused))]

    def _lately(self, address: str, now: datetime) -> Sequence[datetime]:
        return [at for at in self._refused.get(address, ()) if now - at < WITHIN]


@dataclass(frozen=True, slots=True)
class Door:
    """Who may come in. The cookie is a token for another audience than the API's: it opens no route of it."""

    tokens: Tokens
    cookies: Tokens
    attempts: Attempts = field(default_factory=Attempts)

    @classmethod
    def of(cls, tokens: Tokens) -> "Door":
        """For those who have such a token."""
        return cls(tokens, Tokens(tokens.secret, tokens.issuer, f"{tokens.audience} dashboard"))

    def cookie(self, rt: Runtime, token: str) -> tuple[str, timedelta]:
        """What to keep in the browser, and for how long: never longer than the token lives.

        Raises :class:`UnauthenticatedError`, and :class:`ForbiddenError` for a token that may not see the facts.
        """
        now = rt.now()
        actor = self.tokens.actor(token, now=now)
        missing = [scope for scope in SCOPES if not actor.may(scope)]
        if missing:
            raise ForbiddenError(
                f"The token lacks {', '.join(missing)}; `sayso token` gives them by default."
            )
        lives = min(LIVES, self.tokens.ends_at(token) - now)
        if lives < timedelta(seconds=1):
            raise UnauthenticatedError("The token has expired; make a new one with `sayso token`.")
        return self.cookies.issue(
            user=actor.user_id,
            client=actor.client_id,
            scopes=(*SCOPES, *(["admin"] if actor.may("admin") else [])),
            ttl=lives,
            now=now,
            token_id=rt.new_id("ses"),
        ), lives

    def reader(self, request: Request, now: datetime) -> Actor | None:
        """Who has signed in, as the request's cookie says."""
        try:
            return self.cookies.actor(request.cookies.get(COOKIE, ""), now=now)
        except UnauthenticatedError:
            return None


def from_elsewhere(request: Request) -> bool:
    """Whether another site's page had the browser send this, as far as the browser says."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def is_secure(request: Request) -> bool:
    """Whether the browser came by https, to us or to the proxy before us: a cookie is then for https alone."""
    by_proxy = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" in (request.url.scheme, by_proxy)


def address(request: Request) -> str:
    """Where a connection comes from; behind a proxy that is the proxy."""
    return request.client.host if request.client else ""


def way_in(request: Request) -> str:
    """Where to sign in, to come back to this page."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{PATH}/login?next={quote(wanted, safe='')}"


def way_back(wanted: str) -> str:
    """Where to go after signing in: a page of ours, whatever the address said."""
    return wanted if _OWN_PAGE.fullmatch(wanted) else f"{PATH}/confirmations"
