"""The Python client: two faces, one shape, and retries that cannot ask twice."""

import inspect
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from harness.contract import ASKED, CALLS, EVERYTHING, OPEN, Contract, bearer
from harness.service import PHONE_NUMBER_ID
from sayso.client import AsyncSayso, ProblemError, Sayso, UnreachableError, verify
from sayso.core.api import PREFIX

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


@pytest.mark.parametrize("types", ["confirmation.*", ["confirmation.*"], ("confirmation.*",)])
def test_one_type_of_events_may_be_given_as_a_text(types: Any) -> None:
    script = Script((200, {"events": [], "next": "1.x"}))
    with script.sync() as sayso:
        sayso.events(types=types)
    assert script.requests[0].url.params["types"] == "confirmation.*"


SENT = {"id": "msg_1", "state": "queued", "reason": None}
STANDING = {"opted_out": False, "notifications": {"allowed": True}, "marketing": {"allowed": False}}


def _calls(sayso: Any) -> list[Any]:
    """One call of each method, in an order of their own."""
    return [
        sayso.link("alice", "+15550001111", name="Alice"),
        sayso.opt_in("yes", evidence="form 7", scope=["marketing"], idempotency_key="k1"),
        sayso.opt_out("said so", recipient="+15550001111", scope=["marketing"], idempotency_key="k2"),
        sayso.consents("+15550001111"),
        sayso.ask("a", "b", "c", sender="100", idempotency_key="k3"),
        sayso.confirm("a", "b", "c", idempotency_key="k4"),
        sayso.confirmation("cnf_1"),
        sayso.withdraw("cnf_1"),
        sayso.receipt("cnf_1"),
        sayso.keys(),
        sayso.claim("cnf_1", {"a": 1}, idempotency_key="k6"),
        sayso.executed("cnf_1", "done", note="sent", tell_person=True, idempotency_key="k7"),
        sayso.send("hello", send_at=datetime(2027, 1, 1, tzinfo=UTC), ttl_seconds=60, idempotency_key="k5"),
        sayso.message("msg_1"),
        sayso.cancel("msg_1"),
        sayso.retry("msg_1"),
        sayso.settle("msg_1", "delivered"),
        sayso.senders(),
        sayso.alerts(),
        sayso.events("1.x", types=["confirmation.*"], wait_s=60),
    ]


def _answers() -> list[Any]:
    return [
        (200, {}),
        (201, {}),
        (200, {}),
        (200, {"standing": STANDING, "entries": []}),
        (202, PENDING),
        (202, CONFIRMED),
        (200, CONFIRMED),
        (200, {"id": "cnf_1", "status": "decided", "outcome": "withdrawn"}),
        (200, {"receipt": "a.b.c", "opened": None}),
        (200, {"keys": []}),
        (201, {"grant": "grt_1"}),
        (200, {"status": "done"}),
        (202, SENT),
        (200, SENT),
        (200, {"id": "msg_1", "state": "cancelled"}),
        (200, {"id": "msg_1", "state": "queued", "retried": True}),
        (200, {"id": "msg_1", "state": "delivered"}),
        (200, {"senders": [{"id": "100"}]}),
        (200, {"alerts": [{"id": "2"}], "next": "2"}),
        (200, {"alerts": [{"id": "1"}], "next": None}),
        (200, {"events": [], "next": "2.x"}),
        (200, {"events": [{"id": "evt_1"}], "next": "3.x"}),
    ]


async def test_every_method_of_both_faces_makes_the_same_request_and_gives_the_same() -> None:
    blocking, awaiting = Script(*_answers()), Script(*_answers())
    with blocking.sync() as sayso:
        first = _calls(sayso)
    async with awaiting.asynchronous() as sayso_async:
        second = [await each for each in _calls(sayso_async)]
    assert first == second
    seen = [
        [(r.method, str(r.url), r.content, r.headers.get("idempotency-key")) for r in s.requests]
        for s in (blocking, awaiting)
    ]
    assert seen[0] == seen[1]
    assert len(first) == len(set(_public(Sayso)) - {"close"})
    consents, cancelled, alerts = first[3], first[14], first[18]
    assert (first[8].jws, first[9], first[10]["grant"]) == ("a.b.c", {"keys": []}, "grt_1")
    assert (consents.allows("notifications"), consents.allows("marketing")) == (True, False)
    assert (cancelled.state, [each["id"] for each in alerts]) == ("cancelled", ["2", "1"])
    assert (first[19].next, [each["id"] for each in first[19].events]) == ("3.x", ["evt_1"])
    for request in blocking.requests:
        path = request.url.path.removeprefix(PREFIX)
        named = {"msg_1": "{message_id}", "cnf_1": "{confirmation_id}", "alice": "{external_id}"}
        for name, place in named.items():
            path = path.replace(name, place)
        assert (request.method, path) in CALLS or path in OPEN


