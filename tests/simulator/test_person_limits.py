"""What nobody can do on a phone: react to a reaction, quote what was deleted, write under a recording (4.8)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph


def on(kind: str, wamid: str) -> dict[str, Any]:
    """Compose something done to a message."""
    deeds: dict[str, dict[str, Any]] = {
        "react": {"react": {"message_id": wamid, "emoji": "👍"}},
        "quote": {"text": "hello", "quote": wamid},
        "edit": {"edit": {"message_id": wamid, "text": "hello"}},
        "delete": {"delete": {"message_id": wamid}},
        "tap": {"tap": {"message_id": wamid, "button": 0}},
    }
    return deeds[kind]


@pytest.mark.parametrize("deed", ["react", "quote", "edit", "delete"])
@pytest.mark.parametrize("coexistence", [True, False])
async def test_what_only_says_that_something_happened(
    sim: Simulator, graph: "Graph", deed: str, coexistence: bool
) -> None:
    sim.accounts.change_number("100000000000001", coexistence=coexistence)
    ana = sim.person(ANA)
    said = await ana.says("hello")
    reaction = await ana.reacts(said, "👍")
    edit = await ana.edits(said, "good day")
    ours = (await graph.send(type="reaction", reaction={"message_id": said, "emoji": "👍"})).wamid
    welcome = await sim.inbound(ANA, welcome=True)
    deletion = await ana.deletes(said)
    kinds = {
        reaction: "reaction",
        edit: "edit",
        ours: "reaction",
        welcome: "request_welcome",
        deletion: "revoke",
    }
    before = [each["reactions"] for each in sim.bubbles(100)]
    for wamid, kind in kinds.items():
        with pytest.raises(ValueError, match=f"is of the type {kind}"):
            await sim.inbound(ANA, **on(deed, wamid))
    assert [each["reactions"] for each in sim.bubbles(100)] == before


async def test_notices_are_no_messages(sim: Simulator) -> None:
    ana = sim.person(ANA)
    await ana.says("hello")
    await ana.changes_user_id()
    notice = sim.bubbles(1)[0]["wamid"]
    with pytest.raises(ValueError, match="is of the type system"):
        await ana.reacts(notice, "👍")


@pytest.mark.parametrize("deed", ["react", "quote", "edit", "delete", "tap"])
async def test_what_was_deleted_is_gone(sim: Simulator, deed: str) -> None:
    ana = sim.person(ANA)
    said = await ana.says("hello")
    await ana.deletes(said)
    with pytest.raises(ValueError, match="was deleted"):
        await sim.inbound(ANA, **on(deed, said))


async def test_what_is_unsupported_is_a_message_like_others(sim: Simulator) -> None:
    poll = await sim.person(ANA).sends_unsupported("poll")
    await sim.person(ANA).says("see above", quoting=poll)
    assert sim.bubbles(1)[0]["quote"]["wamid"] == poll


@pytest.mark.parametrize(
    ("kind", "taken"),
    [("image", True), ("video", True), ("document", True), ("audio", False), ("sticker", False)],
)
async def test_which_files_words_go_with(sim: Simulator, kind: Any, taken: bool) -> None:
    ana = sim.person(ANA)
    if taken:
        await ana.sends(kind, caption="Look")
        assert sim.bubbles(1)[0]["content"]["body"] == "Look"
        return
    with pytest.raises(ValueError, match=f"`caption` goes with image, video, document, not with {kind}"):
        await ana.sends(kind, caption="Look")
    assert not sim.world.media
