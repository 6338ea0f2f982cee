"""Media kept for a business: uploaded by it, or sent to it (cloud-api.md 8.5)."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.content import MediaKind
from sayso.simulator.world.ids import url_safe

if TYPE_CHECKING:
    from sayso.simulator.world.world import World

UPLOAD_KEPT_S = 30 * 24 * 3600
INBOUND_KEPT_S = 7 * 24 * 3600
URL_VALID_S = 5 * 60
#: Where media are downloaded: on Meta's side another host, here another path.
DOWNLOAD_PATH = "/whatsapp_business/attachments"
FILES_AT_MOST = 10_000
UPLOADS_AT_MOST = 1_000
KB, MB = 1024, 1024 * 1024
STATIC_STICKER_AT_MOST = 100 * KB

#: Most bytes of a file by its kind (8.5), which does not say whether a megabyte is a million bytes or 1024 * 1024:
#: the larger reading never refuses what Meta takes. An animated sticker may have 500 KB.
LIMITS: dict[MediaKind, int] = {
    "audio": 16 * MB,
    "document": 100 * MB,
    "image": 5 * MB,
    "sticker": 500 * KB,
    "video": 16 * MB,
}
LARGEST = max(LIMITS.values())
_OFFICE = "application/vnd.openxmlformats-officedocument"
#: The MIME types that are taken, and what each is (8.5).
KINDS: dict[str, MediaKind] = {
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), "audio"),
    **dict.fromkeys(
        (
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            f"{_OFFICE}.wordprocessingml.document",
            f"{_OFFICE}.spreadsheetml.sheet",
            f"{_OFFICE}.presentationml.presentation",
        ),
        "document",
    ),
    **dict.fromkeys(("image/jpeg", "image/png"), "image"),
    "image/webp": "sticker",
    **dict.fromkeys(("video/mp4", "video/3gpp"), "video"),
}
#: How files of a type begin, of those where a wrong one is noticed.
_BEGINS = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/webp": (b"RIFF",),
    "application/pdf": (b"%PDF",),
}
_OGG_LACING = 26  # where a page says how many segments it has
_PNG_HEADER, _PNG_COLOUR, _PNG_COLOURS = (
    slice(12, 16),
    25,
    (2, 6),
)  # RGB, RGBA; the depth stands before the colour
_WEBP_AT, _ANIMATION_AT, _ANIMATION = slice(8, 16), 20, 0x02  # an extended header with the animation flag


@dataclass(slots=True)
class Media:
    """One file and its id. ``phone_number_id`` is the number it was uploaded through or sent to."""

    id: str
    phone_number_id: str
    mime_type: str
    data: bytes
    sha256: str  # hex; webhooks tell it in base64
    created_at: float
    expires_at: float
    filename: str = ""
    inbound: bool = False

    @property
    def sha256_base64(self) -> str:
        """The digest as webhooks tell it (8.5)."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()

    @property
    def kind(self) -> MediaKind | None:
        """What it can be sent as; a WebP picture is a sticker."""
        return kind_of(self.mime_type)


@dataclass(slots=True)
class Upload:
    """A session of the resumable upload used for template headers (3.2); ``handle`` is given when complete."""

    id: str
    app_id: str
    length: int
    mime_type: str
    filename: str = ""
    data: bytes = b""
    handle: str | None = None


def plain_type(mime_type: str) -> str:
    """Strip a MIME type of its parameters, such as ``; codecs=opus``."""
    return mime_type.partition(";")[0].strip().lower()


def kind_of(mime_type: str) -> MediaKind | None:
    """Tell what a MIME type can be sent as; None for one that is not taken (8.5)."""
    return KINDS.get(plain_type(mime_type))


def is_animated(data: bytes) -> bool:
    """Tell whether a WebP picture moves: its extended header says so."""
    return (
        data[_WEBP_AT] == b"WEBPVP8X" and len(data) > _ANIMATION_AT and bool(data[_ANIMATION_AT] & _ANIMATION)
    )


