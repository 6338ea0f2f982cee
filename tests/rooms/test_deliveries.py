"""What is told reaches every endpoint that asked for it: at least once, in order, signed, for days if need be."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from harness.receiver import Courier, Receiver, courier, says, takes
from harness.rooms import Clock
from sayso.core import claims
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.events import deliveries, endpoints, service
from sayso.events.claiming import QUEUE
from sayso.events.rules import LADDER


@pytest.fixture
async def by(rt: Runtime) -> AsyncIterator[Courier]:
    """Who delivers."""
    async with courier(rt) as made:
        yield made


async def test_an_event_arrives_signed_so_that_the_public_library_accepts_it(
    by: Courier, receiver: Receiver
) -> None:
    endpoint = await by.endpoint(receiver.url())
    await by.tell("one")
    assert await by.all() == 1
    (told,) = receiver.verified(by.secret(endpoint))
    (row,) = await by.rows("SELECT id, at FROM events")
    assert told == {
        "id": row["id"],
        "type": "person.said",
        "timestamp": row["at"].isoformat().replace("+00:00", "Z"),
        "subject": "one",
        "data": {"text": "one"},
    }
    assert receiver.requests[0][1]["webhook-id"] == row["id"]
    (delivery,) = await by.rows()
    assert (delivery["state"], delivery["attempt"], delivery["work"]) == ("delivered", 1, None)


async def test_only_who_asked_for_it_hears_of_it(by: Courier, receiver: Receiver) -> None:
    await by.endpoint(receiver.url("/all"))
    await by.endpoint(receiver.url("/family"), types=["confirmation.*"])
    await by.endpoint(receiver.url("/type"), types=["person.said", "alert.raised"])
    await by.endpoint(receiver.url("/subject"), subject="two")
    await by.endpoint(receiver.url("/other"), client="other")
    await by.endpoint(receiver.url("/operator"), client="other", operator=True)
    await by.tell("one", "two")
    await by.tell("three", kind="confirmation.asked")
    await by.tell("four", kind="alert.raised", client="")
    await by.all()
    got: dict[str, list[str]] = {}
    for (path, _, _), subject in zip(receiver.requests, receiver.subjects, strict=True):
        got.setdefault(path, []).append(subject)
    assert {path: sorted(subjects) for path, subjects in got.items()} == {
        "/all": ["one", "three", "two"],
        "/family": ["three"],
        "/type": ["one", "two"],
        "/subject": ["two"],
        "/operator": ["four"],
    }


async def test_a_rolled_back_event_is_delivered_to_nobody(
    by: Courier, receiver: Receiver, rt: Runtime
) -> None:
    await by.endpoint(receiver.url())
    with contextlib.suppress(LookupError):
        async with rt.db.tx() as tx:
            await service.emit(tx, rt, client_id="bot", kind="person.said", subject="x", data={})
            raise LookupError
    assert await by.all() == 0


async def test_what_concerns_one_subject_arrives_in_order_and_holds_back_no_other(
    by: Courier, receiver: Receiver, clock: Clock, rt: Runtime
) -> None:
    await by.endpoint(receiver.url())
    receiver.answer = says(500)
    async with rt.db.tx() as tx:
        for number in range(3):  # in one transaction, within one millisecond
            data = {"number": number}
            await service.emit(tx, rt, client_id="bot", kind="person.said", subject="a", data=data)
    assert await by.all() == 1
    receiver.answer = takes
    await by.tell("b", "a")
    assert await by.all() == 1
    assert receiver.subjects == ["a", "b"]
    clock.advance(seconds=7)
    assert await by.all() == 4
    assert receiver.subjects[2:] == ["a"] * 4
    assert [body["data"].get("number") for body in receiver.bodies[2:]] == [0, 1, 2, None]


async def test_down_for_days_an_endpoint_is_tried_up_the_ladder_and_given_up_after_five(
    by: Courier, receiver: Receiver, clock: Clock
) -> None:
    endpoint = await by.endpoint(receiver.url())
    receiver.answer = says(500)
    began = clock.at
    tried: list[datetime] = []
    await by.tell("one")
    while (row := (await by.rows())[0])["state"] == "pending":
        clock.at = max(began, row["work_at"] - timedelta(seconds=1))
        assert await by.turn() == (0 if tried else 1)
        clock.at = max(began, row["work_at"])
        assert await by.turn() == (1 if tried else 0)
        tried.append(clock.at)
    assert len(tried) == len(LADDER)
    for (before, after), step in zip(pairwise(tried), LADDER[1:], strict=True):
        assert 0.8 * step <= (after - before).total_seconds() <= 1.2 * step
    assert len({body for _, _, body in receiver.requests}) == 1
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1
    assert await by.kinds() == ["endpoint.failing", "endpoint.exhausted"]
    clock.at = began
    for day in range(6):
        clock.at = began + timedelta(days=day, hours=1)
        await by.tell(f"day {day}")
        await by.all()
    assert (await by.one(endpoint))["state"] == "disabled"
    assert await by.kinds() == ["endpoint.failing", "endpoint.exhausted", "endpoint.disabled"]
    assert {row["state"] for row in await by.rows()} == {"failed"}
    open_alerts = await by.rows("SELECT key FROM alerts WHERE resolved_at IS NULL")
    assert [row["key"] for row in open_alerts] == [f"endpoint.disabled:{endpoint['id']}"]
    receiver.requests.clear()
    await by.tell("later")
    assert await by.all() == 0


async def test_an_endpoint_hears_nothing_of_its_own_trouble_but_the_others_do(
    by: Courier, receiver: Receiver, clock: Clock
) -> None:
    bad = await by.endpoint(receiver.url("/bad"))
    await by.endpoint(receiver.url("/good"), types=["endpoint.*"])
    receiver.answers["/bad"] = says(503)
    await by.tell("a", "b", "c", "d", "e")
    await by.all()
    assert receiver.bodies[-1]["type"] == "endpoint.failing"
    assert receiver.bodies[-1]["data"]["endpoint_id"] == bad["id"]
    receiver.answers["/bad"] = takes
    clock.advance(seconds=10)
    await by.all()
    told = [path for path, _, body in receiver.requests if b'"endpoint.' in body]
    assert told == ["/good", "/good"]
    assert await by.kinds() == ["endpoint.failing", "endpoint.recovered"]
    assert (await by.one(bad))["failures"] == 0


async def test_gone_disables_at_once_and_what_waits_ends_visibly(by: Courier, receiver: Receiver) -> None:
    endpoint = await by.endpoint(receiver.url())
    receiver.answer = says(410)
    await by.tell("a", "a", "a", "b")
    await by.all()
    assert (await by.one(endpoint))["state"] == "disabled"
    assert {(row["state"], row["work"]) for row in await by.rows()} == {("failed", None)}
    assert len(receiver.requests) <= 2


@pytest.mark.parametrize(("status", "seconds"), [(429, 60), (503, 9)])
async def test_who_asks_for_time_gets_it(
    by: Courier, receiver: Receiver, clock: Clock, status: int, seconds: float
) -> None:
    await by.endpoint(receiver.url())
    receiver.answer = says(status, **{"Retry-After": "9"})
    await by.tell("a")
    await by.all()
    (row,) = await by.rows()
    assert 0.8 * seconds <= (row["work_at"] - clock.at).total_seconds() <= 1.2 * seconds


async def test_keys_are_rotated_without_anybody_missing_anything(
    by: Courier, receiver: Receiver, clock: Clock, rt: Runtime
) -> None:
    endpoint = await by.endpoint(receiver.url(), signatures=["v1", "v1a"])
    old = by.secret(endpoint)
    async with rt.db.tx() as tx:
        _, keys = await endpoints.rotate(tx, rt, endpoint, timedelta(hours=24))
    await by.tell("a")
    await by.all()
    assert receiver.verified(old) == receiver.verified(keys.shown_secret)
    kinds = [each.partition(",")[0] for each in receiver.requests[0][1]["webhook-signature"].split()]
    assert kinds == ["v1", "v1a", "v1", "v1a"]
    clock.advance(hours=25)
    await by.tell("b")
    await by.all()
    with pytest.raises(Exception, match=r"too new|No matching"):
        Webhook(old).verify(receiver.requests[1][2], receiver.requests[1][1])
    assert len(receiver.requests[1][1]["webhook-signature"].split()) == 2


async def test_a_rotation_asked_for_twice_ends_no_key_that_a_receiver_has(
    by: Courier, receiver: Receiver, clock: Clock, rt: Runtime
) -> None:
    endpoint = await by.endpoint(receiver.url())
    secrets = [by.secret(endpoint)]
    for minutes in (60, 1, 0):
        async with rt.db.tx() as tx:
            endpoint, keys = await endpoints.rotate(tx, rt, endpoint, timedelta(minutes=minutes))
        secrets.append(keys.shown_secret)
        if minutes == 1:
            clock.advance(minutes=2)
            await by.tell("a")
            await by.all()
            assert all(receiver.verified(each) for each in secrets)
    await by.tell("b")
    await by.all()
    _, headers, body = receiver.requests[1]
    for secret in secrets[:-1]:
        with pytest.raises(WebhookVerificationError, match="No matching"):
            Webhook(secret).verify(body, headers)
    Webhook(secrets[-1]).verify(body, headers)


async def test_a_worker_that_dies_between_call_and_result_delivers_again_with_the_same_id(
    by: Courier, receiver: Receiver, rt: Runtime
) -> None:
    await by.endpoint(receiver.url())
    await by.tell("a", "a")
    (row,) = await by.claim()
    with pytest.raises(claims.LeaseLostError):
        await by.deliverer.handle(rt, Lease(10**6), row)  # it called, but its result is refused
    async with rt.db.tx(claims=True) as tx:
        await claims.release(tx, QUEUE, workers=[by.lease.worker])
    assert await by.all() == 2
    ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert ids[0] == ids[1] != ids[2]
    assert {row["state"] for row in await by.rows()} == {"delivered"}


async def test_failed_and_missing_are_replayed_and_health_is_left_alone(
    by: Courier, receiver: Receiver, clock: Clock, rt: Runtime
) -> None:
    await by.tell("before")
    endpoint = await by.endpoint(receiver.url())
    receiver.answer = says(410)
    await by.tell("a", "a")
    await by.all()
    receiver.answer = takes
    receiver.requests.clear()
    since = clock.at - timedelta(minutes=1)
    async with rt.db.tx() as tx:
        failed = await deliveries.replay_since(tx, rt, await by.one(endpoint), since, "failed")
        missing = await deliveries.replay_since(tx, rt, await by.one(endpoint), since, "missing")
    assert (failed, missing) == (1, 2)
    assert await by.all() == 3
    assert sorted(receiver.subjects) == ["a", "a", "before"]
    told = [body["id"] for body in receiver.bodies if body["subject"] == "a"]
    assert told == sorted(told)
    assert {row["state"] for row in await by.rows()} == {"delivered"}
    after = await by.one(endpoint)
    assert (after["state"], after["failures"], after["last_success_at"]) == ("disabled", 1, None)
    async with rt.db.tx() as tx:
        again = await deliveries.replay_since(tx, rt, after, since, "missing")
    assert again == 0


async def test_a_replay_is_one_attempt_and_takes_nothing_back(
    by: Courier, receiver: Receiver, rt: Runtime
) -> None:
    await by.endpoint(receiver.url())
    await by.tell("a")
    await by.all()
    (row,) = await by.rows()
    receiver.answer = says(500)
    async with rt.db.tx() as tx:
        assert await deliveries.replay(tx, rt, [row["id"]]) == 1
        assert await deliveries.replay(tx, rt, [row["id"]]) == 0
    assert await by.all() == 1
    (after,) = await by.rows()
    assert (after["state"], after["work"], after["attempt"]) == ("delivered", None, 1)
    tried = await by.rows("SELECT replay, status FROM delivery_attempts ORDER BY id")
    assert [(each["replay"], each["status"]) for each in tried] == [(False, 204), (True, 500)]


async def test_a_replay_of_what_waits_brings_its_next_attempt_forward(
    by: Courier, receiver: Receiver, rt: Runtime
) -> None:
    await by.endpoint(receiver.url())
    receiver.answer = says(500)
    await by.tell("a", "a")
    await by.all()
    first, behind = await by.rows()
    receiver.answer = takes
    async with rt.db.tx() as tx:
        assert await deliveries.replay(tx, rt, [first["id"], behind["id"]]) == 1
    assert await by.all() == 2
    assert [row["attempt"] for row in await by.rows()] == [2, 1]


async def test_an_endpoint_has_ten_calls_under_way_and_two_while_it_is_failing(
    by: Courier, receiver: Receiver, clock: Clock
) -> None:
    endpoint = await by.endpoint(receiver.url())
    await by.tell(*(f"s{n}" for n in range(30)))
    receiver.answer = says(500)
    rows = await by.claim()
    assert len(rows) == 10
    assert await by.claim() == []
    await asyncio.gather(*(by.deliverer.handle(by.rt, by.lease, row) for row in rows))
    assert (await by.one(endpoint))["failures"] == 10
    assert len(await by.claim()) == 2
    assert len(receiver.bodies) == 10


async def test_an_endpoint_whose_backlog_is_one_line_is_not_walked_again_and_again(
    by: Courier, receiver: Receiver
) -> None:
    await by.endpoint(receiver.url())
    receiver.answer = says(500)
    await by.tell(*["one"] * 400)
    assert await by.all() == 1
    (counted,) = await by.rows(
        "SELECT count(*) FILTER (WHERE work = 'ready') AS ready, "
        "count(*) FILTER (WHERE work_at = 'infinity') AS behind FROM deliveries"
    )
    assert (counted["ready"], counted["behind"]) == (0, 399)
