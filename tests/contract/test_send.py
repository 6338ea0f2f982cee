"""What POST /send takes and refuses: shapes, windows, templates, times, repetitions; each fault at its field."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from harness.contract import Contract, assert_problem
from harness.mail import NEWS
from harness.service import PHONE_NUMBER_ID
from sayso.consent import service as consent
from sayso.consent.rules import Action
from sayso.consent.service import Said
from sayso.core.errors import SaysoError
from sayso.messages import conversations
from sayso.messages.rules import WINDOW
from sayso.people import service as people
from sayso.templates import mirror

BEN = "+15550002222"


async def send(api: Contract, **body: Any) -> httpx2.Response:
    return await api.call("POST", "/send", json={"recipient": BEN, **body})


async def accepted(api: Contract, **body: Any) -> dict[str, Any]:
    answer = await send(api, **body)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def row(api: Contract, message_id: str) -> dict[str, Any]:
    async with api.rt.db.one() as tx:
        found = await tx.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)
    assert found is not None
    return dict(found)


async def wrote(api: Contract, ago: timedelta, phone: str = BEN, *, referred: bool = False) -> None:
    """Somebody wrote a while ago."""
    async with api.rt.db.tx() as tx:
        person = await people.by_phone(tx, api.rt, phone, learned_from="assistant:bot")
        at = api.rt.now() - ago
        await conversations.note_inbound(tx, api.rt, person, PHONE_NUMBER_ID, at, referred=referred)


async def heard_for(api: Contract, long: timedelta) -> None:
    """Something was heard of our number that long ago."""
    await wrote(api, timedelta(0), "+15550009876")
    async with api.rt.db.tx() as tx:
        await tx.execute("UPDATE heard SET since = $1", api.rt.now() - long)


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"message_type": "buttons"}, "/buttons", "takes an object"),
    ({"message_type": "buttons", "buttons": []}, "/buttons", "takes an object"),
    ({"message_type": "buttons", "buttons": {"body": "x"}}, "/buttons/buttons", "missing"),
    (
        {"message_type": "buttons", "buttons": {"body": 1, "buttons": []}},
        "/buttons/body",
        "must be text, not 1",
    ),
    (
        {"message_type": "buttons", "buttons": {"body": "x", "buttons": [{"id": "a", "title": "b", "x": 1}]}},
        "/buttons/buttons/0/x",
        "not a field",
    ),
    (
        {"message_type": "buttons", "buttons": {"body": "x", "buttons": [{"id": "a", "title": "x" * 21}]}},
        "/buttons/buttons/0/title",
        "1 more than the 20",
    ),
    ({"message_type": "image", "image": {}}, "/image", "exactly one of"),
    ({"message_type": "image", "image": {"link": "http://example.org/x.png"}}, "/image/link", "https://"),
    ({"message_type": "image", "image": {"id": "1\x00"}}, "/image/id", "NUL"),
    ({"message_type": "image", "content": "x", "image": {"id": "1"}}, "/content", "no `content`"),
    ({"message_type": "image", "image": {"id": "1"}, "video": {"id": "1"}}, "/video", "no `video`"),
    ({"message_type": "text", "content": "x", "text": {"body": "y"}}, "/content", "no `content`"),
    ({"message_type": "text"}, "/content", "takes `content`"),
    ({"content": "x", "colour": "red"}, "/colour", "not a field"),
    ({"content": "x", "fallback": {"parameters": []}}, "/fallback/name", "missing"),
    ({"content": "x", "fallback": {"name": "t", "layout": {}}}, "/fallback/layout", "not a field"),
    (
        {"message_type": "template", "template": {"name": "t"}, "fallback": {"name": "t"}},
        "/fallback",
        "needs no fallback",
    ),
    ({"content": "x", "category": "service", "fallback": {"name": "t"}}, "/fallback", "inside"),
    (
        {"message_type": "template", "template": {"name": "t"}, "category": "service"},
        "/category",
        "inside the 24-hour window only",
    ),
    ({"content": "x", "category": "gossip"}, "/category", "'confirmations'"),
    ({"content": "x", "sender": "1"}, "/sender", "none of this service's"),
    ({"content": "x", "send_at": "2031-01-01T00:00:00Z"}, "/send_at", "90 days"),
    ({"content": "x", "send_at": "2027-01-01T00:00:00"}, "/send_at", "a time with its zone"),
    ({"content": "x", "send_at": "2020-01-01T00:00:00+02:00"}, "/send_at", "has passed: it is "),
    ({"content": "x", "ttl_seconds": 0}, "/ttl_seconds", "must be at least 1, not 0"),
    ({"content": "x", "ttl_seconds": 60, "expires_at": "2031-01-01T00:00:00Z"}, "/expires_at", "one of them"),
    ({"content": "x", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "after"),
    ({"content": "x", "ttl_seconds": "soon"}, "/ttl_seconds", 'must be a whole number, not "soon"'),
    ({"content": 7}, "/content", "must be text, not 7"),
    (
        {"message_type": "flow", "flow": {"body": "b", "button": "b", "flow_id": "1", "mode": "odd"}},
        "/flow/mode",
        "must be 'draft' or 'published', not \"odd\"",
    ),
    (
        {"message_type": "reaction", "reaction": {"message_id": "wamid.HBgL…", "emoji": "👍"}},
        "/reaction/message_id",
        "person.said",
    ),
    ({"content": "x", "if_unknown": "panic"}, "/if_unknown", "'give_up'"),
    ({"content": "x", "dedupe_key": ""}, "/dedupe_key", "must not be empty"),
    ({"content": "x", "quotes": "msg_0"}, "/quotes", "no message"),
    (
        {"message_type": "reaction", "reaction": {"message_id": "msg_0", "emoji": "👍"}},
        "/reaction/message_id",
        "no message",
    ),
    (
        {"message_type": "reaction", "reaction": {"message_id": "w", "emoji": "ok"}},
        "/reaction/emoji",
        "emoji",
    ),
]


async def test_what_is_wrong_is_pointed_at(api: Contract) -> None:
    for body, pointer, says in REFUSED:
        answer = await send(api, **body)
        told = assert_problem(answer, 422, answer.json().get("code", ""))
        assert [fault["pointer"] for fault in told["errors"]][:1] == [pointer], told
        assert says in told["errors"][0]["detail"], told


async def test_a_text_into_a_window_that_is_known_to_be_closed_is_refused_and_a_template_goes(
    api: Contract,
) -> None:
    await wrote(api, timedelta(hours=25))
    told = assert_problem(await send(api, content="hello"), 409, "window_closed")
    assert "closed at" in told["detail"]
    assert "fallback" in told["detail"]
    fallback = {"name": "greeting", "parameters": ["Ben"]}
    with_fallback = await accepted(api, content="hello", fallback=fallback)
    assert with_fallback["window"] == "closed"
    outside = (await row(api, with_fallback["id"]))["outside_window"]
    assert (outside["type"], outside["name"], outside["language"]) == ("template", "greeting", "en")
    template = await accepted(api, message_type="template", template=fallback)
    assert (await row(api, template["id"]))["template_name"] == "greeting"
    assert with_fallback["advice"].endswith("So it goes out as its fallback, the template greeting (en).")
    assert template["advice"] is None


async def test_the_window_counts_to_its_last_minute_and_opens_with_the_next_message(api: Contract) -> None:
    await wrote(api, WINDOW - timedelta(minutes=1))
    assert (await accepted(api, content="hello"))["window"] == "unknown"
    await wrote(api, timedelta(minutes=1))
    assert (await accepted(api, content="hello"))["window"] == "open"


async def test_nobody_heard_of_may_have_written_before_we_listened_but_not_when_we_listened_all_day(
    api: Contract,
) -> None:
    assert (await accepted(api, content="hello"))["window"] == "unknown"
    await heard_for(api, WINDOW - timedelta(minutes=1))
    assert (await accepted(api, content="hello"))["window"] == "unknown"
    await heard_for(api, WINDOW)
    told = assert_problem(await send(api, content="hello"), 409, "window_closed")
    assert "never written" in told["detail"]


async def test_what_is_scheduled_may_find_the_window_open_by_then(api: Contract) -> None:
    await wrote(api, timedelta(hours=25))
    at = api.rt.now() + timedelta(hours=2)
    told = await accepted(api, content="hello", send_at=at.isoformat(), ttl_seconds=60)
    assert "will be suppressed, unless the person writes before" in told["advice"]
    queued = await row(api, told["id"])
    assert (queued["work"], queued["work_at"], queued["send_at"]) == ("waiting", at, at)
    assert queued["expires_at"] == at + timedelta(seconds=60)


async def test_a_time_that_has_just_passed_means_now_and_an_earlier_one_is_refused(api: Contract) -> None:
    just = api.rt.now() - timedelta(seconds=50)
    told = await accepted(api, content="hello", send_at=just.isoformat())
    assert told["send_at"] is None
    assert (await row(api, told["id"]))["work"] == "ready"
    before = api.rt.now() - timedelta(seconds=70)
    problem = assert_problem(
        await send(api, content="hello", send_at=before.isoformat()), 422, "input_invalid"
    )
    assert "Leave it out to send at once" in problem["detail"]


async def test_what_would_end_before_it_goes_out_is_refused_where_that_is_said(api: Contract) -> None:
    end = api.rt.now() + timedelta(hours=1)
    for at in (end, end + timedelta(days=1)):
        answer = await send(api, content="x", send_at=at.isoformat(), expires_at=end.isoformat())
        problem = assert_problem(answer, 422, "input_invalid")
        assert problem["errors"][0]["pointer"] == "/send_at"
        assert "would end before it goes out" in problem["detail"]
    before = end - timedelta(seconds=1)
    await accepted(api, content="x", send_at=before.isoformat(), expires_at=end.isoformat())


async def test_an_answer_goes_into_an_open_window_only(api: Contract) -> None:
    assert_problem(await send(api, content="hello", category="service"), 403, "consent_missing")
    await wrote(api, timedelta(minutes=1))
    told = await accepted(api, content="hello", category="service", if_unknown="ask")
    queued = await row(api, told["id"])
    assert (queued["category"], queued["if_unknown"]) == ("service", "ask")
    assert queued["needs_window"], "looked at again at the wire"
    later = api.rt.now() + timedelta(hours=23)
    await accepted(api, content="hello", category="service", send_at=later.isoformat())
    beyond = later + timedelta(minutes=58)
    answer = await send(api, content="hello", category="service", send_at=beyond.isoformat())
    problem = assert_problem(answer, 422, "input_invalid")
    assert problem["errors"][0]["pointer"] == "/send_at"
    assert "inside the 24-hour window only, which ends at" in problem["detail"]


@pytest.mark.parametrize(
    ("action", "method", "back"),
    [
        ("withdrawn", "keyword", "by writing START"),
        ("withdrawn", "api", "START does not bring them back"),
        ("suppressed_by_meta", "meta_preference", "switched marketing off in WhatsApp"),
    ],
)
async def test_a_refusal_says_how_the_person_can_come_back(
    api: Contract, action: Action, method: str, back: str
) -> None:
    told = await accepted(api, content="hello")
    async with api.rt.db.tx() as tx:
        person = await people.get(tx, (await row(api, told["id"]))["person_id"])
        said = Said(
            person=person, action=action, method=method, captured_at=api.rt.now(), scope=("marketing",)
        )
        await consent.append(tx, api.rt, [said])
    answer = await send(api, content="x", category="marketing")
    detail = assert_problem(answer, 403, "opted_out")["detail"]
    assert back in detail
    assert (method == "meta_preference") == ("only they can allow it" in detail.lower())


async def test_a_template_that_is_marketing_to_meta_is_marketing_by_whatever_name(api: Contract) -> None:
    told = await accepted(api, content="hello")
    async with api.rt.db.tx() as tx:
        person = await people.get(tx, (await row(api, told["id"]))["person_id"])
        said = Said(
            person=person,
            action="withdrawn",
            method="keyword",
            captured_at=api.rt.now(),
            scope=("marketing",),
        )
        await consent.append(tx, api.rt, [said])
        await mirror.take_in(tx, api.rt, [NEWS], began=api.rt.now())
    template = {"name": "news", "parameters": ["Ben"]}
    for body in ({"message_type": "template", "template": template}, {"content": "x", "fallback": template}):
        assert "of marketing" in assert_problem(await send(api, **body), 403, "opted_out")["detail"]
    await wrote(api, timedelta(minutes=1))
    await accepted(api, content="x", fallback=template)
    assert_problem(await send(api, message_type="template", template=template), 403, "opted_out")


async def test_the_same_key_of_an_assistant_is_one_message_whatever_became_of_it(api: Contract) -> None:
    first = await accepted(api, content="hello", dedupe_key="summary-1")
    async with api.rt.db.tx() as tx:
        await tx.execute("UPDATE messages SET state = 'failed', work = NULL WHERE id = $1", first["id"])
    await wrote(api, timedelta(minutes=1))
    again = await accepted(api, content="another", dedupe_key="summary-1")
    assert again["window"] == "open", "as it is now"
    assert (again["id"], again["state"]) == (first["id"], "failed")
    assert (await accepted(api, content="hello", dedupe_key="summary-2"))["id"] != first["id"]


async def test_what_was_scheduled_under_a_key_is_found_by_it_when_its_time_has_passed(api: Contract) -> None:
    await wrote(api, timedelta(minutes=1))
    send_at = (api.rt.now() + timedelta(hours=1)).isoformat()
    first = await accepted(api, content="hello", dedupe_key="later-1", send_at=send_at)
    async with api.rt.db.tx() as tx:
        await tx.execute("UPDATE messages SET state = 'failed', work = NULL WHERE id = $1", first["id"])
    passed = (api.rt.now() - timedelta(hours=1)).isoformat()
    again = await accepted(api, content="hello", dedupe_key="later-1", send_at=passed)
    assert (again["id"], again["state"]) == (first["id"], "failed")


async def test_one_quotes_by_our_id_what_meta_has_taken_and_by_its_own_anything(api: Contract) -> None:
    first = await accepted(api, content="hello")
    told = (await send(api, content="as I said", quotes=first["id"])).json()
    assert told["errors"][0]["pointer"] == "/quotes"
    assert "not been accepted" in told["detail"]
    async with api.rt.db.tx() as tx:
        await tx.execute("UPDATE messages SET state = 'read', work = NULL WHERE id = $1", first["id"])
    told = (await send(api, content="as I said", quotes=first["id"])).json()
    assert told["detail"].endswith("has no id of Meta's that is known; it is read.")
    async with api.rt.db.tx() as tx:
        await tx.execute("UPDATE messages SET wamid = 'wamid.1', state = 'sent' WHERE id = $1", first["id"])
    quoting = await accepted(api, content="as I said", quotes=first["id"])
    assert (await row(api, quoting["id"]))["quotes"] == "wamid.1"
    theirs = await accepted(api, content="as you said", quotes="wamid.2")
    assert (await row(api, theirs["id"]))["quotes"] == "wamid.2"
    reaction = await accepted(api, message_type="reaction", reaction={"message_id": first["id"], "emoji": ""})
    assert (await row(api, reaction["id"]))["content"] == {"type": "reaction", "message_id": "wamid.1"}


async def test_a_refused_message_leaves_no_trace(api: Contract) -> None:
    await wrote(api, timedelta(hours=25))
    key = {"Idempotency-Key": "k-1"}
    body = {"recipient": BEN, "content": "hello"}
    refused = await api.call("POST", "/send", json=body, headers=key)
    assert_problem(refused, 409, "window_closed")
    await wrote(api, timedelta(minutes=1))
    sent = await api.call("POST", "/send", json=body, headers=key)
    assert sent.status_code == 202
    replayed = await api.call("POST", "/send", json=body, headers=key)
    assert replayed.json() == sent.json()


def test_a_closed_window_is_not_retried_blindly() -> None:
    (window_closed,) = [kind for kind in SaysoError.__subclasses__() if kind.code == "window_closed"]
    assert (window_closed.status, window_closed.retryable) == (409, False)
