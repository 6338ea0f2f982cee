"""Getting, looking at and giving up tokens: ``/oauth/…``, ``/debug_token``, ``access_tokens`` (cloud-api.md 1.3)."""

import hmac
from typing import Any

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, body_of, flag, listed, required, success
from sayso.simulator.errors import GraphError
from sayso.simulator.graph.tokens import check_alive, check_proof, find, known_token, refusal
from sayso.simulator.live import Live
from sayso.simulator.world.accounts import MANAGEMENT, MESSAGING, App, Token
from sayso.simulator.world.world import World

SIXTY_DAYS_S = 60 * 24 * 3600
REVOKED = 467
_EXPIRING = "set_token_expires_in_60_days"


class OauthCalls:
    """Everything about tokens themselves."""

    def __init__(self, world: World, live: Live) -> None:
        self._world = world
        self._live = live

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("GET", "root", "oauth/access_token", "oauth", None, self._grant, open=True),
            Route("POST", "root", "oauth/access_token", "oauth", None, self._grant, open=True),
            Route("GET", "root", "oauth/revoke", "oauth", None, self._revoke),
            Route("GET", "root", "debug_token", "debug_token", None, self._debug),
            Route("POST", "user", "access_tokens", "access_tokens", None, self._create),
        ]

    async def _grant(self, call: Call) -> web.Response:
        """Give an app's own token, or a fresh one for one that is going to expire."""
        given = await call.given()
        app = self._app(given)
        match required(given, "grant_type"):
            case "client_credentials":
                return answer({"access_token": self._app_token(app).value, "token_type": "bearer"})
            case "fb_exchange_token":
                return answer(self._exchanged(app, given))
            case other:
                raise GraphError(
                    100,
                    f"Param grant_type {other!r} is not simulated: client_credentials, fb_exchange_token.",
                )

    def _app_token(self, app: App) -> Token:
        """Return the app's own opaque token, always the same one as long as it is valid."""
        for token in self._world.accounts.tokens.values():
            if token.kind == "APP" and token.app_id == app.id and token.subcode is None:
                return token
        value = f"{app.id}|{self._world.mint.opaque(20)}"
        return self._keep(Token(value, app.id, scopes=(), kind="APP", user_id=""))

    def _exchanged(self, app: App, given: dict[str, Any]) -> dict[str, Any]:
        """Refresh a token of the app; the old one stays valid until its own expiry."""
        old = known_token(self._world, str(required(given, "fb_exchange_token")))
        check_alive(old, self._world.clock.now())
        if old.app_id != app.id or old.kind == "APP":
            raise GraphError(100, "Param fb_exchange_token is no user's token of this app.")
        expiring = old.kind == "USER" or flag(given, _EXPIRING)
        fresh = self._issue(old, old.scopes, expiring=expiring)
        told: dict[str, Any] = {"access_token": fresh.value, "token_type": "bearer"}
        if expiring:
            told["expires_in"] = SIXTY_DAYS_S
        return told

    async def _create(self, call: Call) -> web.Response:
        """Create a token of a system user, for the app ``business_app``, proven by ``appsecret_proof``."""
        given = await call.given()
        app = self._world.accounts.apps.get(str(required(given, "business_app")))
        if app is None or app.id != call.app.id:
            raise GraphError(100, "Param business_app must be the app that the access token belongs to.")
        if call.token.user_id != call.node:
            raise GraphError(200, "The access token is not that of this system user.")
        proof = call.request.query.get("appsecret_proof") or (await body_of(call.request)).get(
            "appsecret_proof"
        )
        check_proof(proof, call.token, app)
        scopes = tuple(str(each) for each in listed(required(given, "scope"), "scope"))
        unknown = set(scopes) - {MANAGEMENT, MESSAGING, "business_management"}
        if unknown or not scopes:
            raise GraphError(
                100, f"Param scope: {', '.join(sorted(unknown)) or 'nothing'} cannot be granted."
            )
        beyond = [scope for scope in scopes if scope not in (*call.token.scopes, "business_management")]
        if beyond:
            raise GraphError(200, f"Permissions error: the access token lacks {', '.join(beyond)} itself.")
        fresh = self._issue(call.token, scopes, expiring=flag(given, _EXPIRING))
        return answer({"access_token": fresh.value})

    async def _revoke(self, call: Call) -> web.Response:
        """Invalidate ``revoke_token`` at once."""
        given = await call.given()
        app = self._app(given)
        token = self._world.accounts.tokens.get(str(required(given, "revoke_token")))
        if token is None or token.app_id != app.id:
            raise GraphError(100, "Param revoke_token is no token of this app.")
        token.subcode = REVOKED
        self._live.publish("accounts", dict)
        return success()

    async def _debug(self, call: Call) -> web.Response:
        """Tell what a token is; of one that is over, why."""
        value = str(required(call.query, "input_token"))
        token = find(self._world, value)
        if token is None:
            error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
            return answer({"data": {"error": error, "is_valid": False, "scopes": []}})
        if token.app_id != call.app.id:
            raise GraphError(100, "The App_id in the input_token did not match the Viewing App.")
        return answer({"data": self._described(token)})

    def _described(self, token: Token) -> dict[str, Any]:
        over = refusal(token, self._world.clock.now())
        told: dict[str, Any] = {
            "app_id": token.app_id,
            "type": token.kind,
            "application": self._world.accounts.apps[token.app_id].name,
            "is_valid": over is None,
        }
        if over is not None:
            subcode, words = over
            told["error"] = {"code": 190, "message": words, "subcode": subcode}
        if token.kind == "APP":
            return told | {"scopes": []}
        reach = {} if token.waba_ids is None else {"target_ids": list(token.waba_ids)}
        return told | {
            "issued_at": int(token.issued_at),
            "expires_at": int(token.expires_at or 0),
            "data_access_expires_at": 0,
            "scopes": list(token.scopes),
            "granular_scopes": [{"scope": scope, **reach} for scope in token.scopes],
            "user_id": token.user_id,
        }

    def _app(self, given: dict[str, Any]) -> App:
        """Return the app of ``client_id``; raise 101 for none, 1 for a wrong ``client_secret``."""
        app = self._world.accounts.apps.get(str(required(given, "client_id")))
        if app is None:
            raise GraphError(101, "Error validating application. Cannot get application info.")
        secret = str(required(given, "client_secret"))
        if not hmac.compare_digest(secret.encode(), app.secret.encode()):
            raise GraphError(1, "Error validating client secret.", http_status=400, transient=False)
        return app

    def _issue(self, like: Token, scopes: tuple[str, ...], *, expiring: bool) -> Token:
        now = self._world.clock.now()
        return self._keep(
            Token(
                f"EAA{self._world.mint.opaque(96)}",
                like.app_id,
                scopes,
                like.kind,
                like.waba_ids,
                issued_at=now,
                expires_at=now + SIXTY_DAYS_S if expiring else None,
                user_id=like.user_id,
            )
        )

    def _keep(self, token: Token) -> Token:
        self._world.accounts.tokens[token.value] = token
        self._live.publish("accounts", dict)
        return token
