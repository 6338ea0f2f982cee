"""Accounts over the control API: everything listed, opened and changed (docs/simulator-control.md)."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sayso.simulator.accounts.shapes import HeldUsername
from sayso.simulator.accounts.views import app_told, number_told, portfolio_told, token_told, waba_told
from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import ControlRoute, known_query, read


class AccountCalls:
    """Portfolios, WABAs, numbers, apps and tokens."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._world = simulator.world
        self._changes = simulator.accounts

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [
            ControlRoute("GET", "/_sim/accounts", self._list),
            ControlRoute("POST", "/_sim/portfolios", self._add_portfolio),
            ControlRoute("POST", "/_sim/portfolios/{id}", self._change_portfolio),
            ControlRoute("POST", "/_sim/wabas", self._add_waba),
            ControlRoute("POST", "/_sim/wabas/{id}", self._change_waba),
            ControlRoute("POST", "/_sim/numbers", self._add_number),
            ControlRoute("POST", "/_sim/numbers/{id}", self._change_number),
            ControlRoute("POST", "/_sim/apps", self._add_app),
            ControlRoute("POST", "/_sim/apps/{id}", self._change_app),
            ControlRoute("POST", "/_sim/tokens", self._add_token),
            ControlRoute("POST", "/_sim/tokens/{id}", self._change_token),
            ControlRoute("POST", "/_sim/usernames", self._hold_username),
        ]

    async def _list(self, request: web.Request) -> dict[str, Any]:
        """List every portfolio, WABA, number, app and token, with their secrets."""
        known_query(request)
        return self._changes.listed()

    async def _add_portfolio(self, request: web.Request) -> dict[str, Any]:
        """Open a portfolio: {"name"?, "tier"?, "verified"?, "id"?}."""
        return portfolio_told(self._changes.add_portfolio(**await _said(request)))

    async def _change_portfolio(self, request: web.Request) -> dict[str, Any]:
        """Change a portfolio: {"tier": "TIER_2K"}, {"verified": false}, {"name": …}."""
        return portfolio_told(await _changed(request, self._changes.change_portfolio))

    async def _add_waba(self, request: web.Request) -> dict[str, Any]:
        """Open a WABA: {"portfolio_id"?, "name"?, "apps": [ids of those that hear of it]?, "id"?}."""
        return waba_told(self._changes.add_waba(**await _said(request)))

    async def _change_waba(self, request: web.Request) -> dict[str, Any]:
        """Change a WABA: {"restriction": {"code": 131031}}, {"account_review_status": "REJECTED"}, …."""
        return waba_told(await _changed(request, self._changes.change_waba))

    async def _add_number(self, request: web.Request) -> dict[str, Any]:
        """Open a number: {"phone": "+15550100001", "waba_id"?, "verified_name"?, "id"?, …}."""
        return number_told(self._changes.add_number(**await _said(request)), self._world)

    async def _change_number(self, request: web.Request) -> dict[str, Any]:
        """Change a number: {"quality_rating": "RED"}, {"registered": false}, {"allowed": ["+1…"]}, …."""
        return number_told(await _changed(request, self._changes.change_number), self._world)

    async def _add_app(self, request: web.Request) -> dict[str, Any]:
        """Open an app: {"name"?, "secret"?, "callback_url"?, "verify_token"?, "fields"?, "id"?}."""
        return app_told(self._changes.add_app(**await _said(request)))

    async def _change_app(self, request: web.Request) -> dict[str, Any]:
        """Change an app: {"require_proof": true}, {"callback_url": …}, {"fields": […]}, …."""
        return app_told(await _changed(request, self._changes.change_app))

    async def _add_token(self, request: web.Request) -> dict[str, Any]:
        """Issue a token: {"app_id"?, "scopes"?, "waba_ids"?, "expires_in_s"?, "value"?, …}."""
        return token_told(self._changes.add_token(**await _said(request)), self._world.clock.now())

    async def _change_token(self, request: web.Request) -> dict[str, Any]:
        """Change a token: {"expires_in_s": 0}, {"subcode": 460}, {"scopes": […]}."""
        return token_told(await _changed(request, self._changes.change_token), self._world.clock.now())

    async def _hold_username(self, request: web.Request) -> dict[str, Any]:
        """Let a username be taken: {"username": "acme", "by": "somebody" | "facebook" | "instagram" | null}."""
        wanted = await read(request, HeldUsername)
        self._changes.hold_username(wanted.username, wanted.by)
        return {"username": wanted.username, "by": wanted.by}


async def _said(request: web.Request) -> dict[str, Any]:
    found: dict[str, Any] = await read(request, dict[str, Any])
    return found


async def _changed(request: web.Request, change: Callable[..., Any]) -> Any:
    return change(request.match_info["id"], **await _said(request))
