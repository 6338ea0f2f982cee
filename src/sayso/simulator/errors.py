"""Graph errors in both shapes: answered on the spot, or told later by a status webhook (cloud-api.md 5)."""

import json
from typing import Any

from sayso.simulator.error_codes import SUBCODES, row_of

#: Where Meta's webhook errors point (4.9).
HREF = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes"


class GraphError(Exception):
    """A refusal of the Graph API: its code, what is wrong in words, and its HTTP status.

    ``subcode`` narrows it; those of templates bring the words for people along (``error_user_title``,
    ``error_user_msg``), which ``user`` gives otherwise as (title, words). ``transient`` overrules whether trying
    again may help; ``message`` takes the place of the title, ``kind`` that of the usual ``type``; ``beside``
    stands next to ``error``, as the lists of a partial failure do (8.4).
    """

    def __init__(
        self,
        code: int,
        details: str,
        *,
        http_status: int | None = None,
        subcode: int | None = None,
        user: tuple[str, str] | None = None,
        transient: bool | None = None,
        message: str | None = None,
        kind: str | None = None,
        beside: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"(#{code}) {details}")
        self.row = row_of(code)
        self.code = code
        self.details = details
        self.http_status = http_status or self.row.http_status
        self.subcode = subcode
        self.user = user or SUBCODES.get(subcode or 0)
        self.transient = self.row.transient if transient is None else transient
        self.message = message
        self.kind = kind or self.row.type
        self.beside = beside or {}

    def envelope(self, trace: str) -> bytes:
        """Compose the answer body (5.1). ``is_transient`` is there when it is true, or words for people are."""
        error: dict[str, Any] = {
            "message": self._message(),
            "type": self.kind,
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": trace,
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.transient or self.user is not None:
            error["is_transient"] = self.transient
        if self.user is not None:
            error["error_user_title"], error["error_user_msg"] = self.user
        return json.dumps({**self.beside, "error": error}).encode()

    def _message(self) -> str:
        """Compose ``message``: WhatsApp's refusals give the title, the Graph API's own what is wrong (5.1)."""
        if self.message is not None:
            return f"(#{self.code}) {self.message}"
        if not self.row.graph or self.user is not None:
            return f"(#{self.code}) {self.row.title}"
        return f"(#{self.code}) {self.details}"


def told_later(code: int, details: str) -> dict[str, Any]:
    """Compose the error object of a ``failed`` status: no ``type``, no ``fbtrace_id`` (5.1)."""
    title = row_of(code).title
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": HREF,
    }
