"""Messages as the wire-contract sheet writes them, with one part or another put in another's place."""

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.conftest import Graph

#: What is sent, the code it is refused with, and a piece of the details.
Refusal = tuple[dict[str, Any], int, str]


def text(**fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": fields}


def of(kind: str, **fields: Any) -> dict[str, Any]:
    """Make a message of a type whose object goes by the type's name."""
    return {"type": kind, kind: fields}


def interactive(kind: str, its_action: Any, **parts: Any) -> dict[str, Any]:
    """Make an interactive message; ``parts`` take the place of those it has otherwise."""
    given = {"type": kind, "body": {"text": "Words"}, "action": its_action} | parts
    return {"type": "interactive", "interactive": given}


def reply(ident: Any = "a", title: Any = "A", **more: Any) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": ident, "title": title, **more}}


def buttons(*given: Any, **parts: Any) -> dict[str, Any]:
    return interactive("button", {"buttons": list(given) or [reply()]}, **parts)


def row(ident: str = "a", title: str = "A", **more: Any) -> dict[str, Any]:
    return {"id": ident, "title": title, **more}


def section(*rows: Any, **more: Any) -> dict[str, Any]:
    return {"title": "Today", "rows": list(rows) or [row()], **more}


def listed(*sections: Any, button: Any = "Slots", **parts: Any) -> dict[str, Any]:
    return interactive("list", {"button": button, "sections": list(sections) or [section()]}, **parts)


def url_action(display_text: Any = "Open", url: Any = "https://example.org/x", **more: Any) -> dict[str, Any]:
    return {"name": "cta_url", "parameters": {"display_text": display_text, "url": url, **more}}


def flow(**parameters: Any) -> dict[str, Any]:
    given = {
        "flow_message_version": "3",
        "flow_id": "77",
        "flow_cta": "Start",
        "flow_token": "t",
        **parameters,
    }
    return interactive("flow", {"name": "flow", "parameters": given})


def asks(kind: str, name: str, **parts: Any) -> dict[str, Any]:
    """Make a message whose action is only a name."""
    return interactive(kind, {"name": name}, **parts)


IMAGE = {"type": "image", "image": {"link": "https://example.org/a.jpg"}}
VIDEO = {"type": "video", "video": {"link": "https://example.org/a.mp4"}}


def answer(ident: str = "a", title: str = "A") -> dict[str, Any]:
    return {"type": "quick_reply", "quick_reply": {"id": ident, "title": title}}


def card(index: Any, action: Any = None, **parts: Any) -> dict[str, Any]:
    given = {
        "card_index": index,
        "type": "cta_url",
        "header": IMAGE,
        "action": action or url_action(),
        **parts,
    }
    return {key: value for key, value in given.items() if value is not None}


def carousel(*cards: Any, **parts: Any) -> dict[str, Any]:
    return interactive("carousel", {"cards": list(cards)}, **parts)


def product_card(index: int, catalog: str = "9", item: str = "sku") -> dict[str, Any]:
    return {
        "card_index": index,
        "type": "product",
        "action": {"catalog_id": catalog, "product_retailer_id": item},
    }


def contact(name: Any = None, **parts: Any) -> dict[str, Any]:
    named = {"formatted_name": "Bo Ek", "first_name": "Bo"} if name is None else name
    return {"type": "contacts", "contacts": [{"name": named, **parts}]}


def webp(width: int = 512, height: int = 512, *, animated: bool = False, size: int = 64) -> bytes:
    """Head a WebP picture of the extended form, filled up to ``size`` bytes."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([2 if animated else 0, 0, 0, 0]) + canvas
    return (b"RIFF" + struct.pack("<I", size - 8) + chunk).ljust(size, b"\0")


def webp_lossless(width: int, height: int) -> bytes:
    packed = struct.pack("<I", (width - 1) | (height - 1) << 14)
    chunk = b"WEBPVP8L" + struct.pack("<I", 10) + b"\x2f" + packed + bytes(5)
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk


def webp_lossy(width: int, height: int) -> bytes:
    frame = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", width, height)
    chunk = b"WEBPVP8 " + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk


async def refused(graph: "Graph", case: Refusal) -> None:
    """Send, and expect to be refused on the spot with this code and words, and nothing accepted."""
    message, code, details = case
    answer = await graph.send(**message)
    assert (answer.status, answer.code) == (400, code), answer.json
    assert details in answer.details
    assert answer.json["error"]["fbtrace_id"]
    assert (await graph.control("GET", "/messages"))[1] == {"messages": []}, "nothing was accepted"
