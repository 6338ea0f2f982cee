"""Files go up through POST /media and out by their id; what WhatsApp does not take is refused before it leaves us."""

import contextlib
import io
from typing import Any

import aiohttp
import pytest
from starlette.exceptions import HTTPException

from harness.world import ALICE, World
from sayso.core.api import LARGEST_BODY, Bounded
from sayso.simulator.faults.model import DropBefore, RefuseWithError
from sayso.simulator.phone.samples import sample
from sayso.whatsapp.media import KB, KINDS, LARGEST, MB

TYPES = {
    "image": "image/png",
    "video": "video/mp4",
    "audio": "audio/aac",
    "document": "application/pdf",
    "sticker": "image/webp",
}


async def upload(
    world: World, data: bytes, mime_type: str, *, name: str = "file", **fields: str
) -> tuple[int, Any]:
    form = aiohttp.FormData()
    for field, value in fields.items():
        form.add_field(field, value)
    form.add_field("file", io.BytesIO(data), filename=name, content_type=mime_type)
    return await world.api.call("POST", "/media", data=form)


async def test_a_file_goes_up_and_out_as_each_kind(world: World) -> None:
    await world.open_window()
    for kind, mime_type in TYPES.items():
        data = sample(kind).data  # type: ignore[arg-type] # the keys are its kinds
        status, told = await upload(world, data, mime_type, name=f"a.{kind}")
        assert status == 201, told
        assert (told["kind"], told["mime_type"], told["size"]) == (kind, mime_type, len(data))
        body = {"recipient": ALICE, "message_type": kind, kind: {"id": told["id"]}}
        status, sent = await world.api.call("POST", "/send", json=body)
        assert status == 202, sent
        await world.stands(sent["id"], "read")
    await world.keeps_its_promises()


REFUSED = [
    (b"", "image/png", 422, "input_invalid", "empty"),
    (b"x", "image/gif", 422, "input_invalid", "image/gif"),
    (bytes(5 * MB + 1), "image/jpeg", 413, "file_too_large", "1 more than the 5,242,880"),
    (bytes(100 * KB + 1), "image/webp", 413, "file_too_large", "1 more than the 102,400"),
    (sample("image").data, "image/jpeg", 422, "input_invalid", "those of a PNG picture (image/png)"),
    (b"GIF89a", "image/png", 422, "input_invalid", "a GIF picture, which WhatsApp does not take"),
    (b"hello", "application/pdf", 422, "input_invalid", "not those of such a file"),
]


async def test_what_whatsapp_does_not_take_never_leaves_us(world: World) -> None:
    for data, mime_type, status, code, says in REFUSED:
        got, told = await upload(world, data, mime_type)
        assert (got, told["code"], told["errors"][0]["pointer"]) == (status, code, "/file")
        assert says in told["detail"]
        assert "text" not in told["title"]
    status, told = await upload(world, sample("image").data, "image/png", sender="1")
    assert (status, told["errors"][0]["pointer"]) == (422, "/sender")
    status, told = await world.api.call("POST", "/media", json={})
    assert (status, told["errors"][0]["pointer"]) == (422, "/file")
    headers = {"Content-Type": "multipart/form-data"}
    status, told = await world.api.call("POST", "/media", data=b"x", headers=headers)
    assert (status, told["code"]) == (422, "input_invalid")
    assert not [each for each in world.sim.exchanges() if each["path"].endswith("/media")]


async def test_a_sticker_that_moves_may_be_larger(world: World) -> None:
    moving = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02" + bytes(200 * KB)
    status, told = await upload(world, moving, "image/webp; q=1")
    assert (status, told.get("kind")) == (201, "sticker"), told


async def test_the_type_is_what_is_said_or_the_parts_or_the_names(world: World) -> None:
    data = sample("image").data
    for mime_type, name, fields in (
        ("application/octet-stream", "a.png", {}),
        ("text/html", "a", {"type": "image/png"}),
        ("IMAGE/PNG", "a", {}),
    ):
        status, told = await upload(world, data, mime_type, name=name, **fields)
        assert (status, told.get("mime_type")) == (201, "image/png"), told


@pytest.mark.parametrize(("path", "most"), [("/media", 300_000), ("/send", LARGEST_BODY)])
async def test_only_uploads_may_be_larger_than_other_requests(path: str, most: int) -> None:
    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        for _ in range(2):
            await receive()

    async def send(_message: Any) -> None:
        pytest.fail("nothing is answered here")

    for size, refused in ((most, False), (most + 1, True)):
        pieces = iter([bytes(size - 1), b"x"])

        async def receive(pieces: Any = pieces) -> Any:
            return {"type": "http.request", "body": next(pieces), "more_body": True}

        bounded = Bounded(app, larger={"/media": 300_000})
        with pytest.raises(HTTPException, match=f"{most:,}") if refused else contextlib.nullcontext():
            await bounded({"type": "http", "path": path}, receive, send)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (RefuseWithError(code=131053, on="media"), 502, "meta_refused"),
        (DropBefore(on="media"), 503, "meta_unreachable"),
    ],
)
async def test_an_upload_that_meta_does_not_take_is_told(
    world: World, fault: Any, status: int, code: str
) -> None:
    world.sim.arm(fault)
    got, told = await upload(world, sample("image").data, "image/png")
    assert (got, told["code"]) == (status, code)
    got, _ = await upload(world, sample("image").data, "image/png")
    assert got == 201


def test_every_kind_has_a_size() -> None:
    assert set(KINDS.values()) == set(LARGEST) == set(TYPES)
