"""Uploading media to Meta: what it takes, and the call (cloud-api 8.5)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, Final

import aiohttp

from sayso.core import faults
from sayso.core.database import in_transaction
from sayso.core.errors import Fault, FileTooLargeError, MetaUnreachableError
from sayso.whatsapp import signatures
from sayso.whatsapp.credentials import Credentials
from sayso.whatsapp.failures import NO_CODE, GraphError, classify, graph_error
from sayso.whatsapp.management import RefusedByMetaError
from sayso.whatsapp.tolerant import UnloadableError, load

KB: Final = 1024
MB: Final = 1024 * KB

#: How long the id of an upload can be sent.
KEPT: Final = timedelta(days=30)

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
#: What Meta takes, and as what it may be sent.
KINDS: Final[Mapping[str, str]] = {
    "audio/aac": "audio",
    "audio/amr": "audio",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "audio/ogg": "audio",
    "text/plain": "document",
    "application/pdf": "document",
    "application/msword": "document",
    "application/vnd.ms-excel": "document",
    "application/vnd.ms-powerpoint": "document",
    f"{_OFFICE}.wordprocessingml.document": "document",
    f"{_OFFICE}.spreadsheetml.sheet": "document",
    f"{_OFFICE}.presentationml.presentation": "document",
    "image/jpeg": "image",
    "image/png": "image",
    "image/webp": "sticker",
    "video/mp4": "video",
    "video/3gpp": "video",
}
#: The largest file of a kind, in bytes; a sticker that moves may be larger than one that stands still.
LARGEST: Final[Mapping[str, int]] = {
    "audio": 16 * MB,
    "document": 100 * MB,
    "image": 5 * MB,
    "sticker": 500 * KB,
    "video": 16 * MB,
}
STILL_STICKER: Final = 100 * KB
LARGEST_OF_ALL: Final = max(LARGEST.values())

#: Files in hand at once.
AT_ONCE: Final = 4
_MAX_ANSWER_BYTES: Final = 262_144
_SUCCESS: Final = range(200, 300)
#: Where the extended form of WebP says that it is animated: a bit of the byte after ``VP8X`` and its length.
_VP8X, _FLAGS, _ANIMATED = slice(12, 16), 20, 0x02


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload. ``mime_type`` is bare, without parameters; ``size`` in bytes."""

    data: BinaryIO
    name: str
    mime_type: str
    size: int


def kind_of(file: File, *, at: str = "/file") -> str:
    """As what a file may be sent: image, video, audio, document or sticker; ``at`` points at it in the request.

    Raises :class:`InputInvalidError` for what Meta does not take, :class:`FileTooLargeError` for what is too large.
    """
    kind = KINDS.get(file.mime_type)
    if kind is None:
        raise faults.wrong(
            at, f"a file of type {file.mime_type!r} cannot be sent; WhatsApp takes {', '.join(KINDS)}"
        )
    if not file.size:
        raise faults.wrong(at, "is empty")
    most = LARGEST[kind]
    if kind == "sticker" and not _moves(file):
        most = STILL_STICKER
    if file.size > most:
        detail = (
            f"The {kind} has {file.size:,} bytes, {file.size - most:,} more than the {most:,} WhatsApp takes."
        )
        raise FileTooLargeError(detail, faults=[Fault(detail, at)])
    _as_declared(file, at)
    return kind


def _as_declared(file: File, at: str) -> None:
    """Meta looks into the file as well, but tells of it only in a webhook after the send (131053)."""
    head = _head(file)
    if signatures.fits(file.mime_type, head):
        return
    looks = signatures.recognised(head)
    seen = (
        f"its first bytes are those of {looks}" if looks else "its first bytes are not those of such a file"
    )
    raise faults.wrong(at, f"is declared as {file.mime_type}, but {seen}. Say what it is, or convert it")


def _head(file: File) -> bytes:
    head = file.data.read(signatures.HEAD)
    file.data.seek(0)
    return head


def _moves(file: File) -> bool:
    head = _head(file)
    return head[_VP8X] == b"VP8X" and bool(head[_FLAGS] & _ANIMATED)


class MediaClient:
    """Uploads to one Graph API, over a session of ``wire.graph_session``. They reach nobody: one may be repeated.

    ``room`` is to be held by whoever has a file in hand: each may wait on the disk until it is whole.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        base_url: str,
        version: str,
        credentials: Credentials,
        timeout_s: float = 300.0,
    ) -> None:
        self._http = http
        self._root = base_url.rstrip("/") + (f"/{version}" if version else "")
        self._credentials = credentials
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=10.0)
        self.room = asyncio.Semaphore(AT_ONCE)

    async def upload(self, phone_number_id: str, file: File) -> str:
        """Upload a file for a number of ours; the media id, which only this number can send.

        Raises :class:`RefusedByMetaError`, :class:`MetaUnreachableError`; RuntimeError inside a transaction.
        """
        if in_transaction():
            raise RuntimeError("a call to Meta inside a transaction")
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", file.mime_type)
        form.add_field("file", file.data, filename=file.name, content_type=file.mime_type)
        headers = {"Authorization": f"Bearer {self._credentials.token}", "User-Agent": "sayso"}
        try:
            async with self._http.post(
                f"{self._root}/{phone_number_id}/media",
                data=form,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return _media_id(response.status, await _body(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise MetaUnreachableError(f"The upload did not get through ({type(error).__name__}).") from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    while chunk := await response.content.readany():
        read += chunk
        if len(read) > _MAX_ANSWER_BYTES:
            raise aiohttp.ClientPayloadError
    return bytes(read)


def _media_id(status: int, body: bytes) -> str:
    try:
        answer = load(body)
    except UnloadableError:
        answer = None
    told = answer if isinstance(answer, dict) else {}
    media_id = told.get("id")
    if status in _SUCCESS and isinstance(media_id, str) and media_id:
        return media_id
    error = graph_error(told.get("error"))
    if error is None and status in _SUCCESS:
        raise MetaUnreachableError("Meta's answer to the upload names no id.")
    error = error or GraphError(NO_CODE, f"HTTP {status}")
    raise RefusedByMetaError(error, classify(error, http_status=status), status)
