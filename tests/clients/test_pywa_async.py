"""pywa's other half, which does not block, sends and fetches as well."""

import httpx
import pytest
from pywa.errors import WhatsAppError
from pywa_async import WhatsApp

from clients.files import PNG
from clients.python_business import PythonBusiness
from clients.stage import ANA, PHONE_ID, TOKEN, WABA_ID, Background


async def said(base_url: str) -> tuple[str, bytes, int]:
    """Upload a picture, send it, fetch it again, ask for what is not there; return what came of it."""
    async with httpx.AsyncClient() as session:
        wa = WhatsApp(phone_id=PHONE_ID, waba_id=WABA_ID, token=TOKEN, session=session)
        session.base_url = httpx.URL(f"{base_url}/v26.0")
        media = await wa.upload_media(PNG, mime_type="image/png", filename="dot.png")
        sent = await wa.send_image(ANA, media, caption="A dot")
        content = await wa.get_media_bytes((await wa.get_media_url(media.id)).url)
        with pytest.raises(WhatsAppError) as refused:
            await wa.get_template("7")
        return sent.id, content, refused.value.code


def test_a_picture_is_uploaded_sent_and_fetched(pywa: PythonBusiness, background: Background) -> None:
    pywa.meta.person(text="hi")
    wamid, content, code = background.run(said(pywa.meta.base_url))
    assert pywa.meta.arrived(wamid)["image"]["caption"] == "A dot"
    assert content == PNG
    assert code in (33, 100)
