"""Every error has one shape and a stable code, and the description of the API says so."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from harness.contract import ALICE, ASKED, CALLS, Contract, assert_problem, scoped_routes, scopes_of
from sayso.consent import service as consent
from sayso.consent.service import Said
from sayso.core.api import PREFIX
from sayso.core.described import codes
from sayso.core.faults import pointer
from sayso.people import service as people

WITH_BODY = [key for key, (_, body) in CALLS.items() if body is not None]

JSON = {"content-type": "application/json"}


async def test_a_field_nobody_knows_is_refused_by_its_name(api: Contract) -> None:
    names = {"recipent": "/recipent", "a/b~c": "/a~1b~0c", "\ud800": ""}
    for key, unknown in itertools.product(WITH_BODY, names):
        path, body = CALLS[key]
        answer = await api.call(key[0], path, content=ascii_json({**body, unknown: 1}), headers=JSON)
        told = assert_problem(answer, 422, "input_invalid")
        (fault,) = told["errors"]
        assert fault["pointer"] in {names[unknown], pointer([unknown])}, (key, told)


def ascii_json(value: Any) -> bytes:
    import json  # noqa: PLC0415 - the one of Python escapes what UTF-8 cannot hold

    return json.dumps(value).encode()


async def test_a_name_or_a_comma_that_is_mistyped_is_shown_where_it_is(api: Contract) -> None:
    for key in WITH_BODY:
        path, body = CALLS[key]
        name = next(iter(body))
        mistyped = await api.call(key[0], path, json={**body, f"{name}x": 1})
        told = assert_problem(mistyped, 422, "input_invalid")
        assert f" you mean {name}?" in told["detail"], (key, told)
        assert told["errors"][0]["pointer"] == f"/{name}x"
        spoilt = await api.call(key[0], path, content=b'{"a": 1,\n "b" 2}', headers=JSON)
        told = assert_problem(spoilt, 422, "input_invalid")
        assert re.search("line 2,? column 6", told["detail"]), (key, told)


async def test_a_value_that_is_mistyped_is_told_the_nearest(api: Contract) -> None:
    wrong: list[tuple[str, dict[str, Any], str, str]] = [
        ("/send", {"content": "x", "category": "notification"}, "/category", "notifications"),
        ("/send", {"message_type": "buton"}, "/message_type", "buttons"),
        ("/send", {"message_type": "text", "text": {"bdy": "x"}}, "/text/bdy", "body"),
        ("/confirmation", {**ASKED, "tier": "hihg"}, "/tier", "high"),
        (
            "/endpoints",
            {"url": "http://127.0.0.1/x", "types": ["confirmation.decide"]},
            "/types",
            "confirmation.decided",
        ),
        ("/endpoints", {"url": "http://127.0.0.1/x", "types": ["messages.*"]}, "/types", "message.*"),
        ("/confirmation", {**ASKED, "labels": {"confrim": "Pay"}}, "/labels/confrim", "confirm"),
        (
            "/confirmation",
            {**ASKED, "escalation": [{"after": "10m", "to": "c", "wen": "unread"}]},
            "/escalation/0/wen",
            "when",
        ),
    ]
    for path, body, at, meant in wrong:
        (fault,) = assert_problem(await api.call("POST", path, json=body), 422, "input_invalid")["errors"]
        assert fault["pointer"] == at
        assert fault["detail"].endswith(f"; do you mean {meant}?"), fault


async def test_a_field_that_is_like_none_is_told_those_there_are(api: Contract) -> None:
    body = {"message_type": "location", "location": {"where": "here"}}
    (fault,) = assert_problem(await api.call("POST", "/send", json=body), 422, "input_invalid")["errors"]
    assert fault["detail"].endswith("; it takes latitude, longitude, name, address")


async def test_who_is_named_as_a_recipient_is_told_how_a_user_is_meant_by_name(api: Contract) -> None:
    for path, body in (("/send", {"content": "x"}), ("/confirmation", ASKED)):
        for recipient, told in (("bob", True), ("555 000 1111", False)):
            answer = await api.call("POST", path, json={**body, "recipient": recipient})
            (fault,) = assert_problem(answer, 422, "input_invalid")["errors"]
            assert fault["pointer"] == "/recipient"
            assert ("`approvers`" in fault["detail"]) is told


NO_OBJECT = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"7",
    b'"x"',
    b"\xff\xfe",
    b"[" * 50_000,
    b"9" * 5_000,
    b'{"a":NaN}',
    b"{}",
]


async def test_a_body_that_is_no_such_object_is_the_callers_mistake(api: Contract) -> None:
    for key, content in itertools.product(WITH_BODY, NO_OBJECT):
        answer = await api.call(key[0], CALLS[key][0], content=content, headers=JSON)
        assert answer.status_code in (400, 422), (key, content[:20])
        assert_problem(answer, answer.status_code, answer.json()["code"])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"action_type": ""}, "/action_type"),
    ({"action_type": "x" * 65}, "/action_type"),
    ({"action_description": 7}, "/action_description"),
    ({"action_description": "a\x00b"}, "/action_description"),
    ({"timeout_minutes": 0}, "/timeout_minutes"),
    ({"timeout_minutes": "soon"}, "/timeout_minutes"),
    ({"timeout_minutes": 1e300}, "/timeout_minutes"),
    ({"recipient": "555"}, "/recipient"),
    ({"recipient": "x" * 161}, "/recipient"),
    ({"action_description": "x" * 301}, "/action_description"),
    ({"action_details": "\u200b"}, "/action_details"),
    ({"action_details": ""}, "/action_details"),
    ({"kind": "choose"}, "/options"),
    ({"kind": "ask", "labels": {"confirm": "Pay"}}, "/labels"),
]


async def test_what_is_wrong_is_pointed_at(api: Contract) -> None:
    for body, at in WRONG:
        await points_at(api, body, at)


async def points_at(api: Contract, body: dict[str, Any], at: str) -> None:
    answer = await api.call("POST", "/confirmation", json={**ASKED, **body})
    code = "content_too_long" if body.get("action_description") == "x" * 301 else "input_invalid"
    told = assert_problem(answer, 422, code)
    assert [fault["pointer"] for fault in told["errors"]] == [at]
    assert told["detail"].startswith(at[1:] + ": ")


OUT_OF_BOUNDS = [
    "/messages?state=%00", "/messages?before=%00", "/messages?limit=0", "/messages?limit=201", "/messages?limit=x",
    "/messages/%00", "/messages/" + "x" * 41, "/confirmations?before=%00", "/confirmations?status=open",
    "/confirmations/%00", "/confirmations/{confirmation}?wait=61", "/confirmations/{confirmation}?wait=-1",
    "/confirmations/{confirmation}?wait=nan", "/people/%00", "/people/" + "x" * 201, "/events?after=x",
    "/events?after=99999999999999999999.evt_" + "0" * 26, "/events?limit=501", "/updates?kind=%00",
    "/updates?before=9223372036854775808", "/updates?before=" + "9" * 400, "/updates?state=lost",
    "/updates?limit=99999999999999999999",
]  # fmt: skip


async def test_parameters_out_of_bounds_are_refused(api: Contract) -> None:
    for path in OUT_OF_BOUNDS:
        told = assert_problem(await api.call("GET", path), 422, "input_invalid")
        assert len(told["errors"]) == 1, path


def taken(api: Contract, described: dict[str, Any], key: tuple[str, str]) -> list[str]:
    """The parameters a route's description names."""
    operation = described["paths"][PREFIX + key[1]][key[0].lower()]
    return [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]