def limit_of(mime_type: str, data: bytes = b"") -> int:
    """Tell how many bytes a file of this type may have; of a sticker, ``data`` tells whether it moves (8.5)."""
    kind = kind_of(mime_type)
    if kind == "sticker" and not is_animated(data):
        return STATIC_STICKER_AT_MOST
    return LIMITS[kind] if kind else 0


def looks_like(mime_type: str, data: bytes) -> bool:
    """Tell whether a file begins as one of its type does; types without a sure beginning always do."""
    plain = plain_type(mime_type)
    begins = _BEGINS.get(plain)
    if begins is None:
        return True
    return data.startswith(begins) and (plain != "image/webp" or data[_WEBP_AT][:4] == b"WEBP")


def wrong_inside(mime_type: str, data: bytes) -> str | None:
    """Tell what is wrong with a file of the right type: Ogg that is not Opus, PNG that is not 8-bit RGB(A) (8.5).

    A file too short to say is left alone.
    """
    plain = plain_type(mime_type)
    if plain == "audio/ogg" and len(data) > _OGG_LACING:
        begin = _OGG_LACING + 1 + data[_OGG_LACING]  # behind the lengths of the first page's segments
        return None if data[begin : begin + 8] == b"OpusHead" else "audio/ogg must hold the Opus codec"
    if plain == "image/png" and data[_PNG_HEADER] == b"IHDR" and len(data) > _PNG_COLOUR:
        depth, colour = data[_PNG_COLOUR - 1], data[_PNG_COLOUR]
        fine = depth == 8 and colour in _PNG_COLOURS  # noqa: PLR2004  # bits
        return None if fine else "image/png must be 8-bit RGB or RGBA"
    return None


def store(
    world: "World",
    number: BusinessNumber,
    mime_type: str,
    data: bytes,
    filename: str = "",
    *,
    kept_s: float = UPLOAD_KEPT_S,
) -> Media:
    """Keep a file uploaded through a number, for 30 days unless ``kept_s`` says otherwise."""
    now = world.clock.now()
    media = Media(
        id=world.mint.node_id(),
        phone_number_id=number.phone_number_id,
        mime_type=mime_type,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        created_at=now,
        expires_at=now + kept_s,
        filename=filename,
    )
    world.media[media.id] = media
    _make_room(world)
    return media


def store_inbound(
    world: "World", number: BusinessNumber, mime_type: str, data: bytes, filename: str = ""
) -> Media:
    """Keep a file that a person sent to a number; its id lasts 7 days (4.8)."""
    media = store(world, number, mime_type, data, filename, kept_s=INBOUND_KEPT_S)
    media.inbound = True
    return media


def find_media(world: "World", media_id: str) -> Media | None:
    """Return the file with this id unless its time is over."""
    found = world.media.get(media_id)
    return None if found is None or found.expires_at <= world.clock.now() else found


def upload_of(world: "World", handle: str) -> Upload | None:
    """Return the completed upload with this handle (3.2)."""
    return next((each for each in world.uploads.values() if each.handle == handle), None)


def media_url(base_url: str, media: Media, now: float) -> str:
    """Compose the absolute URL a file can be downloaded from for five minutes (8.5)."""
    expires = int(now) + URL_VALID_S
    return f"{base_url}{DOWNLOAD_PATH}/?mid={media.id}&source=getMedia&ext={expires}&hash={url_hash(media, expires)}"


def url_hash(media: Media, expires: int) -> str:
    """Tell the ``hash`` of a download URL: it binds the file and the moment the URL ends."""
    made = hmac.digest(media.sha256.encode(), f"{media.id}/{expires}".encode(), "sha256")
    return url_safe(made)


def _make_room(world: "World") -> None:
    """Forget the oldest files beyond the bounds on memory, never the newest."""
    held = sum(len(each.data) for each in world.media.values())
    while len(world.media) > 1 and (held > world.config.keep_media_bytes or len(world.media) > FILES_AT_MOST):
        oldest = world.media.pop(next(iter(world.media)))
        held -= len(oldest.data)
