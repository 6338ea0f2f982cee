"""WhatsApp business accounts and portfolios: what they are, and which apps hear of them (cloud-api.md 4.1, 8.2)."""

from typing import Any

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, flag, success
from sayso.simulator.errors import GraphError
from sayso.simulator.graph.analytics import Analytics
from sayso.simulator.graph.health import health_of_waba
from sayso.simulator.graph.numbers import described
from sayso.simulator.graph.paging import paged
from sayso.simulator.graph.selection import ABSENT, Field, Reader, plain_readers, select
from sayso.simulator.graph.verification import Verification
from sayso.simulator.live import Live
from sayso.simulator.world.accounts import MANAGEMENT, App, Override, Portfolio, Waba
from sayso.simulator.world.world import World

TYPE = "WhatsAppBusinessAccount"
PORTFOLIO_TYPE = "Business"
DEFAULT = "id,name,timezone_id,message_template_namespace"
_BLOCKED_BY = (368, 131031)  # restrictions that take the account itself away


class WabaCalls:
    """The node of a WABA with its subscriptions, and that of a portfolio."""

    def __init__(self, world: World, analytics: Analytics, verification: Verification, live: Live) -> None:
        self._world = world
        self._analytics = analytics
        self._verification = verification
        self._live = live

    def routes(self) -> list[Route]:
        """List what is answered here."""
        edge = "subscribed_apps"
        return [
            Route("GET", "waba", "", "waba", MANAGEMENT, self._describe),
            Route("POST", "waba", "", "waba", MANAGEMENT, self._change),
            Route("GET", "waba", edge, edge, MANAGEMENT, self._subscribers),
            Route("POST", "waba", edge, edge, MANAGEMENT, self._subscribe),
            Route("DELETE", "waba", edge, edge, MANAGEMENT, self._unsubscribe),
            Route("GET", "portfolio", "", "portfolio", MANAGEMENT, self._portfolio),
            Route(
                "GET",
                "portfolio",
                "owned_whatsapp_business_accounts",
                "portfolio",
                MANAGEMENT,
                self._owned,
            ),
        ]

    async def _describe(self, call: Call) -> web.Response:
        waba = self._waba(call)
        return answer(select(TYPE, self._readers(waba, call.app), call.query.get("fields"), DEFAULT))

    async def _change(self, call: Call) -> web.Response:
        """Switch template insights on, for good (8.6), or marketing templates off on the normal endpoint (2.6)."""
        given, waba = await call.given(), self._waba(call)
        insights, marketing = "is_enabled_for_insights", "disable_marketing_messages_on_cloud_api"
        unknown = given.keys() - {insights, marketing}
        if unknown or not given:
            raise GraphError(100, f"A WABA takes the params {insights} and {marketing} here; no others.")
        disabled = flag(given, marketing, default=waba.marketing_disabled)
        if insights in given:
            if not flag(given, insights):
                raise GraphError(200006, "Template insights cannot be switched off again.")
            waba.insights = True
        waba.marketing_disabled = disabled
        self._live.publish("accounts", dict)
        return success()

    async def _subscribers(self, call: Call) -> web.Response:
        return answer({"data": self._subscribed(self._waba(call))})

    async def _subscribe(self, call: Call) -> web.Response:
        """Let the calling app hear of the WABA, at an override of its callback or, without one, its own (4.1)."""
        given, waba = await call.given(), self._waba(call)
        waba.subscribed[call.app.id] = await self._verification.override(given)
        self._live.publish("accounts", dict)
        return success()

    async def _unsubscribe(self, call: Call) -> web.Response:
        self._waba(call).subscribed.pop(call.app.id, None)
        self._live.publish("accounts", dict)
        return success()

    async def _portfolio(self, call: Call) -> web.Response:
        portfolio = self._world.accounts.portfolios[call.node]
        self._check_reach(call, portfolio)
        told = {
            "id": portfolio.id,
            "name": portfolio.name,
            "verification_status": _verification(portfolio),
            "whatsapp_business_manager_messaging_limit": portfolio.tier,
        }
        readers = plain_readers(told)
        return answer(select(PORTFOLIO_TYPE, readers, call.query.get("fields"), "id,name"))

    async def _owned(self, call: Call) -> web.Response:
        """List the portfolio's WABAs that the token reaches."""
        reach, fields = call.token.waba_ids, call.query.get("fields")
        accounts = self._world.accounts
        wabas = [each for each in accounts.wabas_of(call.node) if reach is None or each.id in reach]
        places = {each: place for place, each in enumerate(accounts.wabas)}
        return answer(
            paged(
                call,
                wabas,
                lambda each: select(TYPE, self._readers(each, call.app), fields, DEFAULT),
                rank=lambda each: places[each.id],
            )
        )

    def _check_reach(self, call: Call, portfolio: Portfolio) -> None:
        reach = call.token.waba_ids
        if reach is not None and not any(
            waba.id in reach for waba in self._world.accounts.wabas_of(portfolio.id)
        ):
            raise GraphError(200, f"The access token does not reach the portfolio {portfolio.id}.")

    def _readers(self, waba: Waba, app: App) -> dict[str, Reader]:
        portfolio = self._world.accounts.portfolios[waba.portfolio_id]
        blocked = waba.restriction is not None and waba.restriction.code in _BLOCKED_BY
        owner = {"name": portfolio.name, "id": portfolio.id}
        plain = {
            "id": waba.id,
            "account_review_status": waba.account_review_status,
            "business_verification_status": waba.business_verification_status,
            "country": waba.country,
            "currency": waba.currency,
            "disable_marketing_messages_on_cloud_api": waba.marketing_disabled,
            "is_enabled_for_insights": waba.insights,
            "marketing_messages_lite_api_status": ABSENT,
            "marketing_messages_onboarding_status": ABSENT,
            "message_template_namespace": waba.message_template_namespace,
            "name": waba.name,
            "on_behalf_of_business_info": {**owner, "status": "APPROVED", "type": "SELF"},
            "owner_business_info": owner,
            "ownership_type": waba.ownership_type,
            "status": "DISABLED" if blocked else "ACTIVE",
            "timezone_id": waba.timezone_id,
        }
        readers = plain_readers(plain)
        readers["health_status"] = lambda _: health_of_waba(self._world, waba, app)
        readers["phone_numbers"] = lambda field: self._numbers(waba, app, field)
        readers["subscribed_apps"] = lambda _: {"data": self._subscribed(waba)}
        return readers | self._analytics.readers(waba)

    def _numbers(self, waba: Waba, app: App, field: Field) -> dict[str, Any]:
        """List the numbers as a field of the WABA, with the fields asked for inside it."""
        numbers = self._world.accounts.numbers_of(waba.id)
        return {"data": [described(self._world, each, app, field.inner) for each in numbers]}

    def _subscribed(self, waba: Waba) -> list[dict[str, Any]]:
        apps = self._world.accounts.apps
        return [
            _subscriber(apps[app_id], override)
            for app_id, override in waba.subscribed.items()
            if app_id in apps
        ]

    def _waba(self, call: Call) -> Waba:
        return self._world.accounts.wabas[call.node]


def _verification(portfolio: Portfolio) -> str:
    return "verified" if portfolio.verified else "not_verified"


def _subscriber(app: App, override: Override | None) -> dict[str, Any]:
    link = f"https://www.facebook.com/games/?app_id={app.id}"
    told: dict[str, Any] = {"whatsapp_business_api_data": {"link": link, "name": app.name, "id": app.id}}
    if override is not None:
        told["override_callback_uri"] = override.callback_url
    return told
