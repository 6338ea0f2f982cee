"""The feed: a reader who follows its cursor misses nothing and sees nothing twice, however late writers commit."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.rooms import runtime
from sayso.core.runtime import Runtime
from sayso.events import service
from sayso.events.service import CATALOGUE


async def emit(tx: Any, rt: Runtime, subject: str, *, client: str = "bot") -> None:
    await service.emit(
        tx, rt, client_id=client, kind="person.said", subject=subject, data={"text": subject, "n": [1, None]}
    )


async def tell(tx: Any, rt: Runtime, kind: str) -> None:
    await service.emit(tx, rt, client_id="bot", kind=kind, subject="cnf_1", data={})


async def read(
    rt: Runtime, after: str = "", *, client: str = "bot", limit: int = 100
) -> tuple[list[str], str]:
    async with rt.db.one() as tx:
        found = (await service.page(tx, clients=[client], after=after, limit=limit)).events
    return [event["subject"] for _, event in found], found[-1][0] if found else after


async def test_an_event_is_read_with_all_it_tells_by_its_assistant_alone(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await emit(tx, rt, "one")
        await emit(tx, rt, "other", client="another")
    async with rt.db.one() as tx:
        ((following, event),) = (await service.page(tx, clients=["bot"], after="", limit=10)).events
    assert event.pop("id").startswith("evt_")
    assert event == {
        "type": "person.said", "subject": "one", "timestamp": rt.now(), "data": {"text": "one", "n": [1, None]}
    }  # fmt: skip
    assert await read(rt, following) == ([], following)
    assert (await read(rt, client="another"))[0] == ["other"]
    assert await read(rt, client="nobody") == ([], "")


async def test_what_commits_late_holds_back_what_was_begun_after_it(rt: Runtime) -> None:
    async with rt.db.tx() as slow:
        await emit(slow, rt, "begun first")
        async with rt.db.tx() as quick:
            await emit(quick, rt, "committed first")
        assert await read(rt) == ([], "")
    assert (await read(rt))[0] == ["begun first", "committed first"]


async def test_a_question_is_told_of_in_its_order_whichever_transaction_began_first(rt: Runtime) -> None:
    """Somebody answers, has written already, waits for the question's row, and comes too late."""
    told = ["confirmation.decided", "confirmation.answered_late", "confirmation.executed"]
    async with rt.db.tx() as slow:
        await emit(slow, rt, "they wrote to us")
        async with rt.db.tx() as quick:
            await tell(quick, rt, told[0])
        await tell(slow, rt, told[1])
    async with rt.db.tx() as tx:
        await tell(tx, rt, told[2])
    async with rt.db.one() as tx:
        events = (await service.page(tx, clients=["bot"], after="", limit=10)).events
    assert [event["type"] for _, event in events if event["subject"] == "cnf_1"] == told


async def test_pages_join_without_a_seam(rt: Runtime) -> None:
    for n in range(3):
        async with rt.db.tx() as tx:
            for k in range(4):
                await emit(tx, rt, f"{n}.{k}")
    seen: list[str] = []
    cursor = ""
    while True:
        page, cursor = await read(rt, cursor, limit=5)
        if not page:
            break
        seen += page
    assert sorted(seen) == [f"{n}.{k}" for n in range(3) for k in range(4)]
    assert [subject[0] for subject in seen] == list("000011112222")


async def test_transactions_are_ordered_as_numbers_not_as_words(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        for number in (8, 9, 10, 11, 100, 101):
            await emit(tx, rt, str(number))
            await tx.execute("UPDATE events SET tx = $1::text::xid8 WHERE subject = $1", str(number))
    seen: list[str] = []
    cursor = ""
    for _ in range(6):
        page, cursor = await read(rt, cursor, limit=1)
        seen += page
    assert seen == ["8", "9", "10", "11", "100", "101"]


async def test_a_rolled_back_event_was_never_there(rt: Runtime) -> None:
    with contextlib.suppress(LookupError):
        async with rt.db.tx() as tx:
            await emit(tx, rt, "never")
            raise LookupError
    assert await read(rt) == ([], "")


async def test_only_what_is_in_the_catalogue_is_told(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        with pytest.raises(ValueError, match="not in the catalogue"):
            await service.emit(tx, rt, client_id="bot", kind="person.sang", subject="x", data={})
    assert all("." in kind and text.endswith(".") for kind, text in CATALOGUE.items())


@pytest.fixture
async def wide(dsn: str) -> AsyncIterator[Runtime]:
    """Connections for many writers at once."""
    async with runtime(dsn, size=14) as running:
        yield running


@dataclass
class Race:
    """Writers of whom each commits when chance has it, and a reader beside them."""

    rt: Runtime
    dice: random.Random
    writing: int = 12
    written: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    async def write(self, writer: int) -> None:
        """Some events, each in a transaction that others overtake."""
        for n in range(25):
            async with self.rt.db.tx() as tx:
                await emit(tx, self.rt, f"{writer}.{n}")
                for _ in range(self.dice.randrange(12)):
                    await tx.fetchval("SELECT 1")
            self.written.append(f"{writer}.{n}")
        self.writing -= 1

    async def follow(self) -> None:
        """Read on until everybody has written and nothing more comes."""
        cursor = ""
        while True:
            over = not self.writing
            page, cursor = await read(self.rt, cursor, limit=self.dice.randrange(1, 40))
            self.seen.extend(page)
            if over and not page:
                return


async def test_a_reader_racing_late_commits_misses_nothing_and_sees_nothing_twice(wide: Runtime) -> None:
    seed = random.Random().randrange(10**6)
    race = Race(wide, random.Random(seed))
    async with asyncio.timeout(60):
        await asyncio.gather(race.follow(), *(race.write(n) for n in range(12)))
    assert len(race.seen) == len(set(race.seen)), seed
    assert set(race.seen) == set(race.written), seed
    for writer in range(12):
        own = [int(subject.partition(".")[2]) for subject in race.seen if subject.startswith(f"{writer}.")]
        assert own == sorted(own), seed
