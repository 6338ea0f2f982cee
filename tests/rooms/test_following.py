"""Following a feed: nothing is missed and nothing comes twice; a reader who goes or sleeps costs nothing."""

import asyncio
import random
from collections import deque
from typing import Any

import pytest

from harness.rooms import runtime
from sayso.core.runtime import Runtime
from sayso.events import service, stream
from sayso.events.following import Filter, Follower, known, matches
from sayso.events.service import CATALOGUE
from sayso.events.stream import Stream, TooManyStreamsError


async def tell(rt: Runtime, *subjects: str, kind: str = "person.said", client: str = "bot") -> None:
    for subject in subjects:
        async with rt.db.tx() as tx:
            await service.emit(tx, rt, client_id=client, kind=kind, subject=subject, data={"text": subject})


def subjects(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [event["subject"] for _, event in found]


async def test_what_is_told_wakes_who_waits_and_what_others_hear_does_not(rt: Runtime) -> None:
    follower = Follower(rt, ["bot"], "")
    waiting = asyncio.create_task(follower.wait(10, 60))
    await asyncio.sleep(0)
    await tell(rt, "theirs", client="other")
    await tell(rt, "one")
    assert subjects(await waiting) == ["one"]
    assert await follower.wait(10, 0) == []


async def test_what_commits_behind_something_that_is_still_under_way_comes_as_soon_as_that_is_over(
    rt: Runtime,
) -> None:
    follower = Follower(rt, ["bot"], "")
    async with rt.db.tx() as slow:
        await slow.execute("SELECT pg_current_xact_id()")
        await tell(rt, "one")
        waiting = asyncio.create_task(follower.wait(10, 60))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
    assert subjects(await waiting) == ["one"]  # nobody rang when the slow one committed


async def test_a_filter_leaves_out_what_is_not_wanted_and_moves_on_behind_it(rt: Runtime) -> None:
    await tell(rt, *(f"s{n}" for n in range(30)))
    await tell(rt, "two", kind="confirmation.asked")
    follower = Follower(rt, ["bot"], "", Filter(("confirmation.*",)))
    assert subjects(await follower.wait(10, 0)) == ["two"]
    about = Follower(rt, ["bot"], "", Filter((), "s7"))
    assert subjects(await about.wait(10, 0)) == ["s7"]
    assert await Follower(rt, ["bot"], about.cursor).wait(10, 0) == []


async def test_now_is_behind_everything_that_can_be_read_and_before_what_is_under_way(rt: Runtime) -> None:
    await tell(rt, "before")
    async with rt.db.tx() as under_way:
        await service.emit(under_way, rt, client_id="bot", kind="person.said", subject="under way", data={})
        async with rt.db.one() as tx:
            now = await service.newest(tx)
    await tell(rt, "after")
    assert subjects(await Follower(rt, ["bot"], now).wait(10, 0)) == ["under way", "after"]


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("person.said", {"person.said"}),
        ("log.*", {"log.checkpoint"}),
        ("person", set()),
        ("*", set()),
        ("", set()),
    ],
)
def test_a_type_is_named_whole_or_by_its_family(pattern: str, matching: set[str]) -> None:
    assert {kind for kind in CATALOGUE if matches(pattern, kind)} == matching
    assert known(pattern) is bool(matching)


async def test_the_filter_here_and_the_one_of_endpoints_are_one(rt: Runtime) -> None:
    patterns = ["person.said", "person.*", "confirmation.*", "endpoint.failing", "alert.*", "*", "person"]
    asked, told = "SELECT $1::text[] AS types, NULL AS subject", "SELECT $2 AS type, '' AS subject"
    sql = f"SELECT {service.HEARS} FROM ({asked}) p, ({told}) e"
    async with rt.db.one() as tx:
        for pattern in patterns:
            for kind in CATALOGUE:
                assert await tx.fetchval(sql, [pattern], kind) is matches(pattern, kind), (pattern, kind)


async def test_racing_writers_and_readers_that_come_and_go_miss_nothing(dsn: str) -> None:
    seed = random.Random().randrange(10**6)
    dice = random.Random(seed)
    async with runtime(dsn, size=14) as rt, asyncio.timeout(60):
        written: list[str] = []

        async def write(writer: int) -> None:
            for number in range(20):
                async with rt.db.tx() as tx:
                    await service.emit(
                        tx, rt, client_id="bot", kind="person.said", subject=f"{writer}.{number}", data={}
                    )
                    for _ in range(dice.randrange(8)):
                        await tx.fetchval("SELECT 1")
                written.append(f"{writer}.{number}")

        async def follow() -> list[str]:
            seen: list[str] = []
            cursor = ""
            while len(seen) < 200:
                follower = Follower(rt, ["bot"], cursor)
                found = await follower.wait(dice.randrange(1, 20), 5)
                seen += subjects(found)
                cursor = found[-1][0] if found else follower.cursor
            return seen

        readers = [asyncio.create_task(follow()) for _ in range(4)]
        await asyncio.gather(*(write(n) for n in range(10)))
        for seen in await asyncio.gather(*readers):
            assert len(seen) == len(set(seen)) == 200, seed
            assert set(seen) == set(written), seed


