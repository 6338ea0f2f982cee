"""How long and how many: what WhatsApp takes in one message (cloud-api 2.8, unless a line says otherwise)."""

from typing import Final

TEXT_BODY: Final = 4096
INTERACTIVE_BODY: Final = 1024
INTERACTIVE_HEADER: Final = 60
INTERACTIVE_FOOTER: Final = 60
BUTTONS: Final = 3
BUTTON_TITLE: Final = 20
BUTTON_ID: Final = 256
CALLBACK_DATA: Final = 512
"""``biz_opaque_callback_data``."""

TEMPLATE_NAME: Final = 512
TEMPLATE_BODY: Final = 1024
"""The body with its parameters filled in; so one parameter can never be longer (cloud-api 2.6)."""
TEMPLATE_HEADER: Final = 60
TEMPLATE_QUICK_REPLIES: Final = 10
QUICK_REPLY_PAYLOAD: Final = 256
"""Not published by Meta; the figure of pywa (cloud-api 2.6)."""
PARAMETER_SPACES: Final = 4
"""Consecutive spaces that a template parameter may hold (cloud-api 2.6)."""


def length(text: str) -> int:
    """Count a text in UTF-16 code units, in which an emoji is two or more.

    Meta says "characters" and not which. This count is never below the count of code points, so a text that
    passes here passes under either reading.
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
