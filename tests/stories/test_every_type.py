"""Every type that can be sent goes through POST /send to the phone."""

from copy import deepcopy
from typing import Any

from harness.world import World
from sayso.messages.examples import EXAMPLES
from sayso.whatsapp.content import TYPES


def test_every_type_has_its_example() -> None:
    shown = {example["value"]["message_type"] for example in EXAMPLES.values()}
    assert shown == set(TYPES)


async def post(world: World, body: dict[str, Any]) -> str:
    status, told = await world.api.call("POST", "/send", json=body)
    assert status == 202, told
    return str(told["id"])


async def as_described(world: World, body: dict[str, Any], person: str) -> str:
    """What the example says to do: as it stands it is refused, with where to look; the feed has the message's id."""
    status, told = await world.api.call("POST", "/send", json=body)
    assert (status, told["errors"][0]["pointer"]) == (422, "/reaction/message_id")
    assert "`person.said` event" in told["detail"]
    _, feed = await world.api.call("GET", "/events?limit=500")
    assert EXAMPLES["reaction"]["description"].count("`person.said`") == 1
    (said,) = [
        e["data"] for e in feed["events"] if e["type"] == "person.said" and e["data"]["person"] == person
    ]
    return str(said["wamid"])


#: How Meta calls what we call otherwise: all of these are interactive messages there.
INTERACTIVE = {
    "buttons", "list", "cta_url", "flow", "location_request", "contact_request", "call_permission", "voice_call",
    "carousel", "product", "product_list", "catalog",
}  # fmt: skip


async def test_every_example_of_the_documentation_reaches_the_phone(world: World) -> None:
    sent: dict[str, tuple[str, str]] = {}
    for number, (name, example) in enumerate(EXAMPLES.items()):
        person = f"+1555000{4000 + number}"  # one each: Meta takes a message in six seconds to one person
        await world.api.call("PUT", f"/people/reader-{number}", json={"phone": person})
        wamid = await world.sim.inbound(person, text="hello there")
        await world.digested(wamid)
        body = deepcopy(example["value"]) | {"recipient": person}
        if body["message_type"] == "reaction":
            body["reaction"]["message_id"] = await as_described(world, body, person)
        sent[name] = (await post(world, body), person)
    for name, (message_id, person) in sent.items():
        kind = EXAMPLES[name]["value"]["message_type"]
        message = await world.stands(message_id, "sent" if kind == "reaction" else "read")
        assert message["message_type"] == kind
        shown = next(m for m in world.sim.messages(to=person) if m["wamid"] == message["wamid"])
        assert shown["type"] == ("interactive" if kind in INTERACTIVE else kind), name
    await world.keeps_its_promises()
