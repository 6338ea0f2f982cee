"""The way back, as an assistant sees it: endpoints, the stream, the long poll, all from one feed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from standardwebhooks import Webhook

from harness.receiver import Receiver, receiving, says, takes
from harness.service import Api
from harness.waiting import eventually
from harness.world import ALICE, CONFIRM, World
from sayso.core.tokens import ASSISTANT_SCOPES

OWNER = (*ASSISTANT_SCOPES, "endpoints:write")


async def made(api: Api, url: str, **asked: Any) -> dict[str, Any]:
    """An endpoint of the assistant's, by the API."""
    status, body = await api.as_(scopes=OWNER).call("POST", "/endpoints", json={"url": url, **asked})
    assert status == 201, body
    assert isinstance(body, dict)
    return body


async def arrived(receiver: Receiver, kind: str) -> dict[str, Any]:
    """The first of a kind that reaches the receiver."""

    async def look() -> dict[str, Any] | None:
        return next((body for body in receiver.bodies if body["type"] == kind), None)

    found = await eventually(look, f"{kind} arriving")
    assert found is not None
    return found


async def test_a_tap_reaches_the_receiver_signed_as_the_public_library_wants_it(listing: World) -> None:
    async with receiving() as receiver:
        endpoint = await made(listing.api, receiver.url(), types=["confirmation.*"])
        assert endpoint["state"] == "enabled"
        await listing.api.link(ALICE)
        await listing.open_window()
        asked, prompt = await listing.asked()
        await listing.tapped(prompt["wamid"], CONFIRM)
        told = await arrived(receiver, "confirmation.decided")
        assert told["subject"] == asked["id"]
        assert told["data"]["outcome"] == "confirmed"
        verified = receiver.verified(endpoint["secret"])
    about = [body for body in verified if body["subject"] == asked["id"]]
    assert [body["type"] for body in about] == ["confirmation.asked", "confirmation.decided"]
    status, page = await listing.api.call("GET", "/deliveries", params={"event": told["id"]})
    assert status == 200
    (delivery,) = page["deliveries"]

    async def finished() -> dict[str, Any] | None:
        _, seen = await listing.api.call("GET", f"/deliveries/{delivery['id']}")
        return seen if seen["state"] != "pending" else None

    seen = await eventually(finished, "the delivery finishing")
    assert seen is not None
    assert (seen["state"], [each["status"] for each in seen["tried"]]) == ("delivered", [204])
    assert "body" in seen["tried"][0]
    by_operator = listing.api.as_(client="operator", scopes=("admin",))
    _, theirs = await by_operator.call("GET", f"/deliveries/{delivery['id']}")
    assert "body" not in theirs["tried"][0]


async def test_an_address_that_is_not_listed_has_to_repeat_a_word(world: World) -> None:
    """Nothing inside is called, and none of it is told apart from what is not there."""
    for url in (
        "http://127.0.0.1/hook",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://example.com:8443/",
    ):
        status, body = await world.api.as_(scopes=OWNER).call("POST", "/endpoints", json={"url": url})
        assert (status, body["code"]) == (422, "input_invalid"), url
        assert body["errors"][0]["pointer"] == "/url"
    endpoint = await made(world.api, "https://no-such-host.example/hook")
    assert endpoint["state"] == "unverified"
    assert endpoint["reason"] == "the challenge was not answered: the host has no public address"
    path = f"/endpoints/{endpoint['id']}"
    for call, body in (("test", None), ("replay", {"since": "2026-11-01T00:00:00Z"})):
        status, told = await world.api.as_(scopes=OWNER).call("POST", f"{path}/{call}", json=body)
        assert (status, told["code"]) == (409, "endpoint_unverified")


async def test_an_endpoint_is_changed_rotated_tested_disabled_and_deleted(listing: World) -> None:
    api = listing.api.as_(scopes=OWNER)
    async with receiving() as receiver:
        endpoint = await made(listing.api, receiver.url())
        path = f"/endpoints/{endpoint['id']}"
        status, shown = await api.call("GET", path)
        assert "secret" not in shown
        _, tested = await api.call("POST", f"{path}/test")
        assert (tested["received"], tested["status"]) == (True, 204)
        assert receiver.verified(endpoint["secret"])[-1]["type"] == "endpoint.test"
        _, rotated = await api.call("POST", f"{path}/rotate", json={"overlap_hours": 1})
        await api.call("POST", f"{path}/test")
        _, named, last = receiver.requests[-1]
        both = [Webhook(secret).verify(last, named) for secret in (endpoint["secret"], rotated["secret"])]
        assert both[0] == both[1]
        assert rotated["secret"] != endpoint["secret"]
        receiver.answers["/other"] = says(500)
        status, refused = await api.call("PATCH", path, json={"url": receiver.url("/other")})
        assert (status, refused["code"]) == (409, "endpoint_unverified")
        receiver.answers["/other"] = takes
        status, moved = await api.call(
            "PATCH", path, json={"url": receiver.url("/other"), "types": ["alert.*"]}
        )
        assert (status, moved["types"], moved["state"]) == (200, ["alert.*"], "enabled")
        _, off = await api.call("PATCH", path, json={"state": "disabled"})
        assert off["state"] == "disabled"
        _, on = await api.call("POST", f"{path}/enable")
        assert on["state"] == "enabled"
        assert (await listing.api.as_(client="other").call("GET", path))[0] == 404
        assert (await api.call("DELETE", path))[0] == 200
        assert (await api.call("GET", path))[0] == 404
        assert (await api.call("GET", "/endpoints"))[1] == {"endpoints": []}


