"""Media by id or by link, alone, as a header or on a card: what may be sent as what (cloud-api.md 2.4, 8.5)."""

import mimetypes
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import flag_at, id_at, link_at, missing, object_at, words_at
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import Attachment, Content, MediaKind
from sayso.simulator.world.media import KINDS, Media, is_animated, limit_of, plain_type, wrong_inside

_WEBP_HEADER = 30  # bytes of the shortest
MEDIA_TYPES: tuple[MediaKind, ...] = ("image", "video", "audio", "document", "sticker")
CAPTION = 1024  # 2.4
STICKER_SIDE = 512  # pixels, 2.4
#: What each type's object holds beside `id` and `link` (2.4).
_MORE: dict[MediaKind, tuple[str, ...]] = {
    "image": ("caption",),
    "video": ("caption",),
    "audio": ("voice",),
    "document": ("caption", "filename"),
    "sticker": (),
}
_VOICE_TYPE = "audio/ogg"


def media(body: dict[str, Any], reading: Reading) -> Content:
    """Read an image, a video, an audio, a document or a sticker."""
    kind: MediaKind = body["type"].lower()
    attached = attachment(body, kind, kind, reading, _MORE[kind])
    caption = words_at(object_at(body, kind, kind), "caption", f"{kind}['caption']", limit=CAPTION)
    return Content(body=caption, attachment=attached)


def attachment(
    holder: dict[str, Any], kind: MediaKind, where: str, reading: Reading, more: Collection[str] | None = None
) -> Attachment:
    """Read ``holder[kind]``: exactly one of ``id`` and ``link``, and what else this place takes (``more``).

    An id that is not this number's is refused at once. What Meta notices while it processes the file comes later,
    as 131053: a kind that does not fit, a size over the limit, an id whose 30 days are over. Links are not fetched.
    """
    keys = ("filename",) if more is None and kind == "document" else more or ()
    given = object_at(holder, kind, where, ("id", "link", *keys))
    by_id, by_link = _given(given, "id"), _given(given, "link")
    if by_id == by_link:
        raise _one_of_both(where, none=not by_id)
    filename = words_at(given, "filename", f"{where}['filename']")
    voice = flag_at(given, "voice", f"{where}['voice']")
    if by_link:
        link = link_at(given, "link", f"{where}['link']")
        guessed = mimetypes.guess_type(urlsplit(link).path)[0] or ""
        return Attachment(kind, link=link, mime_type=guessed, filename=filename, voice=voice)
    found = _uploaded(id_at(given, "id", f"{where}['id']"), where, reading)
    _check(found, kind, reading, voice=voice)
    return Attachment(
        kind,
        id=found.id,
        mime_type=found.mime_type,
        filename=filename or found.filename,
        voice=voice,
        animated=is_animated(found.data),
    )


def _given(given: dict[str, Any], key: str) -> bool:
    """Tell whether a key holds anything; serialisers leave an empty string for what they have not."""
    return given.get(key) not in (None, "")


def _one_of_both(where: str, *, none: bool) -> GraphError:
    if none:
        return missing(f"{where}['id'] or {where}['link']")
    return GraphError(131009, f"Param {where} must have either id or link, not both.")


def _uploaded(media_id: str, where: str, reading: Reading) -> Media:
    """Return the media with this id, if it was uploaded through (or sent to) the number that sends."""
    found = reading.world.media.get(media_id)
    if found is None or found.phone_number_id != reading.number.phone_number_id:
        raise GraphError(
            100, f"Param {where}['id'] is not a valid whatsapp business account media attachment ID"
        )
    return found


def _check(found: Media, kind: MediaKind, reading: Reading, *, voice: bool) -> None:
    problem = _problem(found, kind, reading.world.clock.now(), voice=voice)
    if problem is not None:
        reading.fail_later(131053, problem)


def _problem(found: Media, kind: MediaKind, now: float, *, voice: bool) -> str | None:
    """Tell why a file cannot go out as ``kind``, or None when it can (2.4)."""
    if found.expires_at <= now:
        return f"Media {found.id} has expired: ids of uploads last 30 days, those of received media 7."
    mime_type = plain_type(found.mime_type)
    if found.kind != kind:
        fitting = ", ".join(each for each, of in KINDS.items() if of == kind)
        return f"Unsupported {kind.capitalize()} mime type {mime_type}. Please use one of {fitting}."
    limit = limit_of(mime_type, found.data)
    if len(found.data) > limit:
        return f"{kind.capitalize()} file size too big: {len(found.data)} bytes, at most {limit}."
    if voice and mime_type != _VOICE_TYPE:
        return f"A voice message must be {_VOICE_TYPE} with the Opus codec; it is {mime_type}."
    wrong = wrong_inside(mime_type, found.data)
    if wrong is not None:
        return f"{kind.capitalize()} file could not be processed: {wrong}."
    if kind == "sticker" and webp_size(found.data) != (STICKER_SIDE, STICKER_SIDE):
        return f"Sticker file could not be processed: it must be WebP of {STICKER_SIDE} by {STICKER_SIDE} pixels."
    return None


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Tell width and height of a WebP picture in pixels, None when it is not one.

    Three forms: extended (canvas less one, 24 bits each), lossless (less one, 14 bits each), lossy (14 bits each).
    """
    if len(data) < _WEBP_HEADER or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    form = data[12:16]
    if form == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if form == b"VP8L":
        packed = int.from_bytes(data[21:25], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if form == b"VP8 ":
        return (
            int.from_bytes(data[26:28], "little") & 0x3FFF,
            int.from_bytes(data[28:30], "little") & 0x3FFF,
        )
    return None
