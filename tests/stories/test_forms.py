"""As what a message goes: free form inside the window, its template outside, at the time it was scheduled for."""

from datetime import timedelta
from typing import Any

from harness.world import ALICE, World

SUMMARY = {"name": "daily_summary", "parameters": ["3 March", "2 tasks", "Stand-up at 09:30"]}


async def shown(world: World, message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in world.sim.messages(to=ALICE) if each["wamid"] == message["wamid"]
    )
    return found


async def test_a_text_goes_inside_the_window_and_its_template_outside(world: World) -> None:
    message = await world.stands(await world.api.sent(ALICE, content="hello", fallback=SUMMARY), "read")
    assert (message["form"], message["template"]) == (
        "template",
        {"name": "daily_summary", "language": "en"},
    )
    assert (await shown(world, message))["type"] == "template"
    await world.open_window()
    message = await world.stands(await world.api.sent(ALICE, content="hello", fallback=SUMMARY), "read")
    assert message["form"] == "session"
    assert (await shown(world, message))["type"] == "text"
    await world.keeps_its_promises()


async def test_what_a_message_counts_as_is_expected_and_told(world: World) -> None:
    await world.open_window()
    text = await world.stands(await world.api.sent(ALICE, content="hello"), "read")
    assert text["price"] == {"estimated": "service", "category": "service", "billable": False}
    template = await world.stands(
        await world.api.sent(ALICE, message_type="template", template=SUMMARY), "read"
    )
    assert template["price"] == {"estimated": "utility", "category": "utility", "billable": True}


async def test_a_scheduled_message_waits_for_its_time(world: World) -> None:
    await world.open_window()
    at = world.rt.now() + timedelta(seconds=1.5)
    message_id = await world.api.sent(ALICE, content="later", send_at=at.isoformat(), ttl_seconds=60)
    waiting = await world.api.message(message_id)
    assert (waiting["state"], waiting["attempts"]) == ("queued", 0)
    assert "is to go out at" in waiting["timeline"][0]["reason"]
    message = await world.stands(message_id, "read")
    posted = next(step["at"] for step in message["timeline"] if step["state"] == "sending")
    assert posted >= waiting["send_at"]
    await world.keeps_its_promises()


async def test_a_reply_quotes_what_the_person_wrote(world: World) -> None:
    wamid = await world.sim.inbound(ALICE, text="when?")
    await world.digested(wamid)
    message = await world.stands(await world.api.sent(ALICE, content="at nine", quotes=wamid), "read")
    bubble = next(each for each in world.sim.bubbles(10) if each["wamid"] == message["wamid"])
    assert bubble["quote"]["wamid"] == wamid


async def test_one_who_came_by_an_ad_is_written_to_for_free(world: World) -> None:
    wamid = await world.sim.inbound(ALICE, text="hi", referral=True)
    await world.digested(wamid)
    for _ in range(2):
        message = await world.stands(await world.api.sent(ALICE, content="hello"), "read")
        assert message["price"] == {
            "estimated": "referral_conversion",
            "category": "referral_conversion",
            "billable": False,
        }
