"""A thousand people write STOP while messages to them are on their way: once they are answered, nothing starts.

The wire writes down when the bytes of each POST arrive, and Meta what it takes, in that order. Two services send by two
numbers, so that whoever answers and whoever sends are not in the same claim, and each claim dawdles between what it
reads and what it commits. Some are known by their user id alone, some by two spellings of their number. Messages to
them are given to the API or queued past its check, now or a moment later; some are refused and tried again, some are
lost and posted once more, some are long under way, some fall back to their template.

The bug that is planted and caught: nobody looks at the wire who has left.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.planting import plant
from harness.service import PHONE_NUMBER_ID, serving, settings
from harness.waiting import eventually
from harness.wire import Post
from harness.world import World, a_world
from sayso.core.tokens import Actor
from sayso.messages import deciding, outcome, rules, service
from sayso.messages.recipients import resolve
from sayso.messages.service import Draft
from sayso.people import service as people
from sayso.simulator.faults.model import Delay, DropBefore, FailLate, RefuseWithError
from sayso.whatsapp.content import Template, Text

Patch = pytest.MonkeyPatch

RACES, AT_ONCE, PLANTED = 1_000, 80, 100
SECOND = "100000000000002"
TEMPLATE = Template("daily_summary", "en", ("3 March", "two tasks", "nothing more"))
ACTOR = Actor("assistant", "alice", frozenset(), "none")


@dataclass(frozen=True)
class Racer:
    """Somebody: the phone they write from, and the names an assistant may know them by."""

    phone: str
    names: tuple[str, ...]
    digits: tuple[str, ...]


@asynccontextmanager
async def two_services(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Two numbers, as fast as any, and two services that send by both; Meta tells nothing of what it took."""
    async with a_world(dsn, tmp_path, meta={"course": "silent"}, more=[SECOND]) as world:
        for number in (PHONE_NUMBER_ID, SECOND):
            world.sim.accounts.change_number(number, throughput="HIGH")
        again = settings(dsn, base_url=world.wire.url, data_dir=tmp_path, sayso_more_senders=SECOND)
        async with serving(again):

            async def fast() -> bool:
                rows = await world.rows("SELECT 1 FROM senders WHERE rate_limit = 1000")
                return len(rows) == 2

            await eventually(fast, "both numbers being as fast as any")
            yield world


@dataclass
class Races:
    """All of them."""

    world: World
    dice: random.Random
    racers: list[Racer]
    who: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Whose each number and user id is."""
        self.who = {digits: racer.phone for racer in self.racers for digits in racer.digits}

    @classmethod
    async def of(cls, world: World, count: int, seed: int) -> "Races":
        """Everybody is there; a third of them have written before."""
        races = cls(world, random.Random(seed), [await _racer(world, number) for number in range(count)])
        wrote = [racer for place, racer in enumerate(races.racers) if place // 4 % 3 == 0]
        for racer in wrote:
            await world.sim.inbound(racer.phone, text="hello")

        async def heard() -> bool:
            rows = await world.rows("SELECT 1 FROM conversations WHERE last_inbound_at IS NOT NULL")
            return len(rows) == len(wrote)

        await eventually(heard, "all who wrote being heard")
        world.sim.arm(FailLate(code=131047, probability=0.1))
        world.sim.arm(RefuseWithError(code=131016, probability=0.25))
        world.sim.arm(DropBefore(probability=0.05))
        world.sim.arm(Delay(delay_s=0.15, probability=0.2))
        return races

    async def run(self) -> None:
        """Race, so many at a time, until everybody has been answered and all is at rest."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(racer: Racer) -> None:
            async with turn:
                await self.race(racer)

        await asyncio.gather(*map(one, self.racers))

        async def answered() -> bool:
            rows = await self.world.rows("SELECT 1 FROM messages WHERE purpose = 'consent' AND attempt > 0")
            return len(rows) == len(self.racers)

        await eventually(answered, "everybody being answered", within=240)
        self.world.sim.clear_faults()
        await self.world.at_rest(within=120)

    async def race(self, racer: Racer) -> None:
        """A STOP among messages, each some turns of the loop after the other; how many, chance says."""
        stop_at = self.dice.randrange(2)
        for place in range(3):
            if place == stop_at:
                await self.world.sim.inbound(racer.phone, text="STOP")
            elif self.dice.random() < 0.15:
                assert await self.give(racer) in (202, 403)
            else:
                await self.queue(racer)
            for _ in range(self.dice.randrange(60)):
                await asyncio.sleep(0)

    async def give(self, racer: Racer) -> int:
        """A message by the API; the status of its answer."""
        body = {"recipient": self.dice.choice(racer.names), "content": "given", "sender": self.sender()}
        status, _ = await self.world.api.call("POST", "/send", json=body)
        return status

    async def queue(self, racer: Racer) -> None:
        """A message that is not checked before it is queued."""
        rt = self.world.rt
        async with rt.db.tx() as tx:
            person, _ = await resolve(tx, rt, ACTOR, self.dice.choice(racer.names))
            await service.send(tx, rt, self.draft(person))

    def draft(self, person: people.Person) -> Draft:
        """A message of some kind."""
        now, later = self.world.rt.now(), self.dice.random() < 0.3
        return Draft(
            client_id="assistant",
            person=person,
            phone_number_id=self.sender(),
            purpose="send",
            content=Text("queued"),
            outside_window=TEMPLATE,
            if_unknown=self.dice.choice(["give_up", "retry_once"]),
            send_at=now + timedelta(seconds=self.dice.random() * 0.2) if later else None,
            expires_at=now + timedelta(hours=1),
        )

    def sender(self) -> str:
        """One of our numbers."""
        return self.dice.choice([PHONE_NUMBER_ID, SECOND])

    async def broken(self) -> list[str]:
        """What started after an answer, or was under way when it left: as the wire saw it, and as Meta did."""
        rows = await self.world.rows("SELECT id FROM messages WHERE purpose = 'consent'")
        answers = {row["id"] for row in rows}
        posts = sorted(self.world.wire.posts, key=lambda post: post.began)
        seen_by_meta = [
            (each["wa_id"], each["biz_opaque_callback_data"].partition(":")[0])
            for each in self.world.sim.messages()
        ]
        return [
            *self._late([(post.to.lstrip("+"), post.message_id) for post in posts], answers),
            *self._late(seen_by_meta, answers),
            *self._under_way(posts, answers),
        ]

    def _late(self, arrivals: Iterable[tuple[str, str]], answers: set[str]) -> list[str]:
        found, left = [], set()
        for to, message_id in arrivals:
            who = self.who[to]
            if message_id in answers:
                left.add(who)
            elif who in left:
                found.append(f"{message_id} started after {who} had been answered")
        return found

    def _under_way(self, posts: Iterable[Post], answers: set[str]) -> list[str]:
        found = []
        open_until: dict[str, float] = {}
        for post in posts:
            who = self.who[post.to.lstrip("+")]
            if post.message_id not in answers:
                over = post.met or post.ended or float("inf")
                open_until[who] = max(over, open_until.get(who, over))
            elif open_until.get(who, 0.0) > post.began:
                found.append(f"{who} was answered while something was under way")
        return found


