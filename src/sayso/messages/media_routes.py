"""Upload a file, to send it by its id."""

import contextlib
import mimetypes
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sayso.core import faults
from sayso.core.api import Rt, json_response
from sayso.core.auth import MaySend
from sayso.core.described import refusals
from sayso.core.errors import (
    BodyTooLargeError,
    FileTooLargeError,
    MetaUnreachableError,
)
from sayso.messages.acceptance import sender_of
from sayso.whatsapp.management import RefusedByMetaError
from sayso.whatsapp.media import KEPT, LARGEST_OF_ALL, File, MediaClient, kind_of

router = APIRouter(tags=["messages"])

PATH: Final = "/media"
#: The largest file, and what a form around it takes.
LARGEST_BODY: Final = LARGEST_OF_ALL + 64 * 1024
_NAME_AT_MOST: Final = 240
_FIELD_AT_MOST: Final = 1_000

_FORM: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "type": {
                        "type": "string",
                        "description": "Its MIME type; left out, the part's own, or what the file's name says.",
                        "examples": ["image/png"],
                    },
                    "sender": {
                        "type": "string",
                        "description": "The phone number id that will send it; the first one by default.",
                    },
                },
            }
        }
    },
}


class MediaOut(BaseModel):
    """An uploaded file. `kind` is the `message_type` it may be sent as, by `sender` alone, until `expires_at`."""

    id: str
    kind: str
    mime_type: str
    size: int
    sender: str
    expires_at: datetime


async def _client(request: Request) -> MediaClient:
    client: MediaClient = request.app.state.media
    return client


@router.post(
    PATH,
    status_code=201,
    response_model=MediaOut,
    openapi_extra={"requestBody": _FORM},
    responses=refusals(FileTooLargeError, BodyTooLargeError, RefusedByMetaError, MetaUnreachableError),
)
async def upload(
    rt: Rt, _actor: MaySend, request: Request, client: Annotated[MediaClient, Depends(_client)]
) -> Response:
    """Upload a file to Meta; its id goes into `image`, `video`, `audio`, `document`, `sticker` or a header.

    Refused before anything is uploaded when WhatsApp does not take the type, when the first bytes are not those of the
    declared type (422), and when WhatsApp does not take so large a file (413): JPEG and PNG 5 MB, MP4 and 3GPP 16 MB,
    sounds 16 MB, documents 100 MB, WebP stickers 100 KB (animated 500 KB).
    """
    async with client.room, _form(request) as form:
        file = _file(form)
        kind, sender = kind_of(file), sender_of(rt, _text(form, "sender"))
        media_id = await client.upload(sender, file)
    uploaded = MediaOut(
        id=media_id,
        kind=kind,
        mime_type=file.mime_type,
        size=file.size,
        sender=sender,
        expires_at=rt.now() + KEPT,
    )
    return json_response(uploaded.model_dump(), 201)


@contextlib.asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    """The parts of the request, the file on the disk when it is large; gone afterwards."""
    try:
        form = await request.form(max_files=1, max_fields=2, max_part_size=_FIELD_AT_MOST)
    except HTTPException as error:
        if error.status_code != HTTPStatus.BAD_REQUEST:
            raise
        raise faults.wrong("", f"is no multipart/form-data with one file: {error.detail}") from None
    try:
        yield form
    finally:
        await form.close()


def _file(form: FormData) -> File:
    given = form.get("file")
    if not isinstance(given, UploadFile):
        raise faults.wrong("/file", "is missing: send it as multipart/form-data, in a part named file")
    name = (given.filename or "file").replace("\r", "").replace("\n", "")[-_NAME_AT_MOST:]
    said = _text(form, "type") or given.content_type or ""
    if "/" not in said or said == "application/octet-stream":
        said = mimetypes.guess_type(name)[0] or said or "application/octet-stream"
    mime_type = said.partition(";")[0].strip().lower()
    return File(given.file, name, mime_type, given.size or 0)


def _text(form: FormData, field: str) -> str | None:
    given = form.get(field)
    return given if isinstance(given, str) and given else None
