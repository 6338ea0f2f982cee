"""Apps and their webhook subscription: ``/{app-id}``, ``/{app-id}/subscriptions`` (cloud-api.md 4.1)."""

from typing import Any

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, listed, required, success
from sayso.simulator.errors import GraphError
from sayso.simulator.graph.selection import plain_readers, select
from sayso.simulator.graph.tokens import check_app_token
from sayso.simulator.graph.verification import Verification
from sayso.simulator.live import Live
from sayso.simulator.world.accounts import FIELDS, QUIET_FIELDS, Subscription
from sayso.simulator.world.world import World

OBJECT = "whatsapp_business_account"


class AppCalls:
    """The node of an app and what it is subscribed to."""

    def __init__(self, world: World, verification: Verification, live: Live) -> None:
        self._world = world
        self._verification = verification
        self._live = live

    def routes(self) -> list[Route]:
        """List what is answered here."""
        edge = "subscriptions"
        return [
            Route("GET", "app", "", "app", None, self._describe),
            Route("GET", "app", edge, edge, None, self._list),
            Route("POST", "app", edge, edge, None, self._subscribe),
            Route("DELETE", "app", edge, edge, None, self._unsubscribe),
        ]

    async def _describe(self, call: Call) -> web.Response:
        app = self._world.accounts.apps[call.node]
        told = {"id": app.id, "name": app.name, "link": f"https://www.facebook.com/games/?app_id={app.id}"}
        readers = plain_readers(told)
        return answer(select("Application", readers, call.query.get("fields"), "link,name,id"))

    async def _list(self, call: Call) -> web.Response:
        check_app_token(call.token, call.node)
        subscription = call.app.subscription
        version = self._world.config.webhook_version
        return answer({"data": [] if subscription is None else [_described(subscription, version)]})

    async def _subscribe(self, call: Call) -> web.Response:
        """Subscribe with the app's token, once the callback has answered the challenge (2200 when it does not)."""
        check_app_token(call.token, call.node)
        given = await call.given()
        if required(given, "object") != OBJECT:
            raise GraphError(100, f"Param object must be {OBJECT}: no other is simulated.")
        url, token = str(required(given, "callback_url")), str(required(given, "verify_token"))
        fields = _fields(required(given, "fields"))
        await self._verification.check(url, token)
        call.app.subscription = Subscription(url, token, fields, verification="verified")
        self._live.publish("accounts", dict)
        return success()

    async def _unsubscribe(self, call: Call) -> web.Response:
        """Take fields away, or without ``fields`` the whole subscription."""
        check_app_token(call.token, call.node)
        given, subscription = await call.given(), call.app.subscription
        if given.get("object", OBJECT) != OBJECT:
            raise GraphError(100, f"Param object must be {OBJECT}: no other is simulated.")
        if subscription is not None:
            gone = _fields(given["fields"]) if given.get("fields") else set(subscription.fields)
            subscription.fields -= gone
            if not subscription.fields:
                call.app.subscription = None
        self._live.publish("accounts", dict)
        return success()


def _fields(given: Any) -> set[str]:
    fields = {str(each) for each in listed(given, "fields")}
    unknown = fields - FIELDS - QUIET_FIELDS
    if unknown or not fields:
        raise GraphError(
            100, f"Param fields: {', '.join(sorted(unknown)) or 'none'} is no field of {OBJECT}."
        )
    return fields


def _described(subscription: Subscription, version: str) -> dict[str, Any]:
    return {
        "object": OBJECT,
        "callback_url": subscription.callback_url,
        "active": True,
        "fields": [{"name": name, "version": version} for name in sorted(subscription.fields)],
    }
