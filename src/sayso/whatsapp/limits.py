"""How long and how many: what WhatsApp takes in one message (cloud-api 2.8, unless a line says otherwise)."""

from typing import Final

TEXT_BODY: Final = 4096
INTERACTIVE_BODY: Final = 1024
INTERACTIVE_HEADER: Final = 60
INTERACTIVE_FOOTER: Final = 60
BUTTONS: Final = 3
BUTTON_TITLE: Final = 20
BUTTON_ID: Final = 256
CAPTION: Final = 1024
LIST_BODY: Final = 4096
LIST_BUTTON: Final = 20
LIST_SECTIONS: Final = 10
LIST_ROWS: Final = 10
"""In all sections together."""
SECTION_TITLE: Final = 24
ROW_ID: Final = 200
ROW_TITLE: Final = 24
ROW_DESCRIPTION: Final = 72
FLOW_BUTTON: Final = 30
"""The specification's figure (cloud-api 2.5)."""
CARDS_LEAST: Final = 2
CARDS: Final = 10
CARD_BODY: Final = 160
CARD_LINE_BREAKS: Final = 2
PRODUCTS: Final = 30
"""In all sections together (cloud-api 2.5)."""
PRODUCT_SECTIONS: Final = 10
URL: Final = 2000
"""Meta gives a figure for the links of templates only; nobody needs longer ones elsewhere."""
CALLBACK_DATA: Final = 512
"""``biz_opaque_callback_data``."""

TEMPLATE_NAME: Final = 512
TEMPLATE_BODY: Final = 1024
"""The body with its parameters filled in; so one parameter can never be longer (cloud-api 2.6)."""
TEMPLATE_HEADER: Final = 60
TEMPLATE_QUICK_REPLIES: Final = 10
QUICK_REPLY_PAYLOAD: Final = 256
"""Not published by Meta; the figure of pywa (cloud-api 2.6)."""
TEMPLATE_URLS: Final = 2
URL_SUFFIX: Final = 2000
"""What completes the link of a template's button (cloud-api 2.6)."""
CODE: Final = 15
"""A coupon to copy."""
PARAMETER_SPACES: Final = 4
"""Consecutive spaces that a template parameter may hold (cloud-api 2.6)."""

FILENAME: Final = 240
PLACE: Final = 1000
CONTACT_PART: Final = 1000
CONTACTS: Final = 257
WAMID: Final = 512
FOREIGN_ID: Final = 512
"""These six are ours: Meta publishes none, and what is longer is a mistake. A wamid is told to be below 255."""


def length(text: str) -> int:
    """Count a text in UTF-16 code units, in which an emoji is two or more.

    Meta says "characters" and not which. This count is never below the count of code points, so a text that
    passes here passes under either reading.
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
