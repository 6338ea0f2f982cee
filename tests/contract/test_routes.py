"""Who may call what: every route against every kind of caller."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from harness.contract import (
    ALICE,
    ALL,
    ASKED,
    CALLS,
    EVERYTHING,
    OPEN,
    Contract,
    assert_problem,
    bearer,
    health_routes,
    scoped_routes,
    scopes_of,
)
from harness.service import TOKENS
from sayso.core.runtime import wall_clock
from sayso.core.tokens import SCOPES

ROUTES = {(method, route.path): route for route in scoped_routes() for method in route.methods or ()}


def name(key: tuple[str, str]) -> str:
    return " ".join(key)


def test_every_route_asks_for_exactly_one_scope() -> None:
    asked = {name(key): scopes_of(route) for key, route in ROUTES.items()}
    assert {key: scopes for key, scopes in asked.items() if len(scopes) != 1} == {}
    assert {scope for (scope,) in asked.values()} <= set(SCOPES)


def test_every_route_is_known_to_these_tests_and_every_open_one_is_open_on_purpose(api: Contract) -> None:
    described = set(api.app.openapi()["paths"])
    scoped = {"/api/v1/whatsapp" + path for _, path in ROUTES}
    assert described == scoped | set(health_routes())
    plain = {getattr(route, "path", None) for route in api.app.routes if not isinstance(route, APIRoute)} - {
        None
    }
    assert plain | set(health_routes()) == OPEN
    assert set(CALLS) == set(ROUTES)


async def send(api: Contract, key: tuple[str, str], **options: Any) -> httpx2.Response:
    path, body = CALLS[key]
    return await api.call(key[0], path, json=body, **options)


async def test_the_call_of_these_tests_is_a_valid_one(api: Contract) -> None:
    for key in CALLS:
        answer = await send(api, key)
        assert answer.status_code in (200, 201, 202), answer.text
        told = answer.headers["content-type"].partition(";")[0]
        assert told == ("text/event-stream" if key[1] == "/events/stream" else "application/json")
        assert answer.headers["cache-control"] == "no-store"


async def test_without_a_valid_token_nobody_gets_in(api: Contract) -> None:
    for key in CALLS:
        hour = timedelta(hours=1)
        old = TOKENS.issue(
            user="alice", client="bot", scopes=ALL, ttl=hour, now=wall_clock() - 3 * hour, token_id="j"
        )
        for token in (
            "",
            "Bearer",
            "Bearer ",
            "Bearer x.y.z",
            f"Basic {bearer()[7:]}",
            f"Bearer {old}",
            bearer()[:-3],
        ):
            answer = await send(api, key, token=token)
            body = assert_problem(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "errors" not in body


async def test_every_scope_but_the_routes_own_is_not_enough(api: Contract) -> None:
    for key in CALLS:
        (scope,) = scopes_of(ROUTES[key])
        others = tuple(each for each in EVERYTHING if each != scope)
        body = assert_problem(await send(api, key, token=bearer(scopes=others)), 403, "forbidden")
        assert scope in body["detail"]
        alone = await send(api, key, token=bearer(scopes=(scope,)))
        assert alone.status_code in (200, 201, 202)
        admin = await send(api, key, token=bearer(scopes=("admin",)))
        assert admin.status_code in (200, 201, 202)


@pytest.mark.parametrize(
    "key", [key for key in CALLS if key[0] == "GET" and key[1].endswith("_id}")], ids=name
)
async def test_another_assistants_object_is_not_there_and_looks_like_one_that_never_was(
    api: Contract, key: tuple[str, str]
) -> None:
    path = CALLS[key][0]
    ids = {"message": "msg_", "confirmation": "cnf_", "endpoint": "ep_", "delivery": "dlv_"}
    never = {"alice": "alice", **{name: prefix + "0" * 26 for name, prefix in ids.items()}}
    foreign = await api.call("GET", path, token=bearer("other", scopes=EVERYTHING))
    body = assert_problem(foreign, 404, "not_found")
    if "alice" in path:
        return  # each assistant has its own alice: this one never was
    mine, theirs = (path.format(**ids) for ids in (api.made, never))
    random = await api.call("GET", theirs)
    like = assert_problem(random, 404, "not_found")
    taken_out = [
        {k: str(v).replace(p.rpartition("/")[2], "…") for k, v in b.items()}
        for b, p in ((body, mine), (like, theirs))
    ]
    assert taken_out[0] == taken_out[1]
    assert (await api.call("GET", path, token=bearer("third", scopes=("admin",)))).status_code == 200


async def test_no_route_answers_for_a_person_whatever_the_token(api: Contract) -> None:
    routes = [key for key in CALLS if key[0] != "GET" and "{confirmation_id}" in key[1]]
    for method, path in sorted(routes, key=lambda key: "withdraw" in key[1]):
        for name in ("confirmation", "frozen"):
            there = path.replace("confirmation_id", name)
            await api.call(method, there, json=CALLS[method, path][1], token=bearer(scopes=ALL))
            stands = (await api.call("GET", f"/confirmations/{{{name}}}")).json()
            assert stands["outcome"] in (None, "withdrawn"), path
            assert not any(each["verdict"] for each in stands["approvers"]), path


async def test_lists_and_the_feed_show_ones_own_alone(api: Contract) -> None:
    other = bearer("other", scopes=EVERYTHING)
    asked = await api.call("POST", "/confirmation", token=other, json={**ASKED, "recipient": ALICE})
    theirs = asked.json()["id"]
    ours = {api.made[name] for name in ("confirmation", "decided", "withdrawn", "frozen")}
    for token, expected in ((None, ours), (other, {theirs})):
        listed = (await api.call("GET", "/confirmations", token=token)).json()["confirmations"]
        assert {each["id"] for each in listed} == expected
        events = (await api.call("GET", "/events", token=token)).json()["events"]
        assert {event["subject"] for event in events} == expected
        messages = (await api.call("GET", "/messages", token=token)).json()["messages"]
        assert {each["confirmation_id"] for each in messages} <= expected | {None}
        assert messages


async def test_an_assistant_cannot_ask_for_its_users_number_at_anothers(api: Contract) -> None:
    other = bearer("other", scopes=EVERYTHING)
    assert_problem(await api.call("POST", "/send", token=other, json={"content": "x"}), 422, "person_unknown")


async def test_what_is_open_answers_without_a_token_and_tells_nothing_of_anybody(api: Contract) -> None:
    await api.call("POST", "/confirmation", json={**ASKED, "action_details": "tomorrow at 4 PM"})
    for path in OPEN:
        answer = await api.call("GET", path, token="", prefix="")
        assert answer.status_code == (503 if path == "/readyz" else 200)  # nobody works behind these tests
        for private in (api.made["message"], api.made["confirmation"], "tomorrow at 4 PM"):
            assert private not in answer.text
