"""Media: each kind at, just under and just over its size; URLs, their end, and who may download (cloud-api.md 8.5)."""

import asyncio
import base64
import hashlib
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.world.media import KINDS, store_inbound

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph

KB, MB = 1024, 1024 * 1024
DAY_S = 86_400
MEDIA = "/v25.0/100000000000001/media"
PNG, JPEG, PDF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"%PDF-1.7"
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 "
MOVING_WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02"
BEGINS = {"image/png": PNG, "image/jpeg": JPEG, "image/webp": WEBP, "application/pdf": PDF}


def form(data: bytes | None, mime_type: str | None, **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData(default_to_multipart=True)
    if data is not None:
        made.add_field(
            "file", io.BytesIO(data), filename="a.bin", content_type=mime_type or "application/octet-stream"
        )
    for name, value in fields.items():
        made.add_field(name, value)
    return made


async def upload(graph: "Graph", data: bytes, mime_type: str, **fields: str) -> "Answer":
    given = {"messaging_product": "whatsapp", "type": mime_type, **fields}
    return await graph.call("POST", MEDIA, data=form(data, mime_type, **given))


def sized(mime_type: str, size: int, begin: bytes | None = None) -> bytes:
    start = BEGINS.get(mime_type, b"x") if begin is None else begin
    return start + b"0" * (size - len(start))


@pytest.mark.parametrize("mime_type", sorted(KINDS))
async def test_every_type_is_taken(graph: "Graph", mime_type: str) -> None:
    answer = await upload(graph, sized(mime_type, 100), mime_type)
    assert (answer.status, set(answer.json)) == (200, {"id"})
    assert answer.json["id"].isdecimal()


@pytest.mark.parametrize(
    ("mime_type", "begin", "most"),
    [
        ("image/png", PNG, 5 * MB),
        ("audio/ogg; codecs=opus", b"OggS", 16 * MB),
        ("video/mp4", b"\x00\x00\x00\x18ftyp", 16 * MB),
        ("image/webp", WEBP, 100 * KB),
        ("image/webp", MOVING_WEBP, 500 * KB),
        ("application/pdf", PDF, 100 * MB),
    ],
)
async def test_a_file_may_be_as_large_as_its_kind(
    graph: "Graph", mime_type: str, begin: bytes, most: int
) -> None:
    assert (await upload(graph, sized(mime_type, most, begin), mime_type)).status == 200
    over = await upload(graph, sized(mime_type, most + 1, begin), mime_type)
    assert (over.status, over.code) == (400, 131053)
    assert f"has {most + 1} bytes" in over.details
    assert f"at most {most}" in over.details


async def test_a_file_beyond_all_limits_is_counted_but_not_kept(graph: "Graph") -> None:
    over = await upload(graph, b"%PDF" + bytes(103 * MB), "application/pdf")
    assert (over.code, f"has {103 * MB + 4} bytes" in over.details) == (131053, True)


@pytest.mark.parametrize(
    ("mime_type", "data"),
    [
        ("image/gif", b"GIF89a"),
        ("application/octet-stream", b"x"),
        ("image/png", JPEG),
        ("image/jpeg", PNG),
        ("image/webp", b"RIFF\x00\x00\x00\x00WAVEfmt "),
        ("application/pdf", b"<html>"),
    ],
)
async def test_a_wrong_type_is_refused(graph: "Graph", mime_type: str, data: bytes) -> None:
    answer = await upload(graph, data, mime_type)
    assert (answer.status, answer.code) == (400, 100)
    assert answer.details.startswith("Param file must be a file with one of the following types: audio/aac, ")


@pytest.mark.parametrize(
    ("sent", "code", "words"),
    [
        ({"data": form(None, None, messaging_product="whatsapp", type="image/png")}, 100, "file is required"),
        ({"data": form(PNG, "image/png", type="image/png")}, 100, "messaging_product"),
        ({"data": form(b"", "image/png", messaging_product="whatsapp", type="image/png")}, 131053, "empty"),
        ({"json": {"messaging_product": "whatsapp"}}, 100, "multipart/form-data"),
        (
            {"data": b"--x\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=y"}},
            100,
            "not a valid multipart",
        ),
        (
            {"data": form(PNG, "image/png", messaging_product="whatsapp", type="x" * 5_000)},
            100,
            "longer than 4096",
        ),
    ],
)
async def test_an_upload_is_checked(graph: "Graph", sent: dict[str, Any], code: int, words: str) -> None:
    headers = {"Authorization": "Bearer sim-token", **sent.pop("headers", {})}
    answer = await graph.call("POST", MEDIA, headers=headers, **sent)
    assert (answer.status, answer.code) == (400, code), answer.json
    assert words in answer.details


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("?messaging_product=whatsapp", {}),  # only the file: the type is that of its part
        ("", {"messaging_product": "whatsapp", "type": "image"}),  # the kind where the type belongs
        ("", {"messaging_product": "whatsapp", "type": "image/png", "ttl_minutes": "60"}),
    ],
)
async def test_forms_as_clients_send_them(graph: "Graph", query: str, fields: dict[str, str]) -> None:
    answer = await graph.call("POST", MEDIA + query, data=form(PNG, "image/png", **fields))
    described = await graph.call("GET", f"/v25.0/{answer.json['id']}")
    assert described.json["mime_type"] == "image/png"


