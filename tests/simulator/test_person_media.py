"""Files that people send: real bytes, ids that last a week, URLs that last five minutes (4.8, 8.5)."""

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sayso.simulator import Simulator
from sayso.simulator.phone.samples import sample
from sayso.simulator.world.content import MediaKind
from sayso.simulator.world.media import LIMITS, is_animated, looks_like
from simulator.known import ANA
from simulator.person_stage import common, told_by

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

MEDIA: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("image", {"caption": "Look"}, {"mime_type": "image/png", "caption": "Look"}),
    ("video", {}, {"mime_type": "video/mp4"}),
    ("audio", {}, {"mime_type": "audio/aac", "voice": False}),
    ("audio", {"voice": True}, {"mime_type": "audio/ogg; codecs=opus", "voice": True}),
    ("document", {"filename": "a.pdf"}, {"mime_type": "application/pdf", "filename": "a.pdf"}),
    ("sticker", {"animated": True}, {"mime_type": "image/webp", "animated": True}),
]


@pytest.mark.parametrize(("kind", "given", "wanted"), MEDIA)
async def test_media_with_real_bytes(
    sim: Simulator,
    graph: "Graph",
    receiver: "Receiver",
    kind: MediaKind,
    given: dict[str, Any],
    wanted: dict[str, Any],
) -> None:
    data = sample(kind, voice=given.get("voice", False)).data
    for bytes_of in ({"sample": True}, {"data_base64": base64.b64encode(data).decode()}):
        message, _ = await told_by(graph, receiver, {"media": {"kind": kind, **bytes_of, **given}})
        told = message[kind]
        ident, url = told["id"], told["url"]
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        assert message == {
            **common(sim, message),
            "type": kind,
            kind: {"id": ident, "url": url, "sha256": digest, **wanted},
        }
        answer = await graph.call("GET", f"/v25.0/{ident}")
        assert answer.json["sha256"] == hashlib.sha256(data).hexdigest(), "hex here, base64 there (8.5)"
        headers = {"Authorization": "Bearer sim-token"}
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as file:
            assert await file.read() == data
    sim.advance(7 * 86_400 + 1)
    assert (await graph.call("GET", f"/v25.0/{ident}")).status >= 400, "ids of webhooks last seven days"


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_samples_are_what_they_say(kind: Any) -> None:
    made = sample(kind)
    assert looks_like(made.mime_type, made.data)
    assert not is_animated(made.data)
    begins = {"video": b"ftyp", "audio": b"\xff\xf1"}.get(kind, b"")
    assert begins in made.data[:12]


def test_a_voice_note_is_ogg_with_opus_and_right_checksums() -> None:
    data = sample("audio", voice=True).data
    pages = data.split(b"OggS")[1:]
    assert [page[24:32] for page in pages[:2]] == [b"OpusHead", b"OpusTags"]
    for page in pages:
        assert crc_of(b"OggS" + page[:18] + bytes(4) + page[22:]) == int.from_bytes(page[18:22], "little")


def crc_of(data: bytes) -> int:
    """Divide by Ogg's polynomial, bit by bit (RFC 3533)."""
    rest = 0
    for bit in (byte >> place & 1 for byte in data for place in range(7, -1, -1)):
        carry = (rest >> 31) ^ bit
        rest = (rest << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if carry else 0)
    return rest


async def test_bytes_are_bounded_by_kind(sim: Simulator) -> None:
    most = LIMITS["image"]
    with pytest.raises(ValueError, match=f"has 1 to {most} bytes; this one has {most + 1}"):
        await sim.person(ANA).sends_image(bytes(most + 1))
    await sim.person(ANA).sends_image(bytes(most))
    with pytest.raises(ValueError, match="this one has 0"):
        await sim.person(ANA).sends_image(b"")
