"""The front: paths as clients write them, methods, unknown things, sizes, traces (cloud-api.md 1.1, 5.1)."""

import io
from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator

if TYPE_CHECKING:
    from simulator.conftest import Graph

NUMBER = "100000000000001"
BEARER = {"Authorization": "Bearer sim-token"}


@pytest.mark.parametrize(
    "path",
    [
        f"/{NUMBER}",
        f"/{NUMBER}/",
        f"//{NUMBER}",
        f"/v25.0/{NUMBER}",
        f"/v25.0//{NUMBER}//",
        f"//v999.9/{NUMBER}",
    ],
)
async def test_paths_as_clients_write_them(graph: "Graph", path: str) -> None:
    assert (await graph.call("GET", path)).json["id"] == NUMBER


async def test_head_is_get_without_a_body(graph: "Graph") -> None:
    async with graph.session.head(f"{graph.base_url}/{NUMBER}", headers=BEARER) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert answer.headers["facebook-api-version"]


async def test_a_post_may_say_delete(graph: "Graph") -> None:
    edge = "/200000000000001/subscribed_apps"
    assert (await graph.call("POST", f"{edge}?method=delete")).json == {"success": True}
    assert (await graph.call("POST", f"{edge}?method=GET")).json == {"data": []}
    assert (await graph.call("POST", f"{edge}?method=patch")).json == {"success": True}, "which is no method"
    assert len((await graph.call("GET", edge)).json["data"]) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_other_methods_are_refused(graph: "Graph", method: str) -> None:
    answer = await graph.call(method, f"/{NUMBER}")
    assert (answer.status, answer.code) == (400, 100)
    assert answer.json["error"]["type"] == "GraphMethodException"
    assert answer.details == f"Unsupported {method.lower()} request: /{NUMBER} is not simulated."


MISSPELT = [
    ("POST", f"/v25.0/{NUMBER}/message", f"/{NUMBER}/message is not simulated; did you mean `messages`?"),
    ("GET", f"/{NUMBER}/messages", f"/{NUMBER}/messages is not simulated; POST is."),
    ("GET", "/200000000000001/message_template", "is not simulated; did you mean `message_templates`?"),
    ("PUT", "/200000000000001/message_templates", "is not simulated; GET, POST, DELETE are."),
    ("GET", "/debug_tokens", "/debug_tokens is not simulated; did you mean `debug_token`?"),
    ("POST", f"/{NUMBER}/xyzzy", f"/{NUMBER}/xyzzy is not simulated."),
]


@pytest.mark.parametrize(("method", "path", "words"), MISSPELT)
async def test_a_misspelt_edge_is_told_what_was_meant(
    graph: "Graph", method: str, path: str, words: str
) -> None:
    answer = await graph.call(method, path)
    assert (answer.status, answer.code) == (400, 100)
    assert answer.details.endswith(words), answer.details


async def test_an_id_that_is_nothing(graph: "Graph") -> None:
    answer = await graph.call("GET", "/v25.0/12345/messages")
    assert answer.status == 400
    assert answer.json["error"]["message"] == (
        "(#33) Unsupported get request. Object with ID '12345' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation"
    )
    assert answer.json["error"]["type"] == "GraphMethodException"
    assert (await graph.call("GET", "/v25.0/12345", headers={})).code == 104, "who calls comes first"


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("POST", "/", "Batch requests are not simulated"),
        ("POST", "/?batch=[]", "Batch requests are not simulated"),
        ("GET", "/v25.0/?ids=1,2", "Several ids in one call are not simulated"),
        ("GET", "/v25.0/", "Unsupported get request"),
    ],
)
async def test_what_is_not_simulated_says_so(graph: "Graph", method: str, path: str, words: str) -> None:
    answer = await graph.call(method, path)
    assert (answer.status, answer.code) == (400, 100)
    assert answer.details.startswith(words)


@pytest.mark.parametrize(
    ("size", "status"), [(4 * 1024 * 1024 - 1, 400), (4 * 1024 * 1024, 400), (4 * 1024 * 1024 + 1, 413)]
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_has_its_bound(graph: "Graph", size: int, status: int, chunked: bool) -> None:
    headers = {**BEARER, "Content-Type": "application/json"}
    answer = await graph.call(
        "POST", f"/{NUMBER}/messages", headers=headers, data=body_of(size), chunked=chunked or None
    )
    code = 100 if status == 413 else 131008
    assert (answer.status, answer.code) == (status, code)


def body_of(size: int) -> io.BytesIO:
    begin, end = b'{"messaging_product":"whatsapp","x":"', b'"}'
    return io.BytesIO(begin + b"a" * (size - len(begin) - len(end)) + end)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"pin=\xff"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"not parts"),
    ],
)
async def test_a_form_that_is_none_is_refused(graph: "Graph", content_type: str, body: bytes) -> None:
    headers = {**BEARER, "Content-Type": content_type}
    answer = await graph.call("POST", f"/{NUMBER}", headers=headers, data=body)
    assert (answer.status, answer.code) == (400, 100)
    assert answer.details.startswith(f"The body is not a valid {content_type.partition(';')[0]}")


async def test_a_long_query_is_read(graph: "Graph") -> None:
    fields = ",".join(["verified_name"] * 4_000)
    answer = await graph.call("GET", f"/{NUMBER}?fields={fields}")
    assert answer.json == {"verified_name": "Sayso Assistant", "id": NUMBER}


async def test_the_trace_of_a_refusal_is_in_its_header(graph: "Graph", sim: Simulator) -> None:
    traces = set()
    for _ in range(2):
        async with graph.session.get(f"{graph.base_url}/{NUMBER}?fields=x", headers=BEARER) as answer:
            trace = answer.headers["x-fb-trace-id"]
            assert (await answer.json())["error"]["fbtrace_id"] == trace
            traces.add(trace)
    assert len(traces) == 2
