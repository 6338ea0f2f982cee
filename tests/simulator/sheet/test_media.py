"""Media: every type by id and by link, what does not fit at once, and what is found out later (2.4, 8.5)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.outgoing.media import webp_size
from sayso.simulator.world.content import Attachment
from sayso.simulator.world.media import store
from simulator.sheet.shapes import Refusal, of, refused, webp, webp_lossless, webp_lossy

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

AT = "https://example.org/file"
KB = 1024  # the sheet leaves open which kilobyte; media.py takes the generous one

FINE: dict[str, dict[str, Any]] = {
    **{f"{kind} by link": of(kind, link=AT) for kind in ("image", "video", "audio", "document", "sticker")},
    "plain http": of("image", link="http://example.org/a.png"),
    "loopback, left alone": of("image", link="http://127.0.0.1:9/a.png"),
    "caption of 1023": of("image", link=AT, caption="x" * 1023),
    "caption of 1024": of("image", link=AT, caption="x" * 1024),
    "caption on a video": of("video", link=AT, caption="x" * 1024),
    "caption on a document": of("document", link=AT, caption="x" * 1024, filename="a.pdf"),
    "empty caption": of("image", link=AT, caption=""),
    "nulls": of("document", link=AT, id=None, caption=None, filename=None),
    "voice": of("audio", link=AT, voice=True),
    "no voice": of("audio", link=AT, voice=False),
    "type in capitals": {"type": "IMAGE", "image": {"link": AT}},
}

NOT_OURS = "is not a valid whatsapp business account media attachment ID"
REFUSED: dict[str, Refusal] = {
    "no object": ({"type": "image"}, 131008, "image is required"),
    "not an object": ({"type": "image", "image": AT}, 100, "image must be an object"),
    "object of another type": ({"type": "image", "video": {"link": AT}}, 131008, "image is required"),
    "neither id nor link": (of("image"), 131008, "image['id'] or image['link'] is required"),
    "nulls for both": (of("image", id=None, link=None), 131008, "image['id'] or image['link']"),
    "both": (of("image", id="1", link=AT), 131009, "image must have either id or link, not both"),
    "unknown id": (of("image", id="404"), 100, f"Param image['id'] {NOT_OURS}"),
    "unknown id as a number": (of("audio", id=404), 100, f"Param audio['id'] {NOT_OURS}"),
    "id true": (of("image", id=True), 100, "image['id'] must be a string"),
    "ftp": (of("image", link="ftp://example.org/a"), 100, "Param image['link'] is not a valid URI"),
    "a path of this machine": (of("document", link="C:/a.pdf"), 100, "document['link'] is not a valid URI"),
    "a file address": (of("document", link="file:///a.pdf"), 100, "document['link'] is not a valid URI"),
    "no host": (of("video", link="https:///a"), 100, "video['link'] is not a valid URI"),
    "half a bracket": (of("video", link="http://[::1"), 100, "video['link'] is not a valid URI"),
    "a space in it": (of("sticker", link="http://a b/c"), 100, "sticker['link'] is not a valid URI"),
    "empty link": (of("image", link=""), 131008, "image['id'] or image['link'] is required"),
    "link not a string": (of("image", link=5), 100, "image['link'] must be a string"),
    "caption of 1025": (
        of("image", link=AT, caption="x" * 1025),
        100,
        "image['caption'] must be at most 1024",
    ),
    "caption of 1025 on a video": (of("video", link=AT, caption="x" * 1025), 100, "at most 1024"),
    "caption of 1025 on a document": (of("document", link=AT, caption="x" * 1025), 100, "at most 1024"),
    "caption not a string": (of("image", link=AT, caption=1), 100, "image['caption'] must be a string"),
    "caption on an audio": (
        of("audio", link=AT, caption="x"),
        100,
        'Unexpected key "caption" on param audio',
    ),
    "caption on a sticker": (of("sticker", link=AT, caption="x"), 100, 'Unexpected key "caption"'),
    "filename on an image": (of("image", link=AT, filename="a"), 100, 'Unexpected key "filename"'),
    "voice on a video": (of("video", link=AT, voice=True), 100, 'Unexpected key "voice" on param video'),
    "voice not a boolean": (of("audio", link=AT, voice="loud"), 100, "audio['voice'] must be a boolean"),
    "misspelt": (of("image", url=AT), 100, 'Unexpected key "url" on param image'),
}

OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x13"  # one segment of 19 bytes
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(8)
#: What is uploaded as which MIME type and sent as what; the words it fails with later, or None.
UPLOADED: dict[str, tuple[str, bytes, dict[str, Any], str | None]] = {
    "jpeg": ("image/jpeg", b"\xff\xd8\xff", {"kind": "image"}, None),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n", {"kind": "image"}, None),
    "mp4": ("video/mp4", b"..", {"kind": "video"}, None),
    "3gpp": ("video/3gpp", b"..", {"kind": "video"}, None),
    "aac": ("audio/aac", b"..", {"kind": "audio"}, None),
    "mp3": ("audio/mpeg", b"..", {"kind": "audio"}, None),
    "ogg as a voice note": ("audio/ogg; codecs=opus", b"OggS", {"kind": "audio", "voice": True}, None),
    "ogg of Opus": ("audio/ogg", OGG + b"OpusHead", {"kind": "audio"}, None),
    "ogg of Vorbis": ("audio/ogg", OGG + b"\x01vorbis", {"kind": "audio"}, "must hold the Opus codec"),
    "ogg of Vorbis as a voice note": (
        "audio/ogg; codecs=opus",
        OGG + b"\x01vorbis",
        {"kind": "audio", "voice": True},
        "must hold the Opus codec",
    ),
    **{
        f"png of {depth} bits, colour {colour}": (
            "image/png",
            PNG + bytes([depth, colour]),
            {"kind": "image"},
            None if depth == 8 and colour in (2, 6) else "must be 8-bit RGB or RGBA",
        )
        for depth, colour in ((8, 2), (8, 6), (8, 0), (8, 3), (8, 4), (16, 2), (16, 6), (1, 0))
    },
    "pdf": ("application/pdf", b"%PDF", {"kind": "document"}, None),
    "plain text": ("text/plain", b"hi", {"kind": "document"}, None),
    "static sticker of 100 KB": ("image/webp", webp(size=100 * KB), {"kind": "sticker"}, None),
    "animated sticker of 500 KB": (
        "image/webp",
        webp(animated=True, size=500 * KB),
        {"kind": "sticker"},
        None,
    ),
    "static sticker over 100 KB": (
        "image/webp",
        webp(size=100 * KB + 1),
        {"kind": "sticker"},
        "Sticker file size too big: 102401 bytes, at most 102400",
    ),
    "animated sticker over 500 KB": (
        "image/webp",
        webp(animated=True, size=500 * KB + 1),
        {"kind": "sticker"},
        "512001 bytes, at most 512000",
    ),
    "sticker of another size": ("image/webp", webp(511, 512), {"kind": "sticker"}, "512 by 512 pixels"),
    "sticker that is no WebP": ("image/webp", b"x" * 64, {"kind": "sticker"}, "could not be processed"),
    "webp as an image": (
        "image/webp",
        webp(),
        {"kind": "image"},
        "Unsupported Image mime type image/webp. Please use one of image/jpeg, image/png.",
    ),
    "image as a document": (
        "image/png",
        b"..",
        {"kind": "document"},
        "Unsupported Document mime type image/png",
    ),
    "video as an audio": ("video/mp4", b"..", {"kind": "audio"}, "Unsupported Audio mime type video/mp4"),
    "mp3 as a voice note": ("audio/mpeg", b"..", {"kind": "audio", "voice": True}, "must be audio/ogg"),
    "image over 5 MB": (
        "image/png",
        b"x" * (5 * 1024 * KB + 1),
        {"kind": "image"},
        "5242881 bytes, at most 5242880",
    ),
}


@pytest.mark.parametrize("case", FINE)
async def test_accepted(graph: "Graph", case: str) -> None:
    answer = await graph.send(**FINE[case])
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_with_the_field_named(graph: "Graph", case: str) -> None:
    await refused(graph, REFUSED[case])


@pytest.mark.parametrize("case", UPLOADED)
async def test_what_does_not_fit_fails_later(
    graph: "Graph", sim: Simulator, receiver: "Receiver", case: str
) -> None:
    mime_type, data, sent_as, problem = UPLOADED[case]
    await sim.inbound("+15550001111", text="hello")
    kind = sent_as["kind"]
    uploaded = store(sim.parts.world, sim.parts.world.number, mime_type, data)
    more = {"voice": True} if sent_as.get("voice") else {}
    sent = await graph.send(**of(kind, id=uploaded.id, **more))
    status = await receiver.status(sent.wamid, "failed" if problem else "sent")
    if problem:
        [error] = status["errors"]
        assert (error["code"], error["title"]) == (131053, "Media upload error")
        assert problem in error["error_data"]["details"]


async def test_an_id_that_has_expired_fails_later(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    uploaded = store(sim.parts.world, sim.parts.world.number, "image/png", b"..")
    sim.advance(30 * 86_400)
    sent = await graph.send(**of("image", id=uploaded.id))
    [error] = (await receiver.status(sent.wamid, "failed"))["errors"]
    assert error["code"] == 131053
    assert "expired" in error["error_data"]["details"]


async def test_an_id_of_another_number_is_refused(graph: "Graph", sim: Simulator) -> None:
    uploaded = store(sim.parts.world, sim.parts.world.number, "image/png", b"..")
    uploaded.phone_number_id = "400000000000009"
    await refused(graph, (of("image", id=uploaded.id), 100, NOT_OURS))


async def test_the_sentence_is_in_the_message_too(graph: "Graph") -> None:
    answer = await graph.send(**of("image", id="404"))
    assert answer.json["error"]["message"] == f"(#100) Param image['id'] {NOT_OURS}"


async def test_what_the_person_sees(graph: "Graph", sim: Simulator) -> None:
    uploaded = store(sim.parts.world, sim.parts.world.number, "application/pdf", b"%PDF", "kept.pdf")
    sticker = store(sim.parts.world, sim.parts.world.number, "image/webp", webp(animated=True))
    sent = [
        await graph.send(**of("document", id=uploaded.id, caption="Read me")),
        await graph.send(**of("document", id=uploaded.id, filename="given.pdf")),
        await graph.send(**of("audio", link="https://example.org/word.ogg", voice=True)),
        await graph.send(**of("sticker", id=sticker.id)),
        await graph.send(**of("image", link="https://example.org/a.png?size=1")),
    ]
    seen = [sim.parts.world.messages[each.wamid].content for each in sent]
    assert seen[0].shown == "Read me"
    pdf = "application/pdf"
    assert [each.attachment for each in seen] == [
        Attachment("document", id=uploaded.id, mime_type=pdf, filename="kept.pdf"),
        Attachment("document", id=uploaded.id, mime_type=pdf, filename="given.pdf"),
        Attachment("audio", link="https://example.org/word.ogg", mime_type="audio/ogg", voice=True),
        Attachment("sticker", id=sticker.id, mime_type="image/webp", animated=True),
        Attachment("image", link="https://example.org/a.png?size=1", mime_type="image/png"),
    ]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (webp(512, 300), (512, 300)),
        (webp_lossless(512, 300), (512, 300)),
        (webp_lossy(512, 300), (512, 300)),
        (b"RIFF\0\0\0\0WEBPWHAT" + bytes(20), None),
        (b"RIFF\0\0\0\0WAVEfmt " + bytes(20), None),
        (b"RIFF", None),
    ],
)
def test_the_size_of_a_webp_picture(data: bytes, size: tuple[int, int] | None) -> None:
    assert webp_size(data) == size
