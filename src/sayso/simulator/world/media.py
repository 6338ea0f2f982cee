"""Media kept for a business: uploaded by it, or sent to it (cloud-api.md 8.5)."""

from dataclasses import dataclass

UPLOAD_KEPT_S = 30 * 24 * 3600
INBOUND_KEPT_S = 7 * 24 * 3600


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
