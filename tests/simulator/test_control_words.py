"""Whatever is mistyped to the control API is named in a plain sentence, with what may have been meant."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import aiohttp
import msgspec
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import Fault
from sayso.simulator.mistakes import wrong_with
from sayso.simulator.phone.deeds import Inbound
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph

DEEDS = (
    "`text`, `tap`, `choose`, `react`, `media`, `location`, `contacts`, `flow`, `call_permission`, `edit`, "
    "`delete`, `unsupported`, `order`, `welcome`"
)

SENTENCES: list[tuple[Any, str]] = [
    ({"from": ANA, "txt": "hi"}, "`txt` is not known; did you mean `text`? Known here: `from`, `to`, "),
    ({"text": "hi"}, "`from` is missing; it must be a text."),
    ({"from": ANA, "text": 5}, "`text` must be a text; it is 5."),
    ({"from": ANA, "text": ""}, "`text` must have 1 to 65536 characters; it has 0."),
    ({"from": ANA}, f"exactly one of {DEEDS} is needed; 0 are given"),
    ({"from": ANA, "text": "a", "welcome": True}, f"exactly one of {DEEDS} is needed; 2 are given"),
    ([], "the body must be an object; it is a list."),
    (7, "the body must be an object; it is 7."),
    (
        {"from": ANA, "tap": {"message_id": "x", "buton": 0}},
        "`tap.buton` is not known; did you mean `button`? Known here: `message_id`, `button`, `card`, `con",
    ),
    (
        {"from": ANA, "tap": {"message_id": "x"}},
        "`tap.button` is missing; it must be a whole number or a text.",
    ),
    (
        {"from": ANA, "tap": {"message_id": "x", "button": 1.5}},
        "`tap.button` must be a whole number or a text; it is 1.5.",
    ),
    (
        {"from": ANA, "media": {"kind": "imge", "sample": True}},
        '`media.kind` cannot be "imge"; did you mean `image`? Known here: `audio`, `document`, `image`, ',
    ),
    (
        {"from": ANA, "location": {"latitude": 91, "longitude": 0}},
        "`location.latitude` must be at most 90; it is 91.",
    ),
    ({"from": ANA, "contacts": []}, "`contacts` must have at least 1 entries; it has 0."),
    (
        {"from": ANA, "contacts": [{"name": "Bo", "phones": ["+1", 2]}]},
        "`contacts[0].phones[1]` must be a text; it is 2.",
    ),
    ({"from": ANA, "forwarded": "often", "text": "x"}, '`forwarded` cannot be "often"'),
    (
        {"from": ANA, "text": "x", "referral": {"source_type": "advert"}},
        "`referral.source_url` is missing; it must be a text.",
    ),
    ({"from": ANA, "text": "hi", "quote": "wamid.x"}, "+15550001111 has no message 'wamid.x'"),
    ({"from": "15550001111", "text": "hi"}, "'15550001111' is not a number in international form"),
    ({"from": "+15550100000", "text": "hi"}, "+15550100000 is a number of the business, not a person's"),
    ({"from": ANA, "text": "hi", "to": "5"}, "`to` must be the id of a business phone number, one of 1000"),
    (
        {"from": ANA, "media": {"kind": "image"}},
        "`media` needs exactly one of `data_base64` and `sample`: true",
    ),
    (
        {"from": ANA, "media": {"kind": "image", "data_base64": "?"}},
        '`media.data_base64` must be bytes in base64; it is "?".',
    ),
    (
        {"from": ANA, "media": {"kind": "image", "sample": True, "voice": True}},
        "`voice` goes with audio, not with image",
    ),
    (
        {"from": ANA, "media": {"kind": "image", "sample": True, "mime_type": "video/mp4"}},
        "`mime_type` 'video/mp4' is no type of image",
    ),
]


@pytest.mark.parametrize(("body", "sentence"), SENTENCES)
async def test_a_deed_that_cannot_be(graph: "Graph", body: Any, sentence: str) -> None:
    status, answer = await graph.control("POST", "/inbound", body)
    assert status == 400, answer
    assert answer["error"].startswith(sentence) or sentence in answer["error"], answer["error"]


MISTYPED: list[tuple[str, str, Any, str]] = [
    ("POST", "/clock", {"advance": 5}, "`advance` is not known; did you mean `advance_s`?"),
    ("POST", "/clock", {"advance_s": -5}, "`advance_s` must be at least 0; it is -5."),
    ("POST", "/clock", {}, "exactly one of `advance_s`, `set`, `freeze`, `speed` is needed; 0 are given."),
    ("POST", "/clock", {"set": "noon"}, "such as 2026-12-01T08:00:00Z; it is 'noon'."),
    ("POST", "/clock", {"set": 1}, "only moves forward"),
    ("POST", "/clock", {"freeze": "yes"}, '`freeze` must be true or false; it is "yes".'),
    ("POST", "/reset", {"all": True}, "`all` is not known. Known here: none."),
    ("POST", "/reset?hard=1", None, "the query parameter `hard` is not known"),
    ("GET", "/messages?too=x", None, "`too` is not known; did you mean `to`?"),
    ("GET", "/messages?to=x", None, "not a phone number"),
    ("GET", "/messages?wait_s=soon", None, '`wait_s` must be a number; it is "soon".'),
    ("GET", "/messages?wait_s=500", None, "`wait_s` must be between 0 and 120; it is 500."),
    ("GET", "/messages?status=delivred", None, "did you mean `delivered`?"),
    ("GET", "/messages?type=txt", None, "did you mean `text`?"),
    ("GET", "/state?x=1", None, "`x` is not known"),
    ("POST", "/people", {"name": "Bo", "fone": "+1"}, "`fone` is not known; did you mean `phone`?"),
    (
        "POST",
        "/people",
        {"name": "", "phone": "+15550004444"},
        "`name` must have 1 to 60 characters; it has 0.",
    ),
    ("POST", f"/people/{ANA}", {"usrname": "a"}, "`usrname` is not known; did you mean `username`?"),
    ("POST", f"/people/{ANA}", {"username": "A b"}, "`username` must look like"),
    ("POST", f"/people/{ANA}", {"phone_off": 1}, "`phone_off` must be true or false; it is 1."),
    ("POST", f"/people/{ANA}/marketing", {"value": "stopp"}, "did you mean `stop`?"),
    ("POST", f"/people/{ANA}/change_number", {"to": "x"}, "'x' is not a number in international form"),
    ("POST", f"/people/{ANA}/change_number", {"to": "+15550100000"}, "is a number of the business"),
    ("POST", f"/people/{ANA}/block", {"number": "5"}, "one of 100000000000001; it is '5'"),
    ("POST", "/showing", {"page": "page-404", "people": []}, "page-404"),
]


@pytest.mark.parametrize(("method", "path", "body", "words"), MISTYPED)
async def test_what_is_mistyped_is_named(
    graph: "Graph", method: str, path: str, body: Any, words: str
) -> None:
    status, answer = await graph.control(method, path, body)
    assert status == 400, answer
    assert words in answer["error"], answer["error"]
    assert "$." not in answer["error"], "words, not the path of a library"


FAULTS: list[tuple[Any, str]] = [
    ({"next": 1, "kind": "eror"}, '`kind` cannot be "eror"; did you mean `error`?'),
    ({"next": 1}, "`kind` is missing"),
    ({"kind": "error"}, "`code` is missing; it must be a whole number."),
    ({"kind": "error", "code": 1, "next": 0}, "`next` must be at least 1; it is 0."),
    ({"kind": "error", "code": 1, "http_status": 200}, "`http_status` must be at least 400; it is 200."),
    ({"kind": "error", "code": True}, "`code` must be a whole number; it is true."),
]


@pytest.mark.parametrize(("raw", "words"), FAULTS)
def test_words_for_a_choice_of_kinds(raw: Any, words: str) -> None:
    assert str(wrong_with(raw, Fault)).startswith(words)


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """Shapes that no call has yet."""

    by_name: dict[str, int] = {}
    few: Annotated[list[int], msgspec.Meta(max_length=2)] = []
    above: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5
    word: Literal["a", "b"] | None = None


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"by_name": {"a": "x"}}, '`by_name.a` must be a whole number; it is "x".'),
        ({"few": [1, 2, 3]}, "`few` must have 0 to 2 entries; it has 3."),
        ({"above": 0}, "`above` must be more than 0; it is 0."),
        ({"above": 1}, "`above` must be less than 1; it is 1."),
        ({"word": "c"}, '`word` cannot be "c". Known here: `a`, `b`.'),
        ({"by_name": None}, "`by_name` must be an object; it is null."),
        ({"by_name": {}, "few": [1], "above": 0.1, "word": None}, None),
    ],
)
def test_words_for_every_shape(raw: Any, words: str | None) -> None:
    assert wrong_with(raw, Shape) == words
    try:
        msgspec.convert(raw, Shape)
    except msgspec.ValidationError:
        assert words is not None
    else:
        assert words is None, "never words for what is right"


def test_nothing_is_wrong_with_what_is_right() -> None:
    for body in (
        {"from": ANA, "text": "hi"},
        {"from": ANA, "tap": {"message_id": "x", "button": "Yes"}, "forwarded": "frequently"},
        {"from": ANA, "welcome": True, "referral": True},
    ):
        assert wrong_with(body, Inbound) is None


# --- calls and callers --------------------------------------------------------------------------------------


async def test_the_index_says_what_every_call_does(graph: "Graph") -> None:
    status, index = await graph.control("GET", "")
    calls = {each["call"]: each["does"] for each in index["calls"]}
    assert status == 200
    assert all(calls.values()), "each has its sentence"
    for call in ("POST /_sim/inbound", "GET /_sim/messages", "POST /_sim/people/{phone}", "POST /_sim/clock"):
        assert call in calls


@pytest.mark.parametrize("path", ["", "/", "/faults", "/people/+15550009999", "/nothing", "/state?x=1"])
async def test_answers_can_be_read_by_people(graph: "Graph", path: str) -> None:
    async with graph.session.get(f"{graph.base_url}/_sim{path}") as answer:
        text = await answer.text()
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


async def test_the_index_is_there_with_a_slash_behind_it(graph: "Graph") -> None:
    assert await graph.control("GET", "/") == await graph.control("GET", "")


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/mesages", 404, "there is no GET /_sim/mesages; did you mean GET /_sim/messages?"),
        ("DELETE", "/messages", 404, "there is no DELETE /_sim/messages; did you mean GET /_sim/messages?"),
        ("GET", "/~", 404, "GET /_sim lists what there is."),
        ("GET", "/people/+15550009999", 404, "nobody has the number +15550009999"),
        ("POST", "/people/+15550009999/block", 404, "nobody has the number +15550009999"),
    ],
)
async def test_what_is_not_there(graph: "Graph", method: str, path: str, status: int, words: str) -> None:
    answered, answer = await graph.control(method, path)
    assert answered == status
    assert words in answer["error"]


async def test_a_body_that_is_no_json(graph: "Graph") -> None:
    async with graph.session.post(f"{graph.base_url}/_sim/clock", data=b"{") as answer:
        assert answer.status == 400
        assert (await answer.json())["error"].startswith("the body is not valid JSON: ")


CALLERS = [
    ({}, 200),
    ({"Origin": "{base}"}, 200),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Origin": "null"}, 403),
    ({"Host": "localhost:9"}, 200),
    ({"Host": "phones.localhost"}, 200),
    ({"Host": "[::1]:80"}, 200),
    ({"Host": "127.9.9.9"}, 200),
    ({"Host": "sim.internal"}, 200),  # allowed below
    ({"Host": "evil.example"}, 403),
    ({"Host": "127.0.0.1.evil.example"}, 403),
    ({"Host": "localhost.evil.example"}, 403),
    ({"Host": "192.168.1.7"}, 403),
    ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
]


@pytest.mark.parametrize(("headers", "status"), CALLERS)
@pytest.mark.parametrize("path", ["/_sim/state", "/_sim", "/", "/desk"])
async def test_who_may_control(
    config: SimulatorConfig, headers: dict[str, str], status: int, path: str
) -> None:
    """A page of another site may not, whatever its name is made to point to (DNS rebinding)."""
    async with Simulator(with_host(config)) as sim, aiohttp.ClientSession() as session:
        given = {name: value.replace("{base}", sim.base_url) for name, value in headers.items()}
        async with session.get(sim.base_url + path, headers=given) as answer:
            assert answer.status == status
            if status == 403:
                assert "this simulator" in (await answer.json())["error"]
        async with session.get(f"{sim.base_url}/v25.0/100000000000001", headers=given) as graph:
            assert graph.status != 403, "Graph calls carry their tokens: any name will do"


def with_host(config: SimulatorConfig) -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=config.webhook_url, allow_hosts=("sim.internal",))
