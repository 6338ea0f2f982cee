"""Every way back to the assistant: from the webhook of a tap to the outcome heard; and ten thousand clients that wait.

Ways: a long poll of each confirmation, the feed pulled by its cursor, the feed as a stream, webhooks to an endpoint.
"""

import asyncio
import json
import os

import msgspec

from figures import Row, cost, latency, percentile
from hearing import Way
from proc import Meter, Tree
from processes import Stage, bearer, beside, free_port, say, staged
from processes import told as told_by
from sayso.core.tokens import ASSISTANT_SCOPES
from tapper import Spec, Told
from timers import ask as open_questions
from waiters import Spec as Waiters
from waiters import Told as Waited
from wire import PEOPLE as EVERYBODY
from wire import people, queue

#: What is asked for, of questions that were asked before; and what two cores bear of all of it, generators beside.
RATE, GENTLE_RATE = 100, 30
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
WARM_UP = 6.0
PEOPLE = 1_500
WAYS: dict[Way, str] = {
    "poll": "long poll",
    "pull": "cursor pull",
    "stream": "server-sent events",
    "hook": "webhook out",
}

WAITING = int(os.environ.get("BENCH_WAITING", "10000"))
#: A client may have so many streams; long polls end after a minute, so they all have to be there before.
_STREAMS_EACH = 100
_A_SECOND = 500.0
_SETTLES_S = 4
_LOOK_S = 10


async def measure() -> list[Row]:
    """Latency by each way, then what waiting costs."""
    rows = [await _latency(way, RATE, ahead=True) for way in WAYS]
    rows += [await _latency(way, GENTLE_RATE, ahead=False) for way in WAYS]
    return [*rows, await _waiting(streams=False), await _waiting(streams=True)]


async def _latency(way: Way, rate: int, *, ahead: bool) -> Row:
    graph, hears = free_port(), free_port()
    spec = Spec(
        0,
        bearer(scopes=(*ASSISTANT_SCOPES, "endpoints:write")),
        rate,
        SECONDS,
        WARM_UP,
        PEOPLE,
        statuses=False,
    )
    spec = msgspec.structs.replace(spec, graph=graph, way=way, hears=hears, ahead=ahead)
    bare = await _bare(msgspec.structs.replace(spec, seconds=min(SECONDS, 5), warm_up=1.0))
    async with (
        beside("stub_graph.py", graph, 50, 250, port=graph),
        staged(graph, sayso_endpoints_allow=f"127.0.0.1:{hears}") as stage,
    ):
        await people(stage, PEOPLE)
        async with beside("tapper.py") as process:
            await say(process, msgspec.structs.replace(spec, port=stage.port))
            meter = Meter.start(service=stage.service, PostgreSQL=stage.postgres)
            told = msgspec.convert(await told_by(process), Told)
            used = meter.used()
    wrong = f"; {len(told.wrong)} wrong ({told.wrong[0]})" if told.wrong else ""
    ratio = percentile(told.waits, 0.5) / percentile(bare.waits, 0.5)
    return Row(
        f"tap to assistant by {WAYS[way]}, {rate} confirmations/s{', asked before' if ahead else ''}",
        f"{latency(told.waits)}{wrong}",
        "p50 < 15 ms, p99 < 50 ms",
        f"{ratio:.1f} times {latency(bare.waits)}",
        cost(used, int(rate * (SECONDS + WARM_UP)), "confirmation"),
    )


async def _bare(spec: Spec) -> Told:
    port = free_port()
    async with beside("bare_ways.py", port, port=port), beside("tapper.py") as process:
        await say(process, msgspec.structs.replace(spec, port=port, graph=port))
        return msgspec.convert(await told_by(process), Told)


async def _waiting(*, streams: bool) -> Row:
    port = free_port()
    async with beside("bare_ways.py", port, port=port) as process:
        bare, _, _ = await _wait(Tree(process.pid), {}, port, streams=streams)
    async with staged() as stage:
        if not streams:
            await _questions(stage)
        await asyncio.sleep(3)
        mib, used, waited = await _wait(
            stage.service, {"PostgreSQL": stage.postgres}, stage.port, streams=streams
        )
    ended = f"; {waited.ended} ended early ({waited.first})" if waited.ended else ""
    percent = ", ".join(f"{name} {seconds / _LOOK_S:.1%}" for name, seconds in used.items())
    kind = "streams" if streams else "long polls"
    return Row(
        f"{WAITING:,} {kind} that wait",
        f"{mib:.0f} MiB more, {mib / WAITING * 1024:.1f} KiB each{ended}",
        "bounded, CPU near none",
        f"{mib / max(bare, 0.1):.1f} times {bare:.0f} MiB",
        f"CPU of a core while nothing happens: {percent}",
    )


async def _questions(stage: Stage) -> None:
    await people(stage, EVERYBODY)
    await queue(stage, 1)
    await open_questions(stage, 1, WAITING, first_s=86_400, over_s=86_400)


async def _wait(
    service: Tree, trees: dict[str, Tree], port: int, *, streams: bool
) -> tuple[float, dict[str, float], Waited]:
    """Memory that waiting takes, CPU it takes at rest, and how the clients fared."""
    before = service.rss_mib()
    paths = (
        ["/events/stream?after=now"]
        if streams
        else [f"/confirmations/cnf_{n:026d}?wait=60" for n in _numbers()]
    )
    clients = -(-WAITING // _STREAMS_EACH) if streams else 1
    bearers = [bearer(client=f"bench{n}" if streams else "bench") for n in range(clients)]
    async with beside("waiters.py") as process:
        await say(process, Waiters(port, paths * (WAITING if streams else 1), bearers, _A_SECOND))
        if process.stdin is None or process.stdout is None:
            raise SystemExit("no word with the waiters")
        await process.stdout.readline()
        await asyncio.sleep(_SETTLES_S)
        meter = Meter.start(service=service, **trees)
        await asyncio.sleep(_LOOK_S)
        used, mib = meter.used(), service.rss_mib() - before
        process.stdin.write(b"\n")
        return mib, used, msgspec.convert(json.loads(await process.stdout.read()), Waited)


def _numbers() -> range:
    return range(1, WAITING + 1)
