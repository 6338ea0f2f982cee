"""The resumable upload: sessions and handles of files for template headers and profile pictures (cloud-api.md 3.2)."""

import base64

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, required
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import whole_number
from sayso.simulator.world.media import LARGEST, UPLOADS_AT_MOST, Upload
from sayso.simulator.world.world import World

#: File types the upload takes; ``image/jpg`` is taken as it is said.
TYPES = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")


class Uploads:
    """Upload sessions of apps."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("POST", "app", "uploads", "uploads", None, self._begin),
            Route("POST", "upload", "", "uploads", None, self._receive),
            Route("GET", "upload", "", "uploads", None, self._describe),
        ]

    async def _begin(self, call: Call) -> web.Response:
        """Open a session of ``file_length`` bytes of ``file_type`` (3.2)."""
        if call.app.id != call.node:
            raise GraphError(10, f"The access token belongs to the app {call.app.id}, not to {call.node}.")
        given = await call.given()
        said, mime_type = required(given, "file_length"), str(required(given, "file_type"))
        length = whole_number(said)
        if length is None or not 0 < length <= LARGEST:
            raise GraphError(100, f"Param file_length must be between 1 and {LARGEST}; it is {said}.")
        if mime_type not in TYPES:
            raise GraphError(100, f"Param file_type must be one of {', '.join(TYPES)}; it is {mime_type}.")
        world = self._world
        upload = Upload(
            f"upload:{world.mint.opaque(24)}",
            call.app.id,
            length,
            mime_type,
            str(given.get("file_name", "")),
        )
        world.uploads[upload.id] = upload
        self._make_room()
        return answer({"id": f"{upload.id}?sig={world.mint.opaque(12)}"})

    async def _receive(self, call: Call) -> web.Response:
        """Take bytes from ``file_offset`` on; with the last of them comes the handle."""
        upload = self._mine(call)
        if whole_number(call.request.headers.get("file_offset")) != len(upload.data):
            raise GraphError(
                100, f"The header file_offset must be {len(upload.data)}, which is where this upload is."
            )
        pieces, size = [upload.data], len(upload.data)
        try:
            async for piece in call.request.content.iter_any():
                size += len(piece)
                if size <= upload.length:
                    pieces.append(piece)
        finally:  # what came before the connection broke is kept: the client asks for the offset and goes on
            if size <= upload.length:
                upload.data = b"".join(pieces)
        if size > upload.length:
            raise GraphError(100, f"The file has more than the {upload.length} bytes of file_length.")
        if size < upload.length:
            return answer({"id": upload.id, "file_offset": size})
        if upload.handle is None:
            kind = base64.b64encode(upload.mime_type.encode()).decode()
            upload.handle = f"4::{kind}:{self._world.mint.opaque(48)}"
        return answer({"h": upload.handle})

    async def _describe(self, call: Call) -> web.Response:
        """Tell how far an upload is, for a client that goes on with it."""
        upload = self._mine(call)
        return answer({"id": upload.id, "file_offset": len(upload.data)})

    def _mine(self, call: Call) -> Upload:
        upload = self._world.uploads.get(call.node)
        if upload is None:  # it was forgotten while the call was delayed
            raise GraphError(33, f"The upload session {call.node} does not exist any more.")
        if upload.app_id != call.app.id:
            raise GraphError(10, f"The upload belongs to the app {upload.app_id}, not to {call.app.id}.")
        return upload

    def _make_room(self) -> None:
        """Forget the oldest sessions beyond the bounds; a session counts with its whole length."""
        uploads = self._world.uploads
        held = sum(each.length for each in uploads.values())
        while len(uploads) > 1 and (
            held > self._world.config.keep_media_bytes or len(uploads) > UPLOADS_AT_MOST
        ):
            held -= uploads.pop(next(iter(uploads))).length
