"""What the first bytes of a file say it is, for the types that WhatsApp takes (cloud-api 8.5). Pure."""

from collections.abc import Callable, Mapping
from typing import Final

#: How much of a file is looked at: a PDF may begin a little later than its file.
HEAD: Final = 1024

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_WEB_PAGE: Final = "a web page"
_FRAME_SYNC: Final = 0xFF
#: Of the second byte of a frame: the rest of the sync word, and the layer, which is 0 in AAC and never in MP3.
_SYNC, _LAYER, _AAC = 0xE0, 0x06, 0xF6


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(marks)


def _frame(head: bytes) -> int:
    """The second byte of what may be a frame of sound, or 0."""
    return head[1] if len(head) > 1 and head[0] == _FRAME_SYNC else 0


def _is_aac(head: bytes) -> bool:
    return head.startswith(b"ADIF") or _frame(head) & _AAC == _AAC & ~_LAYER


def _is_mp3(head: bytes) -> bool:
    second = _frame(head)
    return head.startswith(b"ID3") or (second & _SYNC == _SYNC and second & _LAYER != 0)


def _is_iso(head: bytes) -> bool:
    """The container of MP4, M4A and 3GPP; Apple's own is built alike, and is none of them."""
    return head[4:8] == b"ftyp" and head[8:12] != b"qt  "


def _is_quicktime(head: bytes) -> bool:
    return head[4:8] in (b"moov", b"mdat", b"wide") or (head[4:8] == b"ftyp" and head[8:12] == b"qt  ")


def _is_opus(head: bytes) -> bool:
    return head.startswith(b"OggS") and b"OpusHead" in head


def _is_webp(head: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _is_pdf(head: bytes) -> bool:
    return b"%PDF-" in head


def _is_text(head: bytes) -> bool:
    return head.startswith(_BYTE_ORDER_MARKS) or (b"\0" not in head and recognised(head) in (None, _WEB_PAGE))


_is_new_office = _begins(b"PK\x03\x04")

#: By type, how a file of it begins.
_FITS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "audio/aac": lambda head: _is_aac(head) or head.startswith(b"ID3"),
    "audio/amr": _begins(b"#!AMR"),
    "audio/mpeg": _is_mp3,
    "audio/mp4": _is_iso,
    "audio/ogg": _is_opus,
    "text/plain": _is_text,
    "application/pdf": _is_pdf,
    "application/msword": _begins(_OLD_OFFICE),
    "application/vnd.ms-excel": _begins(_OLD_OFFICE),
    "application/vnd.ms-powerpoint": _begins(_OLD_OFFICE),
    f"{_OFFICE}.wordprocessingml.document": _is_new_office,
    f"{_OFFICE}.spreadsheetml.sheet": _is_new_office,
    f"{_OFFICE}.presentationml.presentation": _is_new_office,
    "image/jpeg": _begins(b"\xff\xd8\xff"),
    "image/png": _begins(b"\x89PNG\r\n\x1a\n"),
    "image/webp": _is_webp,
    "video/mp4": _is_iso,
    "video/3gpp": _is_iso,
}
#: What a file is called that begins so, in the order in which it is looked at.
_SEEN: Final[tuple[tuple[str, Callable[[bytes], bool]], ...]] = (
    ("a JPEG picture (image/jpeg)", _FITS["image/jpeg"]),
    ("a PNG picture (image/png)", _FITS["image/png"]),
    ("a WebP picture (image/webp)", _is_webp),
    ("a GIF picture, which WhatsApp does not take", _begins(b"GIF8")),
    ("a PDF (application/pdf)", _begins(b"%PDF-")),
    ("a QuickTime film, which WhatsApp does not take", _is_quicktime),
    ("an MP4 or 3GPP file (video/mp4, audio/mp4, video/3gpp)", _is_iso),
    ("an Ogg file with Opus (audio/ogg)", _is_opus),
    ("an Ogg file without Opus, which WhatsApp does not take", _begins(b"OggS")),
    ("an AMR recording (audio/amr)", _FITS["audio/amr"]),
    ("AAC sound (audio/aac)", _is_aac),
    ("MP3 sound (audio/mpeg)", _is_mp3),
    ("an old Office file (such as application/msword)", _begins(_OLD_OFFICE)),
    ("a ZIP archive, as new Office files are", _is_new_office),
    (_WEB_PAGE, _begins(b"<!DOCTYPE html", b"<!doctype html", b"<html")),
)


def fits(mime_type: str, head: bytes) -> bool:
    """Whether a file that begins so can be of a type; of a type that is none of WhatsApp's it is not said."""
    check = _FITS.get(mime_type)
    return check is None or check(head)


def recognised(head: bytes) -> str | None:
    """What a file that begins so is, or None when that cannot be told."""
    return next((name for name, check in _SEEN if check(head)), None)
