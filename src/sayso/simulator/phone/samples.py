"""Small files made by code, for when it does not matter what a photo shows: real bytes of every kind (8.5)."""

import struct
import zlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sayso.simulator.world.content import MediaKind

_OGG_POLYNOMIAL = 0x04C11DB7
_SILENCE = b"\xf8\xff\xfe"  # 20 ms of Opus
_FRAME_AT_48_KHZ = 960


class Sample(NamedTuple):
    """A file's bytes, its MIME type, and the name it would have."""

    data: bytes
    mime_type: str
    filename: str


def sample(kind: MediaKind, *, voice: bool = False) -> Sample:
    """Make a small file of this kind; a voice note is Ogg with Opus."""
    if kind == "audio" and voice:
        return Sample(silence(), "audio/ogg; codecs=opus", "voice.ogg")
    data, mime_type, filename = _MAKERS[kind]
    return Sample(data(), mime_type, filename)


def picture(width: int = 32, height: int = 24) -> bytes:
    """Draw a PNG: a blend of two colours."""
    rows = b"".join(
        b"\0" + bytes(part for x in range(width) for part in (x * 255 // width, y * 255 // height, 160))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def sticker(size: int = 512, colour: tuple[int, int, int] = (37, 211, 102)) -> bytes:
    """Draw a square of one colour as lossless WebP: prefix codes of one symbol each cost no bit per pixel."""
    red, green, blue = colour
    fields = [(0x2F, 8), (size - 1, 14), (size - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    for value in (green, red, blue, 255):
        fields += [(1, 1), (0, 1), (1, 1), (value, 8)]
    fields += [(1, 1), (0, 1), (0, 1), (0, 1)]
    stream = _packed(fields)
    stream += b"\0" * (len(stream) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(stream)) + stream
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def silence(seconds: float = 1.0) -> bytes:
    """Record silence as a voice note: Ogg with Opus, one channel."""
    frames = max(1, round(seconds * 50))
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 9) + b"simulator" + struct.pack("<I", 0)
    pages = [_ogg_page(2, 0, 0, [head]), _ogg_page(0, 0, 1, [tags])]
    pages.append(_ogg_page(4, frames * _FRAME_AT_48_KHZ, 2, [_SILENCE] * frames))
    return b"".join(pages)


def tone() -> bytes:
    """Record silence as AAC in ADTS frames, for audio that is not a voice note."""
    raw = b"\x01\x18\x20\x07"  # one silent channel
    length = 7 + len(raw)
    header = bytes(
        (0xFF, 0xF1, 0x6C, 0x40, (length >> 3) & 0xFF, ((length & 7) << 5) | 0x1F, 0xFC)
    )  # MPEG-4 AAC-LC, 8 kHz, mono
    return (header + raw) * 8


def paper() -> bytes:
    """Print one empty page as PDF."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>",
    )
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%sendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 4\n0000000000 65535 f \n" + table + trailer


def film() -> bytes:
    """Cut an MP4 with a header and no track: a film of no length, in form a file of its kind."""
    header = struct.pack(">IIIIIIHH", 0, 0, 0, 1_000, 0, 0x00010000, 0x0100, 0) + b"\0" * 8
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    movie = _box(b"mvhd", header + matrix + b"\0" * 24 + struct.pack(">I", 1))
    return _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + _box(b"moov", movie)


_MAKERS: dict[MediaKind, tuple[Callable[[], bytes], str, str]] = {
    "image": (picture, "image/png", "photo.png"),
    "video": (film, "video/mp4", "video.mp4"),
    "audio": (tone, "audio/aac", "audio.aac"),
    "document": (paper, "application/pdf", "document.pdf"),
    "sticker": (sticker, "image/webp", "sticker.webp"),
}


def _packed(fields: Iterable[tuple[int, int]]) -> bytes:
    """Pack (value, width) bits, the lowest first."""
    number = place = 0
    for value, width in fields:
        number |= value << place
        place += width
    return number.to_bytes((place + 7) // 8, "little")


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def _ogg_page(flags: int, granule: int, sequence: int, packets: list[bytes]) -> bytes:
    lacing = bytes(len(packet) for packet in packets)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 1, sequence, 0, len(lacing))
    page = head + lacing + b"".join(packets)
    return page[:22] + struct.pack("<I", _ogg_checksum(page)) + page[26:]


def _ogg_checksum(page: bytes) -> int:
    rest = 0
    for byte in page:
        rest ^= byte << 24
        for _ in range(8):
            rest = ((rest << 1) ^ _OGG_POLYNOMIAL if rest & 0x80000000 else rest << 1) & 0xFFFFFFFF
    return rest
