"""Small files of every kind Meta takes, and a host that offers them by link."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clients.stage import Background


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png() -> bytes:
    """Draw one red dot."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    dot = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", dot) + _chunk(b"IEND", b"")


def _webp() -> bytes:
    """Head a static sticker of 512 by 512, lossless and empty."""
    size = struct.pack("<I", (512 - 1) | (512 - 1) << 14)
    body = b"WEBPVP8L" + struct.pack("<I", 10) + b"\x2f" + size + b"\x07\x10\x11\x11\x88"
    return b"RIFF" + struct.pack("<I", len(body)) + body


PNG = _png()
WEBP = _webp()
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08mdat"
OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(10)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

OFFERED = {
    "dot.png": ("image/png", PNG),
    "photo.jpg": ("image/jpeg", JPEG),
    "clip.mp4": ("video/mp4", MP4),
    "word.ogg": ("audio/ogg", OGG),
    "report.pdf": ("application/pdf", PDF),
    "wave.webp": ("image/webp", WEBP),
}

#: Each of them as it is uploaded.
UPLOADS = [(content, mime_type) for mime_type, content in OFFERED.values()]


class Shelf:
    """Where the files are."""

    def __init__(self, port: int) -> None:
        self._port = port

    def link(self, name: str) -> str:
        """Return the address of a file."""
        return f"http://127.0.0.1:{self._port}/{name}"


async def _file(request: Request) -> Response:
    mime_type, content = OFFERED[request.path_params["name"]]
    return Response(content, media_type=mime_type)


@contextmanager
def offering(background: Background) -> Iterator[Shelf]:
    """Serve the files."""
    app = Starlette(routes=[Route("/{name}", _file)])
    with background.serving(app) as port:
        yield Shelf(port)