async def test_no_route_ignores_a_parameter_and_each_names_the_nearest_it_knows(api: Contract) -> None:
    described = api.app.openapi()
    for key, (path, body) in CALLS.items():
        names = taken(api, described, key)
        typed = f"{names[0]}s" if names else "odd"
        address = f"{path}{'&' if '?' in path else '?'}{typed}=1"
        told = assert_problem(await api.call(key[0], address, json=body), 422, "input_invalid")
        (fault,) = told["errors"]
        assert fault["pointer"] == f"/{typed}", key
        assert (f"do you mean {names[0]}?" if names else "it takes none") in fault["detail"], (key, fault)
        assert all(name in fault["detail"] for name in names)
        nobody = await api.call(key[0], address, json=body, token="")
        assert_problem(nobody, 401, "unauthenticated")


async def test_a_typing_error_in_an_address_changes_nothing(api: Contract) -> None:
    told = await api.call("DELETE", "/people/alice?client=other")
    assert "do you mean client_id?" in assert_problem(told, 422, "input_invalid")["detail"]
    assert (await api.call("GET", "/people/alice")).status_code == 200


async def test_the_other_ways_to_be_refused(api: Contract) -> None:
    assert_problem(await api.call("GET", "/nowhere"), 404, "not_found")
    answer = await api.call("DELETE", "/send")
    assert "POST only" in assert_problem(answer, 405, "method_not_allowed")["detail"]
    assert answer.headers["allow"] == "POST"
    unreadable = await api.call("POST", "/send", content=b"\xff", headers=JSON)
    assert "JSON in UTF-8" in assert_problem(unreadable, 400, "request_unreadable")["detail"]
    key = {"idempotency-key": "k"}
    assert (await api.call("POST", "/send", json={"content": "a"}, headers=key)).status_code == 202
    told = await api.call("POST", "/send", json={"content": "b"}, headers=key)
    assert_problem(told, 422, "idempotency_mismatch")
    assert_problem(
        await api.call("POST", "/send", json={"content": "b"}, headers={"idempotency-key": "a b"}),
        422,
        "input_invalid",
    )
    large = await api.call("POST", "/send", json={"content": "x" * 2_000_000})
    assert_problem(large, 413, "body_too_large")
    assert_problem(await api.call("POST", "/send", json={"content": "x" * 4_097}), 422, "content_too_long")


