"""What the tests of templates share: definitions, calls, and what webhooks told."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph, Receiver

WABA = "200000000000001"
EDGE = f"/v25.0/{WABA}/message_templates"
STATUS = "message_template_status_update"
BODY = {"type": "BODY", "text": "Your export is ready to be fetched."}
BODY_OF_ONE = {
    "type": "BODY",
    "text": "Please confirm: {{1}}. Thank you very much.",
    "example": {"body_text": [["deploy"]]},
}


def definition(*components: Any, **parts: Any) -> dict[str, Any]:
    """A definition of these components, or of a plain body."""
    given = {"name": "notice", "language": "en_US", "category": "UTILITY"}
    return given | {"components": list(components) or [BODY]} | parts


def body(text: str, *examples: str) -> dict[str, Any]:
    """A positional body with its examples."""
    example = {"example": {"body_text": [list(examples)]}} if examples else {}
    return {"type": "BODY", "text": text} | example


def buttons(*given: Any) -> dict[str, Any]:
    """The component of these buttons."""
    return {"type": "BUTTONS", "buttons": list(given)}


async def create(graph: "Graph", *components: Any, **parts: Any) -> "Answer":
    """Create a template."""
    return await graph.call("POST", EDGE, json=definition(*components, **parts))


async def created(graph: "Graph", *components: Any, **parts: Any) -> str:
    """Create a template that is fine; return its id."""
    answer = await create(graph, *components, **parts)
    assert answer.status == 200, answer.json
    template_id: str = answer.json["id"]
    return template_id


async def read(graph: "Graph", template_id: str, fields: str = "") -> dict[str, Any]:
    """Read a template."""
    answer = await graph.call("GET", f"/v25.0/{template_id}", params={"fields": fields} if fields else {})
    assert answer.status == 200, answer.json
    return answer.json


async def desk(graph: "Graph", template_id: str, action: str, **given: Any) -> dict[str, Any]:
    """Do something at the moderator's desk."""
    status, told = await graph.control("POST", f"/templates/{template_id}/{action}", given or None)
    assert status == 200, told
    return told


async def send(graph: "Graph", name: str, *components: Any, code: str = "en_US", **more: Any) -> "Answer":
    """Send a template."""
    template: dict[str, Any] = {"name": name, "language": {"code": code}}
    if components:
        template["components"] = list(components)
    return await graph.send(type="template", template=template, **more)


def which(template_id: str) -> dict[str, Any]:
    """What every webhook says of the template it is about, unless it was named otherwise."""
    return {
        "message_template_id": int(template_id),
        "message_template_name": "notice",
        "message_template_language": "en_US",
    }


def values(receiver: "Receiver", field: str) -> list[dict[str, Any]]:
    """List what was told of a field, in the order it came."""
    return [
        change["value"]
        for hook in receiver.hooks
        for entry in hook.payload["entry"]
        for change in entry["changes"]
        if change["field"] == field
    ]


async def told(receiver: "Receiver", field: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many changes of a field were told, and list them."""
    await receiver.until(lambda _: len(values(receiver, field)) >= count)
    return values(receiver, field)
