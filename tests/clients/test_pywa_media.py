"""pywa uploads, looks up, downloads and deletes media, the business's own and what people sent."""

from pathlib import Path

import httpx
import pytest
from pywa import errors

from clients.files import PDF, PNG, UPLOADS
from clients.python_business import PythonBusiness


@pytest.mark.parametrize(("content", "mime_type"), UPLOADS)
def test_what_is_uploaded_comes_back_byte_by_byte(
    pywa: PythonBusiness, content: bytes, mime_type: str
) -> None:
    media = pywa.wa.upload_media(content, mime_type=mime_type, filename="file")
    found = pywa.wa.get_media_url(media.id)
    assert (found.id, found.mime_type, int(found.file_size)) == (media.id, mime_type, len(content))
    assert pywa.wa.get_media_bytes(found.url) == content


def test_a_file_is_downloaded_to_disk(pywa: PythonBusiness, tmp_path: Path) -> None:
    source = tmp_path / "report.pdf"
    source.write_bytes(PDF)
    media = pywa.wa.upload_media(source)
    saved = pywa.wa.download_media(url=pywa.wa.get_media_url(media.id).url, path=tmp_path, filename="it.pdf")
    assert saved.read_bytes() == PDF


def test_the_address_of_media_wants_the_token(pywa: PythonBusiness) -> None:
    media = pywa.wa.upload_media(PNG, mime_type="image/png", filename="dot.png")
    url = pywa.wa.get_media_url(media.id).url
    assert httpx.get(url).status_code == 401


def test_media_that_was_deleted_is_gone(pywa: PythonBusiness) -> None:
    media = pywa.wa.upload_media(PNG, mime_type="image/png", filename="dot.png")
    assert pywa.wa.delete_media(media.id)
    with pytest.raises(errors.WhatsAppError):
        pywa.wa.get_media_url(media.id)


def test_a_kind_of_file_that_is_not_taken(pywa: PythonBusiness) -> None:
    with pytest.raises(errors.WhatsAppError) as refused:
        pywa.wa.upload_media(b"MZ" + bytes(100), mime_type="application/x-msdownload", filename="x.exe")
    assert refused.value.code in (100, 131053)


def test_an_address_ends_after_five_minutes_and_the_media_after_thirty_days(pywa: PythonBusiness) -> None:
    media = pywa.wa.upload_media(PNG, mime_type="image/png", filename="dot.png")
    url = pywa.wa.get_media_url(media.id).url
    pywa.meta.control("POST", "/clock", {"advance_s": 301})
    with pytest.raises(httpx.HTTPStatusError):
        pywa.wa.get_media_bytes(url)
    assert pywa.wa.get_media_bytes(pywa.wa.get_media_url(media.id).url) == PNG
    pywa.meta.control("POST", "/clock", {"advance_s": 30 * 24 * 3600})
    with pytest.raises(errors.WhatsAppError):
        pywa.wa.get_media_url(media.id)
