"""Tap to assistant: from the webhook of a tap to the answer of the long poll that waits for it, all else going on."""

import asyncio

import msgspec

from figures import Row, cost, latency
from proc import Meter
from processes import Stage, bearer, beside, free_port, say, staged
from processes import told as told_by
from tapper import Spec, Told
from wire import people

RATE = 100
#: One at which the two cores are not full, generators included.
GENTLE_RATE = 30
SECONDS = 10.0
#: Connections open, and statements are planned on each of them: once, which is not what is measured here.
WARM_UP = 6.0
PEOPLE = 1_500


async def measure() -> list[Row]:
    """Open loop: decisions of what was asked before; then questions, prompts, taps and closing lines all at once."""
    return [
        await _run(RATE, statuses=False, ahead=True),
        await _run(RATE, statuses=False),
        await _run(GENTLE_RATE, statuses=True),
    ]


async def _run(rate: int, *, statuses: bool, ahead: bool = False) -> Row:
    port = free_port()
    async with beside("stub_graph.py", port, 50, 250, port=port), staged(port) as stage:
        await people(stage, PEOPLE)
        spec = Spec(stage.port, bearer(), rate, SECONDS, WARM_UP, PEOPLE, statuses, graph=port, ahead=ahead)
        told, used = await _tap(stage, spec)
    asked = int(rate * SECONDS)
    besides = ", three statuses for each prompt" if statuses else ""
    besides += ", asked before" if ahead else ""
    wrong = f"; {len(told.wrong)} wrong ({told.wrong[0]})" if told.wrong else ""
    return Row(
        f"tap to assistant, {rate} confirmations/s{besides}",
        f"{latency(told.waits)}{wrong}",
        "p50 < 15 ms, p99 < 50 ms",
        "",
        cost(used, asked, "confirmation"),
    )


async def _tap(stage: Stage, spec: Spec) -> tuple[Told, dict[str, float]]:
    async with beside("tapper.py") as process:
        await say(process, spec)
        await asyncio.sleep(WARM_UP)
        meter = Meter.start(service=stage.service, PostgreSQL=stage.postgres)
        told = await told_by(process)
        return msgspec.convert(told, Told), meter.used()
