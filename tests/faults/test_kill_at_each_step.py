"""kill -9 of the service between each step of the main job; after the restart everything is completed, once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from harness import evidence
from harness.processes import House
from harness.waiting import eventually
from sayso.core.postmaster import postmaster

ALICE = "+15550001111"
WORDS = "schedule a meeting"


async def ask(house: House, **changes: Any) -> dict[str, Any]:
    return await house.api.ask(WORDS, recipient=ALICE, **changes)


async def confirm(house: House, asked: dict[str, Any]) -> None:
    """Tap, see the decision, and that everything happened once."""
    prompt = await house.phone.expect(to=ALICE, containing=WORDS)
    await house.phone.taps(ALICE, prompt["wamid"], 0)
    await confirmed(house, asked)


async def confirmed(house: House, asked: dict[str, Any]) -> None:
    assert (await house.api.outcome(asked["id"], wait=30))["outcome"] == "confirmed"
    await house.keeps_its_promises()
    assert len(house.wire.of(asked["message_id"])) == 1
    assert len(await house.phone.messages(to=ALICE, containing="✅ Confirmed")) == 1


@contextlib.asynccontextmanager
async def locked(house: House, sql: str) -> AsyncIterator[Any]:
    """Rows that somebody else keeps locked: whoever works on them stands still."""
    connection = await evidence.connect(house.dsn)
    try:
        async with connection.transaction():
            await connection.execute(sql)
            yield connection
    finally:
        await connection.close()


async def test_after_the_link(house: House) -> None:
    await house.api.link(ALICE, name="Alice")
    before = postmaster(house.data / "postgres")
    await house.kill()
    assert postmaster(house.data / "postgres") == before, "PostgreSQL outlives the service"
    await house.start()
    assert postmaster(house.data / "postgres") == before, "and the next start joins it"
    asked = await house.api.ask(WORDS)
    await house.phone.expect(to=ALICE, containing="Alice")
    await confirm(house, asked)


async def test_the_moment_the_question_was_accepted(house: House) -> None:
    asked = await ask(house)
    await house.kill()
    await house.start()
    await confirm(house, asked)


async def test_while_the_question_waits_for_meta_to_come_back(house: House) -> None:
    await house.wire.go_down()
    asked = await ask(house)
    await house.kill()
    await house.wire.come_up()
    await house.start()
    await confirm(house, asked)


async def test_after_the_intent_while_the_post_is_on_its_way(house: House) -> None:
    held = house.wire.hold("before")
    asked = await ask(house)
    await held.arrived()
    await house.kill()
    held.release()  # the bytes were out: Meta gets them
    await house.start()
    await confirm(house, asked)


async def test_after_the_intent_when_the_post_never_arrives(house: House) -> None:
    held = house.wire.hold("before", cut=True)
    asked = await ask(house, timeout_minutes=0.2)
    await held.arrived()
    await house.kill()
    held.release()
    await house.start()
    assert (await house.api.outcome(asked["id"], wait=40))["outcome"] == "expired"

    async def given_up() -> str | None:
        message = await house.api.message(asked["message_id"])
        return str(message["reason"]) if message["state"] == "unknown" else None

    assert "died" in (await eventually(given_up, "the lease of the dead being over") or "")
    await house.keeps_its_promises()
    assert len(house.wire.of(asked["message_id"])) == 1, "never posted again"


@pytest.mark.parametrize("statuses", ["before the kill", "after the restart"])
async def test_after_meta_accepted_and_before_we_wrote_it_down(house: House, statuses: str) -> None:
    await house.phone.hold_webhooks(on=statuses == "after the restart")
    held = house.wire.hold("after")
    asked = await ask(house)
    await held.arrived()
    if statuses == "before the kill":
        await eventually(house.phone.quiet, "the statuses being taken")
    await house.kill()
    held.release()
    await house.start()
    await house.phone.hold_webhooks(on=False)
    await confirm(house, asked)


async def test_after_the_reply_was_acknowledged_and_before_it_was_read(house: House) -> None:
    asked = await ask(house)
    prompt = await house.phone.expect(to=ALICE, containing=WORDS)
    await eventually(house.phone.quiet, "the statuses being taken")
    async with locked(house, "SELECT 1 FROM confirmations FOR UPDATE"):
        wamid = await house.phone.taps(ALICE, prompt["wamid"], 0)

        async def taken() -> list[dict[str, Any]]:
            return await house.rows("SELECT 1 FROM updates WHERE key = $1 AND work = 'running'", f"m:{wamid}")

        await eventually(taken, "the reply being in hand")
        await eventually(house.phone.quiet, "the reply being acknowledged")
        await house.kill()
    await house.start()
    await confirmed(house, asked)


async def test_after_the_decision_and_before_anybody_asked_for_it(house: House) -> None:
    asked = await ask(house)
    prompt = await house.phone.expect(to=ALICE, containing=WORDS)

    async def decided() -> list[dict[str, Any]]:
        return await house.rows("SELECT 1 FROM confirmations WHERE status = 'decided'")

    async with locked(house, "SELECT 1 FROM senders FOR UPDATE"):  # or the closing may be on its way to Meta
        await house.phone.taps(ALICE, prompt["wamid"], 0)
        await eventually(decided, "the decision")
        await house.kill()
    await house.start()
    await confirmed(house, asked)


async def test_before_the_deadline_which_passes_meanwhile(house: House) -> None:
    asked = await ask(house)
    await house.phone.expect(to=ALICE, containing=WORDS)
    await house.kill()
    await evidence.time_is_up(house.dsn)
    await house.start()
    assert (await house.api.outcome(asked["id"], wait=30))["outcome"] == "expired"
    await house.keeps_its_promises()


async def test_while_many_deadlines_have_passed_and_some_were_seen_to(house: House) -> None:
    people = [f"+1555040{number:04}" for number in range(80)]
    asked = await asyncio.gather(*(house.api.ask(recipient=person) for person in people))
    half = "right(id, 1) < 'g'"
    async with locked(house, f"SELECT 1 FROM confirmations WHERE {half} FOR UPDATE"):
        await evidence.time_is_up(house.dsn, f"NOT {half}")

        async def partly() -> bool:
            rows = await house.rows("SELECT status, count(*) AS n FROM confirmations GROUP BY status")
            return {row["status"] for row in rows} == {"pending", "decided"}

        await eventually(partly, "some of them being seen to")
        await house.kill()
    await evidence.time_is_up(house.dsn, half)
    await house.start()
    outcomes = await asyncio.gather(*(house.api.outcome(each["id"], wait=30) for each in asked))
    assert {row["outcome"] for row in outcomes} == {"expired"}
    await house.keeps_its_promises()