async def chosen_and_withdrawn(sayso: AsyncSayso) -> None:
    """A question with options of every depth, and taken back."""
    rooms = await sayso.ask(
        "room_book",
        "book a room",
        kind="choose",
        options=[{"label": "Room A"}, {"label": "Room B", "id": "b", "description": "with a view"}],
        undo_seconds=60,
        dedupe_key="rooms",
    )
    assert [each["id"] for each in rooms.raw["options"]] == ["1", "b"]
    await sayso.withdraw(rooms.id)
    assert (await sayso.confirmation(rooms.id)).outcome == "withdrawn"


async def test_what_the_client_sends_the_service_takes(api: Contract) -> None:
    async with AsyncSayso(
        URL, bearer(scopes=EVERYTHING)[7:], transport=httpx2.ASGITransport(api.app)
    ) as sayso:
        at = api.rt.now() + timedelta(days=1)
        buttons = {"body": "Send it?", "buttons": [{"id": "yes", "title": "Yes"}]}
        later = await sayso.send(
            "later", send_at=at, ttl_seconds=60, category="confirmations", dedupe_key="d"
        )
        typed = await sayso.send(message_type="buttons", body=buttons, if_unknown="ask")
        assert typed.state == "queued"
        assert (await sayso.cancel(later.id)).state == "cancelled"
        assert (await sayso.retry(typed.id)).raw["retried"] is False
        asked = await sayso.ask("a", "b", "c", sender=PHONE_NUMBER_ID)
        assert asked.raw["sender"] == PHONE_NUMBER_ID
        await chosen_and_withdrawn(sayso)
        receipt, jwks = await sayso.receipt(api.made["decided"]), await sayso.keys()
        assert verify.check(receipt, jwks, audience="bot").proven
        done = await sayso.executed(api.made["decided"], "done", note="the invitation is sent")
        assert done["note"] == "the invitation is sent"
        with pytest.raises(ProblemError, match="already_claimed"):
            await sayso.claim(
                api.made["decided"], {name: ASKED[name] for name in ASKED if name != "timeout_minutes"}
            )
        await sayso.opt_in("yes", evidence="form 7")
        assert (await sayso.consents()).allows("notifications")
        await sayso.opt_out("said so")
        assert (await sayso.consents()).opted_out
        assert [each["id"] for each in await sayso.senders()] == [PHONE_NUMBER_ID]
        assert [each["id"] for each in await sayso.alerts()] == [api.made["alert"]]
        assert (await sayso.events("now")).events == []
        assert {each["type"] for each in (await sayso.events(types=["confirmation.*"])).events} >= {
            "confirmation.asked"
        }
        with pytest.raises(ProblemError, match="opted out"):
            await sayso.send("x")


def test_an_answer_that_is_not_the_services_is_said_to_be_unexplained() -> None:
    script = Script((418, ["tea"]))
    with script.sync() as sayso, pytest.raises(ProblemError, match="unexplained: HTTP 418") as raised:
        sayso.message("msg_1")
    assert raised.value.code == "unexplained"
    script = Script((404, {"error": {"message": "Unsupported post request"}}))
    with script.sync() as sayso, pytest.raises(ProblemError, match="HTTP 404, not in the words") as raised:
        sayso.ask("a", "b", "c")  # the simulator's address, say
    assert (raised.value.status, raised.value.code) == (404, "unexplained")


@pytest.mark.parametrize("token", ["", " \n", None, "ey.one\nAnd: two", "e\u0443.J0"])
def test_what_is_no_token_is_refused_before_anybody_is_asked_and_is_not_repeated(token: Any) -> None:
    for face in (Sayso, AsyncSayso):
        with pytest.raises(ValueError, match="sayso token --user") as raised:
            face(URL, token)
        assert "ey.one" not in str(raised.value)


def test_the_end_of_a_line_is_no_part_of_a_token() -> None:
    script = Script((200, CONFIRMED))
    with Sayso(URL, "ey.J0.x\n", transport=httpx2.MockTransport(script)) as sayso:
        sayso.confirmation("cnf_1")
    assert script.requests[0].headers["authorization"] == "Bearer ey.J0.x"


MISTYPED: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    ("send", ("x",), {"recipent": "+15550001111"}),
    ("opt_in", ("yes",), {"evidence": "form 7", "scopes": ["confirmations"]}),
    ("opt_out", ("left",), {"scopes": ["marketing"]}),
    ("executed", ("cnf_1", "done"), {"tell": True}),
    ("events", ("now",), {"wait": 5}),
]


@pytest.mark.parametrize(("call", "given", "options"), MISTYPED, ids=[case[0] for case in MISTYPED])
def test_an_option_that_there_is_not_is_refused_before_anybody_is_asked(
    call: str, given: tuple[str, ...], options: dict[str, Any]
) -> None:
    script = Script()
    with (
        script.sync() as sayso,
        pytest.raises(TypeError, match=f"no option {list(options)[-1]}; there are: "),
    ):
        getattr(sayso, call)(*given, **options)
    assert script.requests == []
