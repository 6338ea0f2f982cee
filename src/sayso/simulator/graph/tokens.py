"""Who may call: tokens, their scopes, expiry and proof (cloud-api.md 1.3, 5.3)."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sayso.simulator.call import body_of, read
from sayso.simulator.errors import GraphError
from sayso.simulator.world.accounts import MESSAGING, App, Token
from sayso.simulator.world.world import World

#: What an invalidated token is refused with, by its subcode (5.3).
_INVALIDATED = {
    460: "The session has been invalidated because the user changed their password or Facebook has changed the "
    "session for security reasons.",
    467: "The session is invalid because the user logged out.",
}
_BODIES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_FILES = ("/media", "/media/")  # edges that take files
_PROOF_MISSING = "API calls from the server require an appsecret_proof argument"
_PROOF_WRONG = "Invalid appsecret_proof provided in the API argument"


async def caller(request: web.Request, world: World, *, unproven: bool = False) -> tuple[Token, App]:
    """Return the token of a call and its app; raise 104 missing, 190 wrong or expired, 100 without proof.

    The token comes as ``Authorization: Bearer`` (or ``OAuth``, as uploads do); as the parameter ``access_token``
    of query, form or JSON it works too, on all of Graph. The query goes before the header: clients whose every
    call bears a token in its header name the app's own
    there. A proof that is given must be right; one that the app requires must be given, unless the call goes
    ``unproven``.
    """
    value = request.query.get("access_token", "") or _in_header(request) or await _in_body(request)
    if not value:
        raise GraphError(104, "An access token is required to request this resource.")
    token = known_token(world, value)
    check_alive(token, world.clock.now())
    app = world.accounts.apps[token.app_id]
    proof = await _proof(request)
    if proof is not None or (app.require_proof and not unproven):
        check_proof(proof, token, app)
    return token, app


def known_token(world: World, value: str) -> Token:
    """Return a token, alive or not; raise 190 for one nobody was given."""
    found = find(world, value)
    if found is None:
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
    return found


def find(world: World, value: str) -> Token | None:
    """Return a token, known or the app's own ``app-id|app-secret`` (1.3)."""
    known = world.accounts.tokens.get(value)
    if known is not None:
        return known
    app_id, _, secret = value.partition("|")
    app = world.accounts.apps.get(app_id)
    if app is None or not hmac.compare_digest(secret.encode(), app.secret.encode()):
        return None
    return Token(value, app.id, scopes=(), kind="APP", user_id="")


def refusal(token: Token, now: float) -> tuple[int, str] | None:
    """Tell the subcode of 190 and the words for a token that is over; None for one alive (1.3)."""
    if token.subcode is not None:
        words = _INVALIDATED.get(token.subcode, "The session has been invalidated.")
        return token.subcode, f"Error validating access token: {words}"
    if token.expires_at is not None and token.expires_at <= now:
        ended, current = _moment(token.expires_at), _moment(now)
        words = f"Session has expired on {ended}. The current time is {current}."
        return 463, f"Error validating access token: {words}"
    return None


def check_alive(token: Token, now: float) -> None:
    """Raise 190 with subcode 463 for an expired token, with its own subcode for an invalidated one (1.3)."""
    found = refusal(token, now)
    if found is not None:
        subcode, words = found
        raise GraphError(190, words, subcode=subcode)


def check_scope(token: Token, needs: str | None, waba_id: str | None) -> None:
    """Raise 10 or 200 when the token lacks the permission, 200 when it does not reach the WABA (1.3, 5.3).

    Of sends Meta says 10 "Application does not have permission for this action", of management 200.
    """
    if needs is None:
        return
    if needs not in token.scopes:
        raise GraphError(
            10 if needs == MESSAGING else 200, f"Permissions error: the access token lacks {needs}."
        )
    if waba_id is not None and token.waba_ids is not None and waba_id not in token.waba_ids:
        raise GraphError(200, f"Permissions error: the access token does not reach the account {waba_id}.")


def check_app_token(token: Token, app_id: str) -> None:
    """Raise 15 for a token that is not an app's own, 10 for another app's (1.3)."""
    if token.kind != "APP":
        raise GraphError(15, "This method must be called with an app access_token.")
    if token.app_id != app_id:
        raise GraphError(10, f"The access token belongs to the app {token.app_id}, not to {app_id}.")


def check_proof(given: Any, token: Token, app: App) -> None:
    """Raise 100 unless ``given`` is the token's proof (1.3)."""
    if not given:
        raise GraphError(100, _PROOF_MISSING, kind="GraphMethodException")
    if not hmac.compare_digest(str(given).encode(), proof_of(token.value, app.secret).encode()):
        raise GraphError(100, _PROOF_WRONG, kind="GraphMethodException")


def proof_of(token: str, secret: str) -> str:
    """Tell a token's ``appsecret_proof``: hex HMAC-SHA256 keyed by the app secret (1.3)."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _in_header(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""


async def _in_body(request: web.Request) -> str:
    return str(await _parameter(request, "access_token") or "")


async def _proof(request: web.Request) -> Any:
    """Return the proof by query or body; None when there is none."""
    by_query = request.query.get("appsecret_proof")
    return by_query or await _parameter(request, "appsecret_proof") or by_query


async def _parameter(request: web.Request, name: str) -> Any:
    """Read one of the body's parameters; None when it is not there.

    A body without the name in it is not parsed: this is looked for in every call. Files on their way are left to
    whoever takes them piece by piece.
    """
    if not request.body_exists or request.content_type not in _BODIES or request.path.endswith(_FILES):
        return None
    try:
        if request.content_type != "multipart/form-data" and name.encode() not in await read(request):
            return None
        return (await body_of(request)).get(name)
    except GraphError:  # not even JSON: whoever wants the body says so
        return None


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%A, %d-%b-%y %H:%M:%S UTC")
