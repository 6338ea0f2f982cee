"""Media: uploaded, described, downloaded, deleted (cloud-api.md 8.5)."""

import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from sayso.simulator.call import PARTS, UNREADABLE, Call, Route, answer, check_product, success, unreadable
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import whole_number
from sayso.simulator.graph.selection import plain_readers, select
from sayso.simulator.graph.tokens import check_scope
from sayso.simulator.world.accounts import MESSAGING
from sayso.simulator.world.media import (
    DOWNLOAD_PATH,
    KINDS,
    LARGEST,
    UPLOAD_KEPT_S,
    Media,
    find_media,
    is_animated,
    kind_of,
    limit_of,
    looks_like,
    media_url,
    plain_type,
    store,
    url_hash,
)
from sayso.simulator.world.world import World

TYPE = "WhatsAppBusinessMedia"
IN_MEMORY = 1024 * 1024  # of a file on its way; what is more waits on the disk until it is whole
_FIELD_AT_MOST = 4_096
_PIECE = 256 * 1024
_MINUTE_S = 60
_OCTETS = "application/octet-stream"


@dataclass(slots=True)
class _Form:
    """What a multipart upload brought."""

    fields: dict[str, str] = field(default_factory=dict)
    data: bytes | None = None
    size: int = 0
    mime_type: str = ""
    filename: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list)  # for the log of exchanges


class MediaCalls:
    """Everything the API does with media."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("POST", "number", "media", "media", MESSAGING, self._upload),
            Route("GET", "media", "", "media", MESSAGING, self._describe),
            Route("DELETE", "media", "", "media", MESSAGING, self._delete),
            Route(
                "GET",
                "root",
                DOWNLOAD_PATH.strip("/"),
                "media_download",
                MESSAGING,
                self._download,
                unproven=True,
            ),
        ]

    async def _upload(self, call: Call) -> web.Response:
        """Keep a file: multipart ``file``, ``type``, ``messaging_product`` (this one by query too)."""
        if call.request.content_type != "multipart/form-data":
            raise GraphError(
                100, f"Content-Type must be multipart/form-data; it is {call.request.content_type}."
            )
        form = await _read_form(call.request)
        given = call.query | form.fields
        check_product(given)
        if form.data is None:
            raise GraphError(100, "The parameter file is required.")
        mime_type = _type_of(given.get("type", ""), form)
        _check(mime_type, form)
        number = self._world.accounts.numbers[call.node]
        kept_s = _kept_s(given.get("ttl_minutes"))
        media = store(self._world, number, mime_type, form.data, form.filename, kept_s=kept_s)
        return answer({"id": media.id})

    async def _describe(self, call: Call) -> web.Response:
        """Tell the URL, valid for five minutes, and what the file is."""
        media = self._of_number(call)
        url = media_url(call.base_url, media, self._world.clock.now())
        told = {
            "messaging_product": "whatsapp",
            "url": url,
            "mime_type": media.mime_type,
            "sha256": media.sha256,
            "file_size": len(media.data),
            "id": media.id,
        }
        readers = plain_readers(told)
        return answer(select(TYPE, readers, call.query.get("fields"), ",".join(told)))

    async def _delete(self, call: Call) -> web.Response:
        del self._world.media[self._of_number(call).id]
        return success()

    async def _download(self, call: Call) -> web.Response:
        """Hand out the bytes; a URL whose time is over, or that was never given, leads nowhere (404)."""
        query = call.query
        media = find_media(self._world, query.get("mid", ""))
        expires = whole_number(query.get("ext"))
        if media is None or expires is None or url_hash(media, expires) != query.get("hash"):
            raise GraphError(131052, "There is no media at this URL.", http_status=404)
        number = self._world.accounts.numbers[media.phone_number_id]
        check_scope(call.token, MESSAGING, number.waba_id)
        if expires <= self._world.clock.now():
            raise GraphError(
                131052, "This URL was valid for five minutes: ask for the media again.", http_status=404
            )
        headers = {"Content-Type": media.mime_type}
        if media.filename:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(media.filename)}"
        return web.Response(body=media.data, headers=headers)

    def _of_number(self, call: Call) -> Media:
        """Return the media; with ``phone_number_id`` it must be that number's."""
        media = find_media(self._world, call.node)
        if media is None:  # it ended, or was deleted, while the call was delayed
            raise GraphError(33, f"The media {call.node} does not exist any more.")
        wanted = call.query.get("phone_number_id")
        if wanted is not None and wanted != media.phone_number_id:
            raise GraphError(
                100, f"Param phone_number_id: the media {media.id} is not of the number {wanted}."
            )
        return media