async def test_who_left_is_not_written_to(api: Contract) -> None:
    async with api.rt.db.tx() as tx:
        alice = await people.by_phone(tx, api.rt, ALICE, learned_from="test")
        said = Said(person=alice, action="withdrawn", method="keyword", captured_at=api.rt.now())
        await consent.append(tx, api.rt, [said])
    assert_problem(
        await api.call("POST", "/send", json={"recipient": ALICE, "content": "x"}), 403, "opted_out"
    )
    assert_problem(await api.call("POST", "/confirmation", json=ASKED), 403, "opted_out")


async def test_a_failure_of_ours_tells_nothing_and_says_what_to_do(
    api: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(*_args: object) -> None:
        raise RuntimeError("postgresql://user:secret@host")

    monkeypatch.setattr(type(api.rt.db), "one", planted)
    told = assert_problem(await api.call("GET", "/messages"), 500, "internal")
    assert "secret" not in str(told)

    def away(*_args: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(type(api.rt.db), "one", away)
    answer = await api.call("GET", "/messages")
    assert assert_problem(answer, 503, "database_unavailable")["retryable"]
    assert answer.headers["retry-after"] == "1"


def references(value: Any) -> Iterator[str]:
    """Every ``$ref`` in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


async def test_the_description_of_the_api_is_whole(api: Contract) -> None:
    answer = await api.call("GET", "/openapi.json", token="", prefix="")
    described = answer.json()
    assert re.fullmatch(r"3\.1\.\d", described["openapi"])
    assert described["info"]["title"] == "Sayso"
    for reference in references(described):
        found = described
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    operations = [
        (method.upper(), path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    assert {(method, path.removeprefix(PREFIX)) for method, path, _ in operations} >= set(CALLS)
    for method, path, operation in operations:
        assert operation["summary"], (method, path)
        names = set(re.findall(r"{(\w+)}", path))
        assert names == {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}


async def test_every_parameter_and_header_is_described(api: Contract) -> None:
    described = api.app.openapi()
    parameters = [
        (path, method, each)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        for each in operation.get("parameters", [])
    ]
    assert [
        (path, method, each["name"]) for path, method, each in parameters if not each.get("description")
    ] == []
    headers = {each["name"] for *_, each in parameters if each["in"] == "header"}
    assert headers == {"Idempotency-Key", "Last-Event-ID"}


async def test_every_error_is_described_as_the_problem_it_is(api: Contract) -> None:
    described = (await api.call("GET", "/openapi.json", token="", prefix="")).json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if not status.startswith("2"):
                    assert set(response["content"]) == {"application/problem+json"}, (method, path, status)
            if path.startswith(PREFIX):
                schema = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
                assert {"type", "title", "status", "detail", "code", "retryable"} <= set(schema["required"])


async def test_what_is_answered_is_what_is_described(api: Contract) -> None:
    """Of every route that describes its answer: no member too many, none missing, each of its type."""
    routes = {(method, route.path): route for route in scoped_routes() for method in route.methods or ()}
    for key, (path, body) in CALLS.items():
        model = routes[key].response_model
        assert model is not None or key not in DESCRIBED, key
        if model is not None:
            answer = await api.call(key[0], path, json=body)
            assert answer.is_success, (key, answer.text)
            model.model_validate_json(answer.content, extra="forbid")


async def test_a_confirmation_shows_what_came_of_its_action(api: Contract) -> None:
    path = "/confirmations/{decided}"
    pending = (await api.call("GET", "/confirmations/{confirmation}")).json()
    assert (pending["use_by"], pending["execution"]) == (None, None)
    claimed = (await api.call("GET", path)).json()
    assert claimed["use_by"] > claimed["decided_at"]
    held = claimed["execution"]
    assert (held["status"], held["reported_at"], held["note"]) == ("claimed", None, None)
    told = await api.call("POST", f"{path}/execution", json={"status": "done", "note": "sent"})
    assert told.is_success, told.text
    done = (await api.call("GET", path)).json()["execution"]
    assert (done["status"], done["note"]) == ("done", "sent")
    assert done["reported_at"] >= done["claimed_at"]


#: Routes whose answers are described, at least.
DESCRIBED = {
    key
    for key in CALLS
    if key[1].startswith(("/messages", "/dead-letters", "/media", "/consents"))
    and key[1] != "/consents/export"
} | {
    ("POST", "/send"),
    ("POST", "/confirmation"),
    ("GET", "/confirmations"),
    ("GET", "/confirmations/{confirmation_id}"),
}


async def test_the_description_names_what_a_route_is_for_who_may_call_it_and_how_it_refuses(
    api: Contract,
) -> None:
    described = (await api.call("GET", "/openapi.json", token="", prefix="")).json()
    seen: set[str] = set()
    for route in scoped_routes():
        for method in route.methods or ():
            operation = described["paths"][PREFIX + route.path][method.lower()]
            (scope,) = scopes_of(route)
            assert operation["description"].endswith(f"Scope: `{scope}`."), route.path
            assert operation["summary"] not in seen
            seen.add(operation["summary"])
            if (method, route.path) in DESCRIBED:
                assert codes(route) >= {"unauthenticated", "forbidden", "input_invalid"}, route.path


async def test_a_refusal_is_among_those_that_are_described(api: Contract) -> None:
    """The codes of the calls that are refused on purpose in these tests, each at its route."""
    routes = {(method, route.path): route for route in scoped_routes() for method in route.methods or ()}
    never = "msg_" + "0" * 26
    refused: list[tuple[tuple[str, str], str, Any, str]] = [
        (("POST", "/send"), "/send", {"content": "x" * 4_097}, "content_too_long"),
        (
            ("POST", "/send"),
            "/send",
            {"message_type": "template", "template": {"name": "no"}},
            "template_unknown",
        ),
        (("POST", "/send"), "/send", {"content": "x", "category": "service"}, "consent_missing"),
        (("GET", "/messages/{message_id}"), f"/messages/{never}", None, "not_found"),
        (("POST", "/messages/{message_id}/retry"), f"/messages/{never}/retry", None, "not_found"),
        (
            ("POST", "/messages/{message_id}/settle"),
            "/messages/{message}/settle",
            {"as": "delivered"},
            "not_unknown",
        ),
        (("GET", "/consents"), "/consents?recipient=5", None, "input_invalid"),
    ]
    for key, path, body, code in refused:
        answer = await api.call(key[0], path, json=body)
        assert answer.json()["code"] == code, answer.text
        assert code in codes(routes[key])
        assert str(answer.status_code) in {str(status) for status in routes[key].responses}