async def _racer(world: World, number: int) -> Racer:
    match number % 4:
        case 1:
            known, given = f"+52155{number:08}", f"+5255{number:08}"
            handle = world.sim.person(known)
            names: tuple[str, ...] = (known, given, handle.user_id)
        case 2:
            known = f"+1555{6_000_000 + number}"
            handle = world.sim.person(known)
            await handle.adopts_username(f"racer.{number}")
            names = (handle.user_id,)
        case _:
            known = f"+1555{6_000_000 + number}"
            handle = world.sim.person(known)
            names = (known, handle.user_id)
    return Racer(known, names, tuple(name.lstrip("+") for name in (known, *names)))


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: Patch) -> None:
    """What is tried again is tried at once, and claims dawdle."""
    monkeypatch.setattr(rules, "_RETRY_CAP_S", 0.05)
    monkeypatch.setattr(outcome, "REPORT_UNKNOWN_AFTER", timedelta(seconds=0.1))
    dice, read = random.Random(1), deciding.read

    async def dawdling(*args: Any) -> Any:
        known = await read(*args)
        for _ in range(dice.randrange(20)):
            await asyncio.sleep(0)
        return known

    monkeypatch.setattr(deciding, "read", dawdling)


async def test_a_thousand_times_nothing_starts_once_a_stop_was_answered(dsn: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**31)
    async with two_services(dsn, tmp_path) as world:
        races = await Races.of(world, RACES, seed)
        await races.run()
        assert await races.broken() == [], f"seed {seed}"
        ends = {
            (row["state"], row["form"]): row["n"]
            for row in await world.rows(
                "SELECT state, CASE WHEN attempt > 0 THEN form END AS form, count(*) AS n FROM messages "
                "WHERE purpose = 'send' GROUP BY 1, 2"
            )
        }
        assert ends["suppressed", None] > RACES // 50, f"too few were stopped in time: {ends}"
        assert ends["accepted", "session"] > RACES // 10, f"too few went before: {ends}"
        assert ends["accepted", "template"] > RACES // 10, f"too few went as their template: {ends}"
        again = await world.rows("SELECT 1 FROM messages WHERE purpose = 'send' AND attempt > 1")
        assert again, "none was tried again"
        for name in (name for racer in races.racers[:8] for name in racer.names):
            status, told = await world.api.call("POST", "/send", json={"recipient": name, "content": "x"})
            assert (status, told["code"]) == (403, "opted_out")


async def test_the_races_catch_one_who_forgets_who_left(dsn: str, tmp_path: Path, monkeypatch: Patch) -> None:
    plant(monkeypatch, deciding, "decide", ("if facts.not_permitted:", "if False:"))
    async with two_services(dsn, tmp_path) as world:
        races = await Races.of(world, PLANTED, 7)
        await races.run()
        assert await races.broken() != []
