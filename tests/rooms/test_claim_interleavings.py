"""Many workers, keys, retries and deaths in whatever order chance brings: no key is ever in two hands."""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from harness.rooms import KEYED, make_jobs, runtime
from sayso.core import claims
from sayso.core.claims import LeaseLostError
from sayso.core.runtime import Runtime

WORKERS = 5
KEYS = 12
ROWS = 700


@dataclass
class Oracle:
    """What must hold at every moment, kept apart from the database."""

    holders: dict[str, int] = field(default_factory=dict)
    finished: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    collisions: list[str] = field(default_factory=list)
    retries: int = 0
    deaths: int = 0

    def takes(self, worker: int, key: str) -> None:
        """After the claim's commit."""
        if key in self.holders:
            self.collisions.append(f"{key}: {worker} took it from {self.holders[key]}")
        self.holders[key] = worker

    def leaves(self, key: str) -> None:
        """Just before the commit by which the key may be taken by others."""
        del self.holders[key]


@dataclass
class Hand:
    """One worker's life after life."""

    rt: Runtime
    rng: random.Random
    oracle: Oracle

    async def work(self) -> None:
        """Claim and finish until nothing is left."""
        number = await self._enlist()
        while await self._left():
            async with self.rt.db.tx(claims=True) as tx:
                await claims.promote(tx, KEYED, now=self.rt.now())
                rows = await claims.claim(tx, KEYED, worker=number, limit=self.rng.randint(1, 8))
            groups: defaultdict[str, list[int]] = defaultdict(list)
            for row in rows:
                groups[row["who"]].append(row["id"])
            for key in groups:
                self.oracle.takes(number, key)
            if groups and self.rng.random() < 0.06:
                number = await self._die(number, groups)
                continue
            await asyncio.gather(*(self._finish(number, key, ids) for key, ids in groups.items()))

    async def _left(self) -> bool:
        async with self.rt.db.one() as tx:
            return bool(await tx.fetchval("SELECT count(*) FROM jobs WHERE work IS NOT NULL"))

    async def _enlist(self) -> int:
        async with self.rt.db.tx(claims=True) as tx:
            return await claims.enlist(tx)

    async def _finish(self, number: int, key: str, ids: list[int]) -> None:
        for done, row_id in enumerate(ids, start=1):
            if self.rng.random() < 0.15:
                await self._postpone(number, key, row_id, ids[done:])
                return
            async with self.rt.db.tx() as tx:
                await claims.complete(tx, KEYED, worker=number, ids=[row_id])
                self.oracle.finished[key].append(row_id)
                if done == len(ids):
                    self.oracle.leaves(key)

    async def _postpone(self, number: int, key: str, row_id: int, rest: list[int]) -> None:
        self.oracle.retries += 1
        until = self.rt.now() - timedelta(seconds=1)
        if not rest:
            self.oracle.leaves(key)
        async with self.rt.db.tx() as tx:
            assert await claims.postpone(tx, KEYED, worker=number, row_id=row_id, until=until)
        if rest:
            self.oracle.leaves(key)
            async with self.rt.db.tx() as tx:
                await claims.put_back(tx, KEYED, worker=number, ids=rest)

    async def _die(self, number: int, groups: dict[str, list[int]]) -> int:
        """Presumed dead by the others; what it still tries is refused."""
        self.oracle.deaths += 1
        async with self.rt.db.tx(claims=True) as tx:
            await claims.retire(tx, number)
            await claims.release(tx, KEYED, workers=[number])
            for key in groups:
                self.oracle.leaves(key)
        for ids in groups.values():
            with pytest.raises(LeaseLostError):
                async with self.rt.db.tx() as tx:
                    await claims.complete(tx, KEYED, worker=number, ids=ids)
        return await self._enlist()


@pytest.mark.parametrize("fixed", [1, 2, None])
async def test_no_key_is_ever_in_two_hands_and_each_is_worked_in_order(dsn: str, fixed: int | None) -> None:
    seed = fixed or random.Random().randrange(10**6)
    oracle = Oracle()
    async with runtime(dsn, size=WORKERS * 3) as rt, asyncio.timeout(60):
        async with rt.db.tx() as tx:
            await make_jobs(tx)
            await tx.execute(
                "INSERT INTO jobs (who, work) SELECT 'key ' || (n * 31 % $2), 'ready' FROM generate_series(1, $1) n",
                ROWS,
                KEYS,
            )
        await asyncio.gather(*(Hand(rt, random.Random(seed * 97 + n), oracle).work() for n in range(WORKERS)))
    print("seed", seed)  # noqa: T201 - shown when the test fails
    assert oracle.collisions == []
    assert sorted(job for jobs in oracle.finished.values() for job in jobs) == list(range(1, ROWS + 1))
    assert {key: jobs for key, jobs in oracle.finished.items() if jobs != sorted(jobs)} == {}
    assert oracle.retries > 5
    assert oracle.deaths > 0
