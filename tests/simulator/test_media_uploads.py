"""The resumable upload: sessions, pieces, handles (cloud-api.md 3.2)."""

from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.media import upload_of

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph

APP = "/v25.0/900000000000001"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 92


async def begun(graph: "Graph", length: int = 100, kind: str = "image/png") -> str:
    answer = await graph.call("POST", f"{APP}/uploads?file_name=a.png&file_length={length}&file_type={kind}")
    assert (answer.status, set(answer.json)) == (200, {"id"})
    upload_id: str = answer.json["id"]
    assert upload_id.startswith("upload:")
    return upload_id


async def given(graph: "Graph", upload_id: str, data: bytes, offset: str | None = "0") -> "Answer":
    headers = {"Authorization": "OAuth sim-token"} | ({} if offset is None else {"file_offset": offset})
    return await graph.call("POST", f"/v25.0/{upload_id}", headers=headers, data=data)


async def test_a_whole_file_gives_a_handle(graph: "Graph", sim: Simulator) -> None:
    answer = await given(graph, await begun(graph), PNG)
    assert (answer.status, set(answer.json)) == (200, {"h"})
    assert answer.json["h"].startswith("4::")
    kept = upload_of(sim.parts.world, answer.json["h"])
    assert kept is not None
    assert (kept.data, kept.mime_type, kept.filename) == (PNG, "image/png", "a.png")
    assert upload_of(sim.parts.world, "4::other") is None


async def test_an_interrupted_upload_goes_on_where_it_was(graph: "Graph") -> None:
    upload_id = await begun(graph)
    first = await given(graph, upload_id, PNG[:40])
    bare = upload_id.partition("?")[0]
    assert first.json == {"id": bare, "file_offset": 40}
    told = await graph.call("GET", f"/v25.0/{upload_id}")
    assert told.json == {"id": bare, "file_offset": 40}
    assert (await given(graph, upload_id, PNG[39:], "39")).code == 100
    assert "h" in (await given(graph, upload_id, PNG[40:], "40")).json


@pytest.mark.parametrize("offset", [None, "1", "x", "-1"])
async def test_the_offset_must_be_right(graph: "Graph", offset: str | None) -> None:
    answer = await given(graph, await begun(graph), PNG, offset)
    assert (answer.status, answer.code) == (400, 100)
    assert "file_offset must be 0" in answer.details


async def test_more_bytes_than_announced_are_refused(graph: "Graph") -> None:
    upload_id = await begun(graph)
    assert (await given(graph, upload_id, PNG + b"0")).code == 100
    assert "h" in (await given(graph, upload_id, PNG)).json, "nothing of it was kept"


async def test_an_id_with_its_signature_escaped_is_understood(graph: "Graph") -> None:
    upload_id = (await begun(graph)).replace("?sig=", "%3Fsig%3D")
    assert "?" not in upload_id
    assert "h" in (await given(graph, upload_id, PNG)).json


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("file_type=image/png", "file_length is required"),
        ("file_length=1", "file_type is required"),
        ("file_length=0&file_type=image/png", "file_length must be between"),
        ("file_length=x&file_type=image/png", "file_length must be between"),
        (f"file_length={100 * 1024 * 1024 + 1}&file_type=image/png", "file_length must be between"),
        ("file_length=1&file_type=image/gif", "file_type must be one of"),
    ],
)
async def test_a_session_is_checked(graph: "Graph", query: str, words: str) -> None:
    answer = await graph.call("POST", f"{APP}/uploads?{query}")
    assert (answer.status, answer.code) == (400, 100)
    assert words in answer.details


async def test_the_largest_session_is_taken(graph: "Graph") -> None:
    await begun(graph, 100 * 1024 * 1024, "application/pdf")


async def test_sessions_belong_to_their_app(graph: "Graph", sim: Simulator) -> None:
    upload_id = await begun(graph)
    other = sim.parts.accounts.add_app(id="900000000000002")
    token = sim.parts.accounts.add_token(app_id=other.id)
    headers = {"Authorization": f"Bearer {token.value}"}
    assert (await graph.call("POST", f"{APP}/uploads", headers=headers)).code == 10
    assert (await graph.call("GET", f"/v25.0/{upload_id}", headers=headers)).code == 10


async def test_an_unknown_session_is_nothing(graph: "Graph") -> None:
    assert (await graph.call("GET", "/v25.0/upload:unknown")).code == 33


async def test_old_sessions_make_room(graph: "Graph", sim: Simulator) -> None:
    first = await begun(graph, 100 * 1024 * 1024)
    for _ in range(5):
        await begun(graph, 100 * 1024 * 1024)
    assert (await graph.call("GET", f"/v25.0/{first}")).code == 33
    assert len(sim.parts.world.uploads) == 4, "500 MB of announced bytes at most"