async def _read_form(request: web.Request) -> _Form:
    """Read a multipart body part by part; of a file beyond the largest allowed only its size is kept."""
    form = _Form()
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader):
                await _read_part(part, form)
    except UNREADABLE as problem:
        raise unreadable(request, problem) from problem
    request[PARTS] = form.parts
    return form


async def _read_part(part: BodyPartReader, form: _Form) -> None:
    told = {
        "name": part.name or "",
        "filename": part.filename,
        "content_type": part.headers.get("Content-Type", ""),
    }
    if part.name != "file":
        raw = b"".join([chunk async for chunk in _chunks(part, _FIELD_AT_MOST)])
        form.fields[part.name or ""] = raw.decode("utf-8", errors="replace").strip()
        form.parts.append({**told, "size": len(raw), "value": form.fields[part.name or ""]})
        return
    form.mime_type = part.headers.get("Content-Type", "")
    form.filename = part.filename or ""
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as kept:
        async for chunk in _chunks(part):
            form.size += len(chunk)
            if form.size <= LARGEST:
                kept.write(chunk)
        kept.seek(0)
        form.data = kept.read() if form.size <= LARGEST else b""
    form.parts.append({**told, "size": form.size})


async def _chunks(part: BodyPartReader, at_most: int | None = None) -> AsyncIterator[bytes]:
    size = 0
    while chunk := await part.read_chunk(_PIECE):
        size += len(chunk)
        if at_most is not None and size > at_most:
            raise GraphError(100, f"Param {part.name} is longer than {at_most} bytes.")
        yield bytes(chunk)


def _type_of(said: str, form: _Form) -> str:
    """Tell the MIME type: the parameter ``type``, or the file part's own where that is no MIME type.

    Clients leave ``type`` out, or give the kind (``image``) there.
    """
    return said if "/" in said else form.mime_type or _OCTETS


def _check(mime_type: str, form: _Form) -> None:
    """Refuse what Meta does not take: a type it does not know or that is not the file's (100), a size (131053)."""
    kind = kind_of(mime_type)
    data = form.data or b""
    if kind is None or (form.size <= LARGEST and data and not looks_like(mime_type, data)):
        found = plain_type(mime_type) if kind is None else _OCTETS
        words = (
            f"Param file must be a file with one of the following types: {', '.join(KINDS)}. "
            f"Received file of type '{found}'."
        )
        raise GraphError(100, words)
    limit = limit_of(mime_type, data)
    if form.size > limit:
        name = f"{'animated' if is_animated(data) else 'static'} sticker" if kind == "sticker" else kind
        raise GraphError(131053, f"The file has {form.size} bytes; {name} files may have at most {limit}.")
    if not form.size:
        raise GraphError(131053, "The file is empty.")


def _kept_s(ttl_minutes: str | None) -> float:
    """Tell how long the id lasts: 30 days, or less where ``ttl_minutes`` says so."""
    if ttl_minutes is None:
        return UPLOAD_KEPT_S
    minutes = whole_number(ttl_minutes)
    if minutes is None or not 0 < minutes * _MINUTE_S <= UPLOAD_KEPT_S:
        most = UPLOAD_KEPT_S // _MINUTE_S
        raise GraphError(100, f"Param ttl_minutes must be between 1 and {most}; it is {ttl_minutes}.")
    return minutes * _MINUTE_S
