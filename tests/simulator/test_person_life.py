"""What changes about messages and people: reactions, edits, numbers, keys, blocks, wishes (4.7, 4.8, 4.11)."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.ids import bsuid
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

OUR = "15550100000"
PHONE_ID = "100000000000001"


def told(receiver: "Receiver", wamid: str) -> dict[str, Any]:
    """Return the value that tells of an inbound message."""
    (found,) = [h.value for h in receiver.hooks if [m["id"] for m in h.value.get("messages", [])] == [wamid]]
    return found


def systems(receiver: "Receiver") -> list[dict[str, Any]]:
    return [h.value for h in receiver.hooks if h.value.get("messages", [{}])[0].get("type") == "system"]


# --- messages -----------------------------------------------------------------------------------------------


async def test_reactions_and_their_removal(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    ana = sim.person(ANA)
    await ana.says("hello")
    wamid = (await graph.text()).wamid
    on, off = await ana.reacts(wamid, "👍"), None
    assert sim.world.messages[wamid].reactions == {"15550001111": "👍"}
    off = await ana.reacts(wamid, "")
    assert sim.world.messages[wamid].reactions == {}
    await sim.settled()
    for reaction, emoji in ((on, "👍"), (off, "")):
        (message,) = told(receiver, reaction)["messages"]
        assert message == {
            "from": "15550001111",
            "from_user_id": ana.user_id,
            "id": reaction,
            "timestamp": message["timestamp"],
            "type": "reaction",
            "reaction": {"message_id": wamid, "emoji": emoji},
        }
    with pytest.raises(ValueError, match="no reaction"):
        await ana.reacts(wamid, "")


@pytest.mark.parametrize("coexistence", [False, True])
async def test_edits_and_deletions(sim: Simulator, receiver: "Receiver", coexistence: bool) -> None:
    sim.world.number.coexistence = coexistence
    ana = sim.person(ANA)
    said = await ana.says("Yse")
    photo = await ana.sends_image(caption="Lok")
    edited, recaptioned = await ana.edits(said, "Yes"), await ana.edits(photo, "Look")
    deleted = await ana.deletes(said)
    await sim.settled()
    wire = [told(receiver, each)["messages"][0] for each in (edited, recaptioned, deleted)]
    if not coexistence:
        assert [each["type"] for each in wire] == ["unsupported"] * 3
        assert [each["unsupported"] for each in wire] == [
            {"type": "edit"},
            {"type": "edit"},
            {"type": "revoke"},
        ]
        assert {each["errors"][0]["code"] for each in wire} == {131051}
        return
    words = {"type": "text", "text": {"body": "Yes"}}
    assert wire[0]["edit"] == {"original_message_id": said, "message": words}
    assert wire[1]["edit"]["message"]["image"]["caption"] == "Look"
    assert (wire[2]["type"], wire[2]["revoke"]) == ("revoke", {"original_message_id": said})
    message = sim.world.messages[said]
    assert (message.edited, message.deleted) == (True, True)


async def test_edits_end_after_a_quarter_of_an_hour(sim: Simulator) -> None:
    sim.run_clock(0)
    ana = sim.person(ANA)
    wamid = await ana.says("Yse")
    sim.advance(15 * 60)
    await ana.edits(wamid, "Yes")
    sim.advance(1)
    with pytest.raises(ValueError, match="older than 15 minutes"):
        await ana.edits(wamid, "No")


async def test_what_cannot_be_edited_or_deleted(sim: Simulator, graph: "Graph") -> None:
    ana = sim.person(ANA)
    voice = await ana.sends_voice()
    ours = (await graph.text()).wamid
    gone = await ana.says("oops")
    await ana.deletes(gone)
    for wamid, why in ((voice, "no words"), (ours, "the business's"), (gone, "was deleted")):
        with pytest.raises(ValueError, match=why):
            await ana.edits(wamid, "x")


# --- who they are -------------------------------------------------------------------------------------------


async def test_a_changed_number(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    ana = sim.person(ANA)
    said = await ana.says("hello")
    old_id = ana.user_id
    await ana.changes_number("+15550007777")
    await sim.settled()
    (value,) = systems(receiver)
    (message,) = value["messages"]
    assert value == {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": OUR, "phone_number_id": PHONE_ID},
        "messages": [
            {
                "from": "15550001111",
                "id": message["id"],
                "timestamp": message["timestamp"],
                "type": "system",
                "system": {
                    "type": "user_changed_number",
                    "body": "User Ana Quiroga changed from 15550001111 to 15550007777",
                    "wa_id": "15550007777",
                    "user_id": bsuid("300000000000001", "15550007777"),
                    "previous_user_id": old_id,
                },
            }
        ],
    }
    assert (await graph.text(to="+15550007777", context={"message_id": said})).status == 200
    assert sim.messages(to="+15550007777")[0]["wa_id"] == "15550007777"
    sent = await graph.text(to="+15550007777")
    await receiver.status(sent.wamid, "read"), "the window moved along"
    assert (await graph.text(to=None, recipient=old_id)).code == 131026, "the old BSUID is dead"
    failed = await receiver.status((await graph.text()).wamid, "failed")
    assert failed["errors"][0]["code"] == 131026, "nobody is at the old number"


async def test_a_number_that_somebody_has_is_refused(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="already the number of Ben"):
        await sim.person(ANA).changes_number(BEN)


async def test_a_number_left_behind_can_be_somebody_elses(sim: Simulator) -> None:
    ana = sim.person(ANA)
    old_id = ana.user_id
    await ana.changes_number("+15550007777")
    assert sim.world.person("15550001111").on_whatsapp is False, "written to, nobody is there"
    await ana.changes_number(ANA)
    assert ana.phone == ANA
    assert ana.user_id not in ("", old_id), "a dead BSUID does not come back"


async def test_a_changed_user_id(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    ana = sim.person(ANA)
    await ana.says("hello")
    old_id = ana.user_id
    await ana.changes_user_id()
    await sim.settled()
    (value,) = systems(receiver)
    (message,) = value["messages"]
    assert "contacts" not in value
    assert message == {
        "id": message["id"],
        "timestamp": message["timestamp"],
        "type": "system",
        "system": {
            "type": "user_changed_user_id",
            "body": f"User Ana Quiroga changed from {old_id} to {ana.user_id}",
            "user_id": ana.user_id,
            "previous_user_id": old_id,
        },
    }
    assert (await graph.text(to=None, recipient=ana.user_id)).status == 200
    assert (await graph.text(to=None, recipient=old_id)).code == 131026


@pytest.mark.parametrize("checked", [False, True])
async def test_changed_keys_are_told_where_they_are_checked(
    sim: Simulator, receiver: "Receiver", checked: bool
) -> None:
    sim.world.number.identity_check = checked
    ana = sim.person(ANA)
    await ana.says("hello")
    before = sim.world.people["15550001111"].identity_hash
    await ana.changes_identity()
    after = sim.world.people["15550001111"].identity_hash
    await sim.settled()
    assert after != before
    if not checked:
        assert systems(receiver) == []
        return
    (value,) = systems(receiver)
    assert value["contacts"][0]["identity_key_hash"] == after
    (message,) = value["messages"]
    assert message == {
        "from": "15550001111",
        "from_user_id": ana.user_id,
        "id": message["id"],
        "timestamp": message["timestamp"],
        "type": "system",
        "identity": {"acknowledged": True, "created_timestamp": message["timestamp"], "hash": after},
        "system": {
            "type": "customer_identity_changed",
            "body": "User Ana Quiroga may have changed their device",
        },
    }


async def test_system_messages_open_no_window(sim: Simulator, graph: "Graph") -> None:
    await graph.text()
    await sim.person(ANA).changes_user_id()
    assert sim.state()["people"][0]["window_open"] is False


async def test_a_hidden_number(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    """A username hides it; a message by the number shows it again, for good while the contact book is on."""
    ana = sim.person(ANA)
    book = sim.world.accounts.portfolios["300000000000001"]
    book.contact_book_on = False
    await ana.changes(parent_user_id="US.ENT.55")
    await ana.adopts_username("anaq")
    hidden = await ana.says("hello")
    answer = await graph.text(to=None, recipient=ana.user_id)
    read = await receiver.status(answer.wamid, "read")
    assert "recipient_id" not in read
    assert (read["recipient_user_id"], read["recipient_parent_user_id"]) == (ana.user_id, "US.ENT.55")
    value = told(receiver, hidden)
    who = {"profile": {"name": "Ana Quiroga", "username": "anaq"}, "user_id": ana.user_id}
    assert value["contacts"] == [{**who, "parent_user_id": "US.ENT.55"}]
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_parent_user_id"] == "US.ENT.55"
    quoting = await ana.says("me", quoting=hidden)
    await sim.settled()
    assert told(receiver, quoting)["messages"][0]["context"] == {"id": hidden}

    await graph.text()  # by the number: known for 30 days
    sim.advance(29 * 86_400)
    shown = await ana.says("still")
    sim.advance(31 * 86_400)
    again = await ana.says("hidden again")
    book.contact_book_on = True
    await graph.text()
    sim.advance(400 * 86_400)
    kept = await ana.says("in the book")
    await sim.settled()
    for wamid, seen in ((shown, True), (again, False), (kept, True)):
        assert ("from" in told(receiver, wamid)["messages"][0]) is seen
        assert ("wa_id" in told(receiver, wamid)["contacts"][0]) is seen


async def test_a_hidden_number_changes(sim: Simulator, receiver: "Receiver") -> None:
    ana = sim.person(ANA)
    await ana.adopts_username("anaq")
    await ana.says("hello")
    await ana.changes_number("+15550007777")
    await sim.settled()
    raw = b"".join(hook.raw for hook in receiver.hooks).replace(b"wamid.", b"")
    assert b"15550001111" not in raw
    assert b"15550007777" not in raw


async def test_only_a_username_can_hide_the_number(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="needs a `username`"):
        await sim.person(ANA).changes(phone_hidden=True)
    ana = sim.person(ANA)
    await ana.adopts_username("anaq")
    await ana.changes(username=None)
    assert sim.world.people["15550001111"].phone_hidden is False


# --- what they want -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["stop", "resume"])
async def test_marketing_stopped_and_resumed(
    sim: Simulator, graph: "Graph", receiver: "Receiver", value: str
) -> None:
    sim.run_clock(0)
    status, person = await graph.control("POST", f"/people/{ANA}/marketing", {"value": value})
    assert (status, person["no_marketing"]) == (200, [PHONE_ID] if value == "stop" else [])
    (hook,) = await receiver.until(lambda hooks: len(hooks) == 1)
    (entry,) = json.loads(hook.raw)["entry"]
    now = int(sim.clock.now())
    assert (entry["time"], entry["changes"][0]["field"]) == (now, "user_preferences")
    who = {"wa_id": "15550001111", "user_id": person["user_id"]}
    assert hook.value == {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": OUR, "phone_number_id": PHONE_ID},
        "contacts": [{"profile": {"name": "Ana Quiroga"}, **who}],
        "user_preferences": [
            {
                **who,
                "category": "marketing_messages",
                "value": value,
                "detail": f"User requested to {value} marketing messages",
                "timestamp": now,
            }
        ],
    }


async def test_a_blocked_business_hears_131026(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    ana = sim.person(ANA)
    await ana.says("hello")
    await ana.blocks()
    failed = await receiver.status((await graph.text()).wamid, "failed")
    assert failed["errors"][0]["code"] == 131026
    with pytest.raises(ValueError, match="has blocked"):
        await ana.says("never mind")
    await ana.unblocks()
    await receiver.status((await graph.text()).wamid, "read")


async def test_whom_the_business_blocked_does_not_reach_it(sim: Simulator, graph: "Graph") -> None:
    sim.world.number.blocked.add("15550001111")
    status, answer = await graph.control("POST", "/inbound", {"from": ANA, "text": "hi"})
    assert (status, answer["reached"]) == (200, False)
    assert "has blocked" in answer["why"]
    assert sim.webhooks() == []
    assert sim.state()["people"][0]["window_open"] is False


async def test_a_phone_that_is_off(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    ana = sim.person(ANA)
    await ana.says("hello")
    await ana.turns_phone_off()
    wamid = (await graph.text()).wamid
    await receiver.status(wamid, "sent")
    await sim.settled()
    assert {each["status"] for each in receiver.statuses(wamid)} == {"sent"}
    with pytest.raises(ValueError, match="is off"):
        await ana.says("hi")
    await ana.turns_phone_on()
    await receiver.status(wamid, "read")


async def test_not_on_whatsapp_and_no_read_receipts(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    ben, ana = sim.person(BEN), sim.person(ANA)
    await ben.says("hi")
    await ben.changes(on_whatsapp=False)
    failed = await receiver.status((await graph.text(to=BEN)).wamid, "failed")
    assert failed["errors"][0]["code"] == 131026
    with pytest.raises(ValueError, match="not on WhatsApp"):
        await ben.says("hi")
    await ana.says("hi")
    await ana.changes(read_receipts=False)
    wamid = (await graph.text()).wamid
    await receiver.status(wamid, "delivered")
    await ana.reads()
    await sim.settled()
    assert {each["status"] for each in receiver.statuses(wamid)} == {"sent", "delivered"}
