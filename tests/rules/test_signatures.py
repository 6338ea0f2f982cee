"""What a file is, by its first bytes: each type that WhatsApp takes is told from every other."""

import pytest

from sayso.simulator.phone.samples import sample
from sayso.whatsapp import signatures
from sayso.whatsapp.media import KINDS

OFFICE = "application/vnd.openxmlformats-officedocument"
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(8)
ISO = b"\0\0\0\x18ftypisom\0\0\0\0isom3gp4"
#: A beginning of each type.
HEADS: dict[str, bytes] = {
    "audio/aac": sample("audio").data,
    "audio/amr": b"#!AMR\n\x3c",
    "audio/mpeg": b"\xff\xfb\x90\x00",
    "audio/mp4": ISO,
    "audio/ogg": sample("audio", voice=True).data,
    "text/plain": "Grüße, 😀\n".encode(),
    "application/pdf": sample("document").data,
    "application/msword": OLD,
    "application/vnd.ms-excel": OLD,
    "application/vnd.ms-powerpoint": OLD,
    f"{OFFICE}.wordprocessingml.document": b"PK\x03\x04\x14",
    f"{OFFICE}.spreadsheetml.sheet": b"PK\x03\x04\x14",
    f"{OFFICE}.presentationml.presentation": b"PK\x03\x04\x14",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "image/png": sample("image").data,
    "image/webp": sample("sticker").data,
    "video/mp4": sample("video").data,
    "video/3gpp": b"\0\0\0\x18ftyp3gp4",
}
#: Those that are told from each other only by looking deeper.
ALIKE = [
    {"audio/mp4", "video/mp4", "video/3gpp"},
    {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"},
    {mime_type for mime_type in HEADS if mime_type.startswith(OFFICE)},
]


def test_every_type_whatsapp_takes_has_a_beginning_here() -> None:
    assert HEADS.keys() == KINDS.keys()


@pytest.mark.parametrize("mime_type", HEADS)
def test_a_file_is_of_its_own_type_and_of_no_other(mime_type: str) -> None:
    like = next((group for group in ALIKE if mime_type in group), {mime_type})
    head = HEADS[mime_type][: signatures.HEAD]
    assert {each for each in HEADS if signatures.fits(each, head)} == like
    assert signatures.recognised(head) is not None or mime_type == "text/plain"


@pytest.mark.parametrize(
    ("mime_type", "head", "fits"),
    [
        ("audio/mpeg", b"ID3\x04", True),
        ("audio/ogg", b"OggS" + bytes(24) + b"\x01vorbis", False),
        ("video/mp4", b"\0\0\0\x14ftypqt  ", False),
        ("application/pdf", b"\n\n%PDF-1.4", True),
        ("text/plain", "\ufeffhello".encode("utf-16"), True),
        ("text/plain", b"<html><body>hello", True),
        ("text/plain", b"a\0b", False),
        ("image/png", b"", False),
        ("image/jpeg", b"\xff", False),
    ],
)
def test_the_cases_that_are_easily_mistaken(mime_type: str, head: bytes, fits: bool) -> None:
    assert signatures.fits(mime_type, head) is fits
