"""SIGTERM in the middle of everything: it ends in time, with code 0, PostgreSQL stopped, and nothing is lost."""

import asyncio
import contextlib
import signal

import aiohttp

from harness.processes import House
from harness.waiting import eventually
from sayso.core.postmaster import postmaster

PEOPLE = [f"+1555060{number:04}" for number in range(10)]
END_WITHIN_S = 25.0


async def test_sigterm_under_load_ends_in_time_and_loses_nothing(house: House) -> None:
    asked: dict[str, str] = {}
    ended = asyncio.Event()

    async def ask(person: str) -> None:
        for number in range(10_000):
            with contextlib.suppress(aiohttp.ClientError):
                question = {
                    "action_type": "test",
                    "action_description": f"question {number}",
                    "action_details": "-",
                    "recipient": person,
                }
                status, body = await house.api.call("POST", "/confirmation", json=question)
                if status == 202:
                    asked[body["id"]] = body["message_id"]
            if ended.is_set():
                return
            await asyncio.sleep(0.01)  # an assistant's pace, not a wait

    asking = [asyncio.create_task(ask(person)) for person in PEOPLE]

    async def enough() -> bool:
        return len(asked) > 100

    await eventually(enough, "a hundred questions", within=60)
    waiting = asyncio.create_task(_long_poll(house, next(reversed(asked))))
    house.service.signal(signal.SIGTERM)
    assert await house.service.ended(within=END_WITHIN_S) == 0
    assert postmaster(house.data / "postgres") is None, "the embedded PostgreSQL has ended too"
    await waiting
    ended.set()
    await asyncio.gather(*asking)
    await house.start()
    history = await house.keeps_its_promises()
    assert {row["id"] for row in history.confirmations} >= set(asked), "what was accepted is there"
    assert {post.message_id for post in history.posts if post.accepted} >= set(asked.values())
    assert len(history.posts) == len({post.message_id for post in history.posts})


async def _long_poll(house: House, confirmation_id: str) -> None:
    """Whoever waits is answered with what there is, or hung up on; not left waiting."""
    with contextlib.suppress(aiohttp.ClientError):
        assert (await house.api.outcome(confirmation_id, wait=60))["status"] == "pending"


async def test_sigterm_while_meta_answers_slowly_waits_for_the_answer(house: House) -> None:
    held = house.wire.hold("before")
    asked = await house.api.ask(recipient=PEOPLE[0])
    await held.arrived()
    house.service.signal(signal.SIGTERM)

    async def stopping() -> bool:
        return "serve.stopping" in house.service.log.read_text(encoding="utf-8")

    await eventually(stopping, "the end being begun")
    held.release()
    assert await house.service.ended(within=END_WITHIN_S) == 0
    await house.start()
    prompt = await house.phone.expect(to=PEOPLE[0], containing="schedule")
    await house.phone.taps(PEOPLE[0], prompt["wamid"], 0)
    assert (await house.api.outcome(asked["id"]))["outcome"] == "confirmed"
    history = await house.keeps_its_promises()
    states = [step["state"] for step in history.steps if step["message_id"] == asked["message_id"]]
    assert "unknown" not in states, "its answer was waited for"