async def test_of_two_changes_at_once_neither_undoes_the_other(listing: World) -> None:
    api = listing.api.as_(scopes=OWNER)
    async with receiving() as receiver:
        path = f"/endpoints/{(await made(listing.api, receiver.url()))['id']}"

        async def meanwhile(_request: web.Request) -> web.StreamResponse:
            await api.must("PATCH", path, json={"types": ["confirmation.*"], "subject": "cnf_1"})
            return web.json_response({"challenge": receiver.bodies[-1]["data"]["challenge"]})

        receiver.answers["/other"] = meanwhile
        await api.must("PATCH", path, json={"url": receiver.url("/other"), "description": "moved"})
    _, now = await api.call("GET", path)
    assert (now["url"], now["description"]) == (receiver.url("/other"), "moved")
    assert (now["types"], now["subject"]) == (["confirmation.*"], "cnf_1")


async def test_a_repeated_creation_makes_one_endpoint_and_shows_its_secret_again(listing: World) -> None:
    api = listing.api.as_(scopes=OWNER)
    async with receiving() as receiver:
        once = {"headers": {"Idempotency-Key": "k"}, "json": {"url": receiver.url()}}
        answers = [await api.call("POST", "/endpoints", **once) for _ in range(3)]
        assert len(receiver.requests) == 1
    assert {(status, body["id"], body["secret"]) for status, body in answers} == {
        (201, answers[0][1]["id"], answers[0][1]["secret"])
    }
    kept = await listing.rows("SELECT body FROM idempotency")
    assert answers[0][1]["secret"].encode() not in kept[0]["body"]


@asynccontextmanager
async def stream(api: Api, query: str = "", **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
    """A stream of events."""
    url = f"{api.url}/api/v1/whatsapp/events/stream{query}"
    named = {"Authorization": f"Bearer {api.bearer}", **headers}
    async with api.session.get(url, headers=named) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield answer


async def block(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The next block of a stream that has data."""
    found: dict[str, str] = {}
    async with asyncio.timeout(30):
        async for line in answer.content:
            text = line.decode().rstrip("\n")
            if not text and "data" in found:
                return found
            name, _, value = text.partition(": ")
            found[name] = value
    raise AssertionError("the stream ended")


async def test_the_stream_tells_as_it_happens_and_goes_on_where_it_was(world: World) -> None:
    await world.api.link(ALICE)
    await world.open_window()
    async with stream(world.api, "?types=confirmation.*&after=now") as answer:
        asked, prompt = await world.asked()
        first = await block(answer)
        assert (first["event"], json.loads(first["data"])["subject"]) == ("confirmation.asked", asked["id"])
    await world.tapped(prompt["wamid"], CONFIRM)
    async with stream(world.api, "?types=confirmation.*", **{"Last-Event-ID": first["id"]}) as answer:
        second = await block(answer)
    told = json.loads(second["data"])
    assert (second["event"], told["data"]["outcome"]) == ("confirmation.decided", "confirmed")
    status, page = await world.api.call(
        "GET", "/events", params={"after": first["id"], "subject": asked["id"]}
    )
    assert (status, page["events"]) == (200, [told])
    assert page["next"] >= second["id"]


async def test_a_stream_ends_in_order_when_the_service_does(world: World) -> None:
    async with stream(world.api, "?after=now") as answer:
        await answer.content.readline()
        world.rt.wakes.close()
        async with asyncio.timeout(20):
            rest = await answer.content.read()
    assert answer.content.at_eof()
    assert b"data" not in rest


async def test_a_long_poll_answers_when_there_is_something_or_the_time_is_over(world: World) -> None:
    await world.api.link(ALICE)
    await world.open_window()
    wanted = {"after": "now", "wait": "0.05", "types": "confirmation.asked"}
    status, page = await world.api.call("GET", "/events", params=wanted)
    assert (status, page["events"]) == (200, [])
    wanted |= {"after": page["next"], "wait": "60"}
    waiting = asyncio.create_task(world.api.call("GET", "/events", params=wanted))
    asked, _ = await world.asked()
    status, page = await waiting
    assert [event["subject"] for event in page["events"]] == [asked["id"]]
    status, body = await world.api.call("GET", "/events", params={"types": "confirmation.sung"})
    assert (status, body["errors"][0]["pointer"]) == (422, "/types")


async def test_a_hanging_receiver_is_let_go_and_the_others_are_not_held_up(listing: World) -> None:
    released = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    async with receiving() as receiver:
        await made(listing.api, receiver.url("/good"), types=["confirmation.asked"])
        bad = await made(listing.api, receiver.url("/bad"), types=["confirmation.asked"])
        receiver.answers["/bad"] = hang
        await listing.api.link(ALICE)
        await listing.open_window()
        asked, _ = await listing.asked()
        await arrived(receiver, "confirmation.asked")

        async def both() -> bool:
            return {path for path, _, body in receiver.requests if asked["id"].encode() in body} == {
                "/good",
                "/bad",
            }

        await eventually(both, "both being called")
        _, page = await listing.api.call(
            "GET", "/deliveries", params={"endpoint": bad["id"], "state": "pending"}
        )
        assert len(page["deliveries"]) == 1
        released.set()
