"""Whatever a client sends to whatever there is, the answer is an answer: never a crash, always Graph's envelope."""

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.call import Route
from sayso.simulator.world.media import Upload, store

if TYPE_CHECKING:
    from simulator.conftest import Graph

CALLS = 400
NODES = {
    "number": "100000000000001",
    "waba": "200000000000001",
    "portfolio": "300000000000001",
    "user": "300000000000009",
    "app": "900000000000001",
    "upload": "upload:abc",
}
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, "", "x", "a" * 5_000, "whatsapp", "123456", "[]", "{}", "[1]"),
    *(
        '{"a":1}',
        [],
        {},
        [None],
        [{}],
        [[]],
        {"a": {}},
        "\x00",
        "é😀",
        "+15550001111",
        "messages",
        ["messages"],
    ),
    *("DAILY", "1794960000", "900000000000001", "sim-secret", "client_credentials", "2026-01-01", "TIER_2K"),
)
NAMES = [
    "about",
    "access",
    "block_users",
    "bsuid",
    "business_app",
    "callback_url",
    "calling",
    "client_id",
    "client_secret",
    "code",
    "code_method",
    "disable_marketing_messages_on_cloud_api",
    "end",
    "fb_exchange_token",
    "fields",
    "file_length",
    "file_type",
    "grant_type",
    "granularity",
    "hash",
    "id",
    "input_token",
    "is_enabled_for_insights",
    "language",
    "limit",
    "after",
    "before",
    "messaging_product",
    "mid",
    "metric_types",
    "name",
    "object",
    "override_callback_uri",
    "payload_encryption",
    "phone_number_id",
    "pin",
    "revoke_token",
    "scope",
    "start",
    "storage_configuration",
    "summary",
    "template_ids",
    "text",
    "to",
    "transfer_action",
    "type",
    "user",
    "user_id",
    "user_identity_change",
    "username",
    "verify_token",
    "vertical",
    "webhook_configuration",
    "websites",
    "whatsapp_business_profile",
]
FIELDS = (
    "analytics.start(1).end(2).granularity(DAY)",
    "pricing_analytics.start(1).end(99999999999999999999).granularity(MONTHLY)",
    "analytics.start(1).end(2).granularity(DAY).phone_numbers([[1]])",
    "id{a}",
    "health_status{entities{id}}",
    "name,name",
    "a.b(",
)


class Monkey:
    """Thinks of calls, always the same ones for a seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def route(self, routes: list[Route]) -> Route:
        """Choose a route."""
        return self._dice.choice(routes)

    def given(self, depth: int = 0) -> dict[str, Any]:
        """Think of parameters."""
        count = self._dice.randint(0, 5 if depth == 0 else 2)
        found = {self._dice.choice(NAMES): self._value(depth) for _ in range(count)}
        return found | ({"messaging_product": "whatsapp"} if self._dice.random() < 0.5 else {})

    def _value(self, depth: int) -> Any:
        value = self._dice.choice(VALUES)
        if isinstance(value, dict) and depth < 3:
            return self.given(depth + 1)
        return [self.given(depth + 1)] if isinstance(value, list) and depth < 3 else value

    def sent(self) -> dict[str, Any]:
        """Think of a way to send parameters: JSON, form, query, or bytes that are nothing."""
        given = self.given()
        flat = {name: each if isinstance(each, str) else json.dumps(each) for name, each in given.items()}
        fields = {"fields": self._dice.choice(FIELDS)} if self._dice.random() < 0.3 else {}
        kind = self._dice.choice(("json", "json", "form", "query", "bytes"))
        if kind == "json":
            return {"json": given, "params": fields}
        if kind == "form":
            return {"data": flat, "params": fields}
        return {"params": flat | fields} if kind == "query" else {"data": self._dice.randbytes(40)}

    def headers(self) -> dict[str, str]:
        """Think of headers: mostly a token that is right."""
        token = self._dice.choice(["sim-token"] * 6 + ["900000000000001|sim-secret", "wrong"])
        kinds = ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded")
        typed = {"Content-Type": self._dice.choice(kinds)} if self._dice.random() < 0.1 else {}
        offset = {"file_offset": self._dice.choice(("0", "5", "x"))}
        return {"Authorization": f"Bearer {token}", **typed, **offset}


def path_of(route: Route, sim: Simulator) -> str:
    """Tell a path that leads to a route, making what it needs."""
    world = sim.parts.world
    world.accounts.tokens["sim-token"].subcode = None  # a monkey may have revoked it
    nodes = {**NODES, "template": next(iter(world.templates), "0")}
    if route.kind == "media":
        nodes["media"] = store(world, world.number, "image/png", b"x").id
    if route.kind == "upload":
        world.uploads["upload:abc"] = Upload("upload:abc", "900000000000001", 10, "image/png")
    parts = [nodes.get(route.kind, ""), route.edge]
    return "/".join(["/v25.0", *(part for part in parts if part)])


@pytest.mark.parametrize("seed", range(5))
async def test_graph_answers_anything(graph: "Graph", sim: Simulator, seed: int) -> None:
    monkey, routes = Monkey(seed), sim.parts.routes()
    for _ in range(CALLS):
        route, sent, headers = monkey.route(routes), monkey.sent(), monkey.headers()
        url = graph.base_url + path_of(route, sim)
        async with graph.session.request(route.method, url, headers=headers, **sent) as answer:
            raw = await answer.read()
            if answer.status != 200:
                error = json.loads(raw)["error"]
                assert {"message", "type", "code", "fbtrace_id"} <= set(error), (route, sent)


PATHS = (
    *("portfolios", "wabas", "numbers", "apps", "tokens", "usernames"),
    *("portfolios/300000000000001", "wabas/200000000000001", "numbers/100000000000001"),
    *("apps/900000000000001", "tokens/sim-token"),
)
KEYS = [
    "tier",
    "verified",
    "name",
    "restriction",
    "account_review_status",
    "apps",
    "phone",
    "waba_id",
    "portfolio_id",
    "app_id",
    "allowed",
    "override",
    "pin",
    "quality_rating",
    "scopes",
    "waba_ids",
    "expires_in_s",
    "subcode",
    "value",
    "field",
    "callback_url",
    "fields",
    "username",
    "by",
    "secret",
    "id",
]


@pytest.mark.parametrize("seed", range(3))
async def test_the_control_api_answers_anything(graph: "Graph", seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(CALLS):
        body = {dice.choice(KEYS): dice.choice(VALUES) for _ in range(dice.randint(0, 4))}
        status, answer = await graph.control("POST", f"/{dice.choice(PATHS)}", body)
        assert status in (200, 400, 404), (body, answer)
        assert status == 200 or isinstance(answer["error"], str)