class Reader:
    """The other end of a response, that reads, sleeps or goes."""

    def __init__(self) -> None:
        self.chunks: deque[bytes] = deque()
        self.came = asyncio.Event()
        self.gone = asyncio.Event()
        self.awake = asyncio.Event()
        self.awake.set()
        self.ended = False

    async def receive(self) -> dict[str, Any]:
        """Say nothing, until it goes."""
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take what comes, when awake."""
        await self.awake.wait()
        if message["type"] == "http.response.body":
            self.chunks.append(message["body"])
            self.ended = not message.get("more_body", False)
        self.came.set()

    async def text(self, wanted: str) -> str:
        """Everything so far, once it holds something."""
        while wanted not in (all_ := b"".join(self.chunks).decode()):
            self.came.clear()
            await self.came.wait()
        return all_


async def test_a_reader_who_takes_nothing_is_cut_off_and_nothing_is_kept_for_it(rt: Runtime) -> None:
    reader = Reader()
    answer = Stream(Follower(rt, ["bot"], ""), seconds=60, patience_s=0.05)
    running = asyncio.create_task(answer({}, reader.receive, reader.send))
    await reader.text("retry")
    reader.awake.clear()
    await tell(rt, *(f"s{n}" for n in range(100)))
    async with asyncio.timeout(20):
        await running
    assert not reader.ended
    assert stream._open == {}


async def test_a_reader_who_goes_is_let_go(rt: Runtime) -> None:
    reader = Reader()
    answer = Stream(Follower(rt, ["bot"], ""), seconds=60)
    running = asyncio.create_task(answer({}, reader.receive, reader.send))
    await tell(rt, "one")
    assert "event: person.said" in await reader.text("data: ")
    assert stream._open == {"bot": 1}
    reader.gone.set()
    async with asyncio.timeout(20):
        await running
    assert stream._open == {}


async def test_while_nothing_is_wanted_a_comment_comes_and_moves_the_place(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.02)
    reader = Reader()
    follower = Follower(rt, ["bot"], "", Filter(("alert.*",)))
    await tell(rt, "one")
    answer = Stream(follower, seconds=60)
    running = asyncio.create_task(answer({}, reader.receive, reader.send))
    async with asyncio.timeout(20):
        told = await reader.text("still here")
    reader.gone.set()
    await running
    assert f"id: {follower.cursor}\n: still here\n\n" in told
    assert "data" not in told
    assert follower.cursor


async def test_whoever_waits_looks_when_somebody_has_rung_and_else_hardly_ever(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.01)
    looks: list[float] = []
    many = asyncio.Event()
    real = Follower.read

    async def read(self: Follower, most: int) -> Any:
        looks.append(asyncio.get_running_loop().time())
        if len(looks) == 5:
            many.set()
        return await real(self, most)

    monkeypatch.setattr(Follower, "read", read)
    reader = Reader()
    running = asyncio.create_task(
        Stream(Follower(rt, ["bot"], ""), seconds=60)({}, reader.receive, reader.send)
    )
    async with asyncio.timeout(20):
        await reader.text(": still here\n\n" * 5)
        assert len(looks) == 1
        await tell(rt, "one")
        await reader.text('"subject":"one"')
        monkeypatch.setattr(stream, "LOOK_S", 0.0)
        await many.wait()
    reader.gone.set()
    await running


async def test_when_the_database_goes_the_stream_ends_and_the_reader_comes_again(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_args: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(Follower, "read", away)
    reader = Reader()
    await Stream(Follower(rt, ["bot"], ""), seconds=60)({}, reader.receive, reader.send)
    assert reader.ended
    assert stream._open == {}


async def test_one_assistant_has_so_many_streams_and_no_more(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST", 2)
    readers = [Reader(), Reader()]
    running = [
        asyncio.create_task(Stream(Follower(rt, ["bot"], ""), seconds=60)({}, each.receive, each.send))
        for each in readers
    ]
    for each in readers:
        await each.text("retry")
    with pytest.raises(TooManyStreamsError):
        Stream(Follower(rt, ["bot"], ""), seconds=60)
    Stream(Follower(rt, ["other"], ""), seconds=60)
    for each in readers:
        each.gone.set()
    await asyncio.gather(*running)
    Stream(Follower(rt, ["bot"], ""), seconds=60)


async def test_at_the_end_of_the_process_every_stream_ends_in_order(rt: Runtime) -> None:
    reader = Reader()
    running = asyncio.create_task(
        Stream(Follower(rt, ["bot"], ""), seconds=60)({}, reader.receive, reader.send)
    )
    await reader.text("retry")
    rt.wakes.close()
    async with asyncio.timeout(20):
        await running
    assert reader.ended
