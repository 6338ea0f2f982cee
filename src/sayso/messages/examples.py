"""One valid request of every type that `POST /send` takes: shown in the API's documentation, and sent by a test."""

from typing import Any, Final

_TO: Final = "+15550001111"
_FILES: Final = "https://example.org/files"


def _one(kind: str, summary: str, content: Any, **more: Any) -> dict[str, Any]:
    body = {"recipient": _TO, "message_type": kind, kind: content, **more}
    return {"summary": summary, "value": body}


_PICTURE: Final = {"image": {"link": f"{_FILES}/chart.png"}}

EXAMPLES: Final[dict[str, Any]] = {
    "text": {
        "summary": "A text",
        "value": {"recipient": _TO, "content": "Hello from AI Assistant!", "message_type": "text"},
    },
    "text_with_preview": _one(
        "text", "A text with a link's preview", {"body": "Done: https://example.org/x", "preview_url": True}
    ),
    "text_with_fallback": {
        "summary": "A text, and a template for when the 24-hour window is closed",
        "value": {
            "recipient": _TO,
            "message_type": "text",
            "content": "3 tasks done. Next: stand-up at 09:30.",
            "fallback": {
                "name": "daily_summary",
                "parameters": ["3 March", "3 tasks", "Stand-up at 09:30"],
            },
            "category": "daily_summary",
            "ttl_seconds": 3600,
            "dedupe_key": "summary-2027-03-03",
        },
    },
    "image": _one("image", "A picture", {"link": f"{_FILES}/chart.png", "caption": "This week"}),
    "video": _one("video", "A video", {"link": f"{_FILES}/tour.mp4", "caption": "The tour"}),
    "audio": _one("audio", "A voice message", {"link": f"{_FILES}/note.ogg", "voice": True}),
    "document": _one(
        "document",
        "A file",
        {"link": f"{_FILES}/report.pdf", "filename": "report.pdf", "caption": "The report"},
    ),
    "sticker": _one("sticker", "A sticker", {"link": f"{_FILES}/ok.webp"}),
    "location": _one(
        "location",
        "A place",
        {
            "latitude": 38.7223,
            "longitude": -9.1393,
            "name": "Office",
            "address": "Rua Augusta 1, Lisbon",
        },
    ),
    "contacts": _one(
        "contacts",
        "A contact card",
        {
            "cards": [
                {
                    "name": {"formatted_name": "John Doe", "first_name": "John", "last_name": "Doe"},
                    "phones": [{"phone": "+1 555 000 2222", "wa_id": "15550002222", "type": "WORK"}],
                    "emails": [{"email": "john@example.org"}],
                    "org": {"company": "Example"},
                    "birthday": "1990-03-14",
                }
            ]
        },
    ),
    "reaction": _one(
        "reaction", "An emoji on a message of the person's", {"message_id": "wamid.HBgL…", "emoji": "👍"}
    )
    | {
        "description": "Let the person write something first. `GET /events` tells of it as `person.said`, to whoever "
        "has linked the person (`PUT /people/{external_id}`): its `wamid` goes into `message_id`. A message of your "
        "own is named by the `id` that `POST /send` answered with."
    },
    "buttons": _one(
        "buttons",
        "Up to three reply buttons",
        {
            "header": {"text": "Weekly report"},
            "body": "Send it to 14 recipients?",
            "footer": "Asked by your assistant",
            "buttons": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
        },
    ),
    "buttons_with_picture": _one(
        "buttons",
        "Reply buttons under a picture",
        {"header": _PICTURE, "body": "Publish this chart?", "buttons": [{"id": "yes", "title": "Yes"}]},
    ),
    "list": _one(
        "list",
        "A list to choose from",
        {
            "body": "When shall we meet?",
            "button": "Slots",
            "sections": [
                {"title": "Today", "rows": [{"id": "1700", "title": "17:00", "description": "30 minutes"}]},
                {"title": "Tomorrow", "rows": [{"id": "0900", "title": "09:00"}]},
            ],
        },
    ),
    "cta_url": _one(
        "cta_url",
        "A button that opens a link",
        {"body": "Your export is ready.", "button": "Open", "url": "https://example.org/export"},
    ),
    "flow": _one(
        "flow",
        "A button that opens a form",
        {
            "body": "Please fill in the form.",
            "button": "Start",
            "flow_id": "1000000000000001",
            "flow_token": "form-7",
            "action": "navigate",
            "screen": "FIRST",
            "data": {"name": "Alice"},
        },
    ),
    "location_request": _one(
        "location_request", "A question where the person is", {"body": "Where are you?"}
    ),
    "contact_request": _one(
        "contact_request", "A question for the person's number", {"body": "May we have your number?"}
    ),
    "call_permission": _one(
        "call_permission", "A question whether we may call", {"body": "May we call you about it?"}
    ),
    "voice_call": _one("voice_call", "A button that calls us", {"body": "Questions?", "button": "Call us"}),
    "carousel": _one(
        "carousel",
        "Cards side by side",
        {
            "body": "Two proposals:",
            "cards": [
                {"header": _PICTURE, "body": "Plan A", "button": "See it", "url": "https://example.org/a"},
                {"header": _PICTURE, "body": "Plan B", "button": "See it", "url": "https://example.org/b"},
            ],
        },
    ),
    "product": _one(
        "product", "A product of a catalog", {"catalog_id": "7001", "product_id": "SKU-1", "body": "Again?"}
    ),
    "product_list": _one(
        "product_list",
        "Several products",
        {
            "header": {"text": "Office"},
            "body": "Running low:",
            "catalog_id": "7001",
            "sections": [{"title": "Paper", "product_ids": ["SKU-1", "SKU-2"]}],
        },
    ),
    "catalog": _one("catalog", "The whole catalog", {"body": "Everything we have.", "product_id": "SKU-1"}),
    "template": _one(
        "template",
        "An approved template, in the person's language, at any time",
        {"name": "daily_summary", "parameters": ["3 March", "2 tasks", "Stand-up at 09:30"]},
        category="daily_summary",
    ),
    "template_with_payloads": _one(
        "template",
        "A template with what its quick replies bring back, in a given language",
        {
            "name": "confirmation_request",
            "language": "en",
            "parameters": ["Alice", "send the weekly report", "e-mail 14 people"],
            "quick_replies": ["yes", "no", "cancel"],
        },
    ),
}
