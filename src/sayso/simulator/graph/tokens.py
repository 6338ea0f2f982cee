"""Who may call: bearer tokens, their scopes, expiry and proof (cloud-api.md 1.3, 5.3)."""

import hashlib
import hmac
from datetime import UTC, datetime

from aiohttp import web

from sayso.simulator.errors import GraphError
from sayso.simulator.world.accounts import App, Token
from sayso.simulator.world.world import World


def caller(request: web.Request, world: World) -> tuple[Token, App]:
    """Return the token of a call and its app; raise 104 missing, 190 wrong or expired, 100 without proof.

    The token comes as a bearer header; as the query parameter ``access_token`` it works too, on all of Graph.
    """
    value = _presented(request)
    if not value:
        raise GraphError(104, "An access token is required to request this resource.")
    token = find(world, value)
    if token is None:
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
    check_alive(token, world.clock.now())
    app = world.accounts.apps[token.app_id]
    if app.require_proof:
        _check_proof(request, token, app)
    return token, app


def find(world: World, value: str) -> Token | None:
    """Return a token, known or the app's own ``app-id|app-secret`` (1.3)."""
    known = world.accounts.tokens.get(value)
    if known is not None:
        return known
    app_id, _, secret = value.partition("|")
    app = world.accounts.apps.get(app_id)
    if app is None or not hmac.compare_digest(secret.encode(), app.secret.encode()):
        return None
    return Token(value, app.id, kind="APP")


def check_alive(token: Token, now: float) -> None:
    """Raise 190 with subcode 463 for an expired token, with its own subcode for an invalidated one (1.3)."""
    if token.subcode is not None:
        raise GraphError(
            190,
            "Error validating access token: The session has been invalidated.",
            subcode=token.subcode,
        )
    if token.expires_at is not None and token.expires_at <= now:
        ended = datetime.fromtimestamp(token.expires_at, UTC).strftime("%A, %d-%b-%y %H:%M:%S UTC")
        raise GraphError(190, f"Error validating access token: Session has expired on {ended}.", subcode=463)


def check_scope(token: Token, needs: str | None, waba_id: str | None) -> None:
    """Raise 200 when the token lacks the permission, or does not reach the WABA (1.3)."""
    if needs is None:
        return
    if needs not in token.scopes:
        raise GraphError(200, f"Permissions error: the access token lacks {needs}.")
    if waba_id is not None and token.waba_ids is not None and waba_id not in token.waba_ids:
        raise GraphError(200, f"Permissions error: the access token does not reach the account {waba_id}.")


def proof_of(token: str, secret: str) -> str:
    """Tell a token's ``appsecret_proof``: hex HMAC-SHA256 keyed by the app secret (1.3)."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _presented(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        token = request.query.get("access_token", "")
    return token.strip()


def _check_proof(request: web.Request, token: Token, app: App) -> None:
    given = request.query.get("appsecret_proof", "")
    if not hmac.compare_digest(given.encode(), proof_of(token.value, app.secret).encode()):
        raise GraphError(100, "API calls from the server require an appsecret_proof argument")
