"""A definition of each kind a file can hold, beyond text and replies, and what fills it in a request."""

from pathlib import Path
from typing import Any

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
ENDS = "2027-03-03T12:00:00Z"

DEFINITIONS = {
    "two_tables": """
category = "marketing"
examples = { customer = "Ana", dish = "Pasta" }

[languages.en]
body = "Good evening {{customer}}, two tables are free for you tonight."

[[languages.en.cards]]
header = { image = "one.png" }
body = "By the window, with {{dish}} of the day."
buttons = [
  { reply = "Take this one" },
  { link = "Look", url = "https://example.org/t/{{1}}", example = "https://example.org/t/1" },
]

[[languages.en.cards]]
header = { image = "two.png" }
body = "In the garden, with {{dish}} of the day."
buttons = [
  { reply = "Take that one" },
  { link = "Look", url = "https://example.org/t/{{1}}", example = "https://example.org/t/2" },
]
""",
    "book_a_table": """
category = "utility"

[languages.en]
body = "Your visit on Friday still needs a table. Choose one in the form below."
buttons = [{ flow = "Choose a table", id = "1234567890", screen = "TABLES" }, { reply = "Later" }]
""",
    "twenty_percent": """
category = "marketing"
examples = ["Ana"]

[languages.en]
body = "Good evening {{1}}, your table is cheaper for a short time."
offer = { text = "20% off tonight", ends = true }
buttons = [{ copy = "TABLE20" }, { link = "Book", url = "https://example.org/book" }]
""",
    "all_dishes": """
category = "marketing"

[languages.en]
body = "The new menu of the season is here for you to read."
buttons = [{ catalog = true }]
""",
    "dishes_of_today": """
category = "marketing"

[languages.en]
header = "Today"
body = "The dishes of today, as long as there are any."
buttons = [{ products = true }]
""",
    "talk_to_us": """
category = "utility"

[languages.en]
body = "Your order needs a word with you. Call us, or let us call you."
buttons = [{ voice_call = "Call now" }, { call_permission = true }, { contact_info = true }]
""",
    "sign_in": """
category = "authentication"
ttl = "10m"

[code]
advice = true
expires = "10m"

[languages.en]
label = "Copy it"

[languages.de]
""",
    "sign_in_by_tap": """
category = "authentication"

[code]
button = "one_tap"
apps = [{ package = "org.example.app", signature = "K8a/AINcGX7" }]

[languages.en]
autofill = "Fill in"
""",
    "sign_in_by_itself": """
category = "authentication"

[code]
button = "zero_tap"
terms_accepted = true
apps = [{ package = "org.example.app", signature = "K8a/AINcGX7" }]

[languages.en]
""",
}
PICTURE = {"image": {"link": "https://example.org/table.png"}}
FILLED: dict[str, dict[str, Any]] = {
    "two_tables": {
        "parameters": {"customer": "Bo"},
        "cards": [
            {
                "header": PICTURE,
                "parameters": {"dish": "Soup"},
                "quick_replies": [f"take:{n}"],
                "url_suffixes": [n],
            }
            for n in ("1", "2")
        ],
    },
    "book_a_table": {"flow": {"token": "visit-7", "data": {"day": "Friday"}}, "quick_replies": ["later"]},
    "twenty_percent": {"parameters": ["Bo"], "coupon_code": "BO20", "offer_ends_at": ENDS},
    "all_dishes": {"products": {"thumbnail": "soup-1"}},
    "dishes_of_today": {
        "products": {
            "thumbnail": "soup-1",
            "sections": [{"title": "Soups", "product_ids": ["soup-1", "soup-2"]}],
        }
    },
    "talk_to_us": {},
    "sign_in": {"parameters": ["482913"]},
    "sign_in_by_tap": {"parameters": ["482913"]},
    "sign_in_by_itself": {"parameters": ["482913"]},
}
"""What fills each, as ``template`` of a request to ``/send``."""


def write(folder: Path) -> Path:
    """All of them in a folder, with the pictures they name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in DEFINITIONS.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    for name in ("one.png", "two.png"):
        (folder / name).write_bytes(PNG)
    return folder