async def test_a_file_is_described_whole(graph: "Graph", sim: Simulator) -> None:
    media_id = (await upload(graph, PNG, "image/png")).json["id"]
    answer = await graph.call("GET", f"/v25.0/{media_id}?phone_number_id=100000000000001")
    url = answer.json.pop("url")
    assert answer.json == {
        "messaging_product": "whatsapp",
        "mime_type": "image/png",
        "sha256": hashlib.sha256(PNG).hexdigest(),
        "file_size": len(PNG),
        "id": media_id,
    }
    assert url.startswith(f"{sim.base_url}/whatsapp_business/attachments/?mid={media_id}&")
    chosen = await graph.call("GET", f"/v25.0/{media_id}?fields=file_size")
    assert chosen.json == {"file_size": len(PNG), "id": media_id}
    assert (await graph.call("GET", f"/v25.0/{media_id}?fields=colour")).code == 100
    other = await graph.call("GET", f"/v25.0/{media_id}?phone_number_id=100000000000009")
    assert (other.status, other.code) == (400, 100)


async def fetched(graph: "Graph", url: str, bearer: str | None = "sim-token") -> tuple[int, bytes, str]:
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    async with graph.session.get(url, headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers["Content-Type"]


async def url_of(graph: "Graph", media_id: str) -> str:
    url: str = (await graph.call("GET", f"/v25.0/{media_id}")).json["url"]
    return url


async def test_a_download_needs_the_token_and_comes_within_five_minutes(
    graph: "Graph", sim: Simulator
) -> None:
    sim.clock.run(0)
    media_id = (await upload(graph, PDF, "application/pdf")).json["id"]
    url = await url_of(graph, media_id)
    assert await fetched(graph, url) == (200, PDF, "application/pdf")
    assert (await fetched(graph, url, bearer=None))[0] == 401
    assert (await fetched(graph, url, bearer="wrong"))[0] == 401
    assert (await fetched(graph, url + "x"))[0] == 404, "another hash"
    assert (await fetched(graph, url.replace("ext=", "ext=9")))[0] == 404, "a later end"
    sim.advance(299)
    assert (await fetched(graph, url))[0] == 200
    sim.advance(1)
    assert (await fetched(graph, url))[0] == 404
    assert (await fetched(graph, await url_of(graph, media_id)))[0] == 200, "a new URL leads there again"


async def test_a_token_that_does_not_reach_the_account_downloads_nothing(
    graph: "Graph", sim: Simulator
) -> None:
    url = await url_of(graph, (await upload(graph, PDF, "application/pdf")).json["id"])
    stranger = sim.parts.accounts.add_token(waba_ids=["1"])
    assert (await fetched(graph, url, stranger.value))[0] == 403


async def test_uploads_last_30_days_and_what_people_sent_7(graph: "Graph", sim: Simulator) -> None:
    sim.clock.run(0)
    uploaded = (await upload(graph, PNG, "image/png")).json["id"]
    brief = (await upload(graph, PNG, "image/png", ttl_minutes="1")).json["id"]
    world = sim.parts.world
    inbound = store_inbound(world, world.number, "image/png", PNG)

    async def alive() -> list[bool]:
        ids = (uploaded, inbound.id, brief)
        return [(await graph.call("GET", f"/v25.0/{each}")).status == 200 for each in ids]

    assert await alive() == [True, True, True]
    sim.advance(60)
    assert await alive() == [True, True, False]
    sim.advance(7 * DAY_S - 61)
    assert await alive() == [True, True, False]
    sim.advance(1)
    assert await alive() == [True, False, False]
    sim.advance(23 * DAY_S - 1)
    assert await alive() == [True, False, False]
    sim.advance(1)
    gone = await graph.call("GET", f"/v25.0/{uploaded}")
    assert (gone.status, gone.code) == (400, 33)


async def test_a_file_deleted_while_a_call_about_it_is_delayed(graph: "Graph", sim: Simulator) -> None:
    media_id = (await upload(graph, PNG, "image/png")).json["id"]
    fault = {"on": "media", "kind": "delay", "delay_s": 0.2}
    assert (await graph.control("POST", "/faults", fault))[0] == 200
    late = asyncio.create_task(graph.call("GET", f"/v25.0/{media_id}"))
    await sim.live.until(lambda: not sim.faults()["armed"] or None, 10)
    del sim.parts.world.media[media_id]
    assert (await late).code == 33


@pytest.mark.parametrize("minutes", ["0", "43201", "soon"])
async def test_ttl_minutes_is_checked(graph: "Graph", minutes: str) -> None:
    answer = await upload(graph, PNG, "image/png", ttl_minutes=minutes)
    assert (answer.code, "ttl_minutes" in answer.details) == (100, True)


async def test_a_file_is_deleted(graph: "Graph") -> None:
    media_id = (await upload(graph, PNG, "image/png")).json["id"]
    assert (await graph.call("DELETE", f"/v25.0/{media_id}")).json == {"success": True}
    assert (await graph.call("GET", f"/v25.0/{media_id}")).code == 33


async def test_the_digest_of_webhooks_is_base64(sim: Simulator) -> None:
    media = store_inbound(sim.parts.world, sim.parts.world.number, "image/png", PNG, "a.png")
    assert base64.b64decode(media.sha256_base64) == hashlib.sha256(PNG).digest()
    assert media.sha256 == hashlib.sha256(PNG).hexdigest()
    assert (media.inbound, media.kind, media.filename) == (True, "image", "a.png")


async def test_the_oldest_files_make_room(graph: "Graph", sim: Simulator, config: SimulatorConfig) -> None:
    sim.parts.world.config = replace(config, keep_media_bytes=1_000)
    ids = [(await upload(graph, sized("image/png", 400), "image/png")).json["id"] for _ in range(3)]
    alive = [(await graph.call("GET", f"/v25.0/{each}")).status == 200 for each in ids]
    assert alive == [False, True, True]
    large = (await upload(graph, sized("image/png", 5_000), "image/png")).json["id"]
    assert list(sim.parts.world.media) == [large], (
        "one larger than all the room is kept while it is the newest"
    )
