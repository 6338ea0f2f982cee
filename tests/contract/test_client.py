"""The Python client: two faces, one shape, and retries that cannot ask twice."""

import inspect
import json
import uuid
from typing import Any

import httpx2
import pytest

from sayso.client import AsyncSayso, ProblemError, Sayso, UnreachableError

URL = "http://sayso.test"
PENDING = {
    "id": "cnf_1",
    "status": "pending",
    "outcome": None,
    "decided_at": None,
    "expires_at": "2026-11-22T20:00:00Z",
    "delivery": "sent",
    "action_hash": "00",
}
CONFIRMED = {
    **PENDING,
    "status": "decided",
    "outcome": "confirmed",
    "decided_at": "2026-11-22T19:30:00.5Z",
}


def _public(face: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(member) for name, member in vars(face).items() if not name.startswith("_")
    }


def _async_signature(name: str) -> inspect.Signature:
    return inspect.signature(getattr(AsyncSayso, name))


class Script:
    """A service that gives prepared answers and remembers what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Give the next answer."""
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return httpx2.Response(status, json=body)

    def sync(self) -> Sayso:
        """The blocking face, speaking to this script."""
        return Sayso(URL, "a-token", transport=httpx2.MockTransport(self))

    def asynchronous(self) -> AsyncSayso:
        """The async face, speaking to this script."""
        return AsyncSayso(URL, "a-token", transport=httpx2.MockTransport(self))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sayso.client.calls.random.uniform", lambda _low, _high: 0.0)


def test_the_blocking_and_the_async_face_are_equal() -> None:
    assert _public(Sayso) == {name: _async_signature(name) for name in _public(AsyncSayso)}
    assert all(inspect.iscoroutinefunction(getattr(AsyncSayso, name)) for name in _public(AsyncSayso))


async def test_both_faces_make_the_same_requests() -> None:
    answers = [(202, PENDING), (200, PENDING), (200, CONFIRMED)]
    blocking, awaiting = Script(*answers), Script(*answers)
    with blocking.sync() as sayso:
        first = sayso.confirm("a", "b", "c", timeout_minutes=5, idempotency_key="k")
    async with awaiting.asynchronous() as sayso_async:
        second = await sayso_async.confirm("a", "b", "c", timeout_minutes=5, idempotency_key="k")
    assert first == second
    assert first.confirmed
    assert first.decided_at is not None
    seen = [
        [(r.method, str(r.url), r.content, r.headers.get("idempotency-key")) for r in s.requests]
        for s in (blocking, awaiting)
    ]
    assert seen[0] == seen[1]
    assert [method for method, *_ in seen[0]] == ["POST", "GET", "GET"]
    assert all(r.headers["authorization"] == "Bearer a-token" for r in blocking.requests)


def test_a_lost_answer_is_asked_again_under_the_same_key() -> None:
    script = Script(httpx2.ReadError("cut"), (503, {"code": "database_unavailable"}), (202, PENDING))
    with script.sync() as sayso:
        asked = sayso.ask("a", "b", "c")
    keys = {request.headers["idempotency-key"] for request in script.requests}
    assert asked.id == "cnf_1"
    assert len(script.requests) == 3
    assert len(keys) == 1
    assert uuid.UUID(keys.pop()).version == 4


def test_two_questions_have_two_keys() -> None:
    script = Script((202, PENDING), (202, PENDING))
    with script.sync() as sayso:
        sayso.ask("a", "b", "c")
        sayso.ask("a", "b", "c")
    assert len({request.headers["idempotency-key"] for request in script.requests}) == 2


def test_a_refusal_is_raised_with_its_code_and_not_repeated() -> None:
    problem = {"status": 403, "code": "opted_out", "title": "t", "detail": "She left.", "retryable": False}
    script = Script((403, problem))
    with script.sync() as sayso, pytest.raises(ProblemError, match="She left") as raised:
        sayso.send("hello")
    assert (raised.value.status, raised.value.code) == (403, "opted_out")
    assert len(script.requests) == 1


def test_a_service_that_never_answers_is_said_to_be_unreachable() -> None:
    script = Script(*[httpx2.ConnectError("refused")] * 5)
    with script.sync() as sayso, pytest.raises(UnreachableError, match="refused"):
        sayso.message("msg_1")
    assert len(script.requests) == 5


def test_what_is_not_given_is_not_sent() -> None:
    script = Script((202, {"id": "msg_1", "state": "queued"}), (202, {"id": "msg_2", "state": "queued"}))
    with script.sync() as sayso:
        sayso.send("hello", recipient="+15550001111")
        sayso.send(template={"name": "daily_summary", "language": "en", "parameters": ["a"]})
    bodies = [json.loads(request.content) for request in script.requests]
    assert bodies == [
        {"message_type": "text", "content": "hello", "recipient": "+15550001111"},
        {
            "message_type": "template",
            "template": {"name": "daily_summary", "language": "en", "parameters": ["a"]},
        },
    ]
