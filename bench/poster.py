"""A load generator in a process of its own: posts made beforehand, over connections kept alive, little CPU of its own.

Closed loop without a rate (each connection posts as soon as it is answered); with one, an open loop: posts begin on
time whatever the answers do, and latency counts from when a post was due.
"""

import asyncio
import sys
import time
from collections import deque
from typing import Any

import msgspec
import uvloop

import webhooks


class Spec(msgspec.Struct):
    """What to post, where, how fast; ``rate`` in posts a second."""

    port: int
    kind: str
    series: str
    count: int
    connections: int
    seconds: float
    rate: float | None = None


class Told(msgspec.Struct):
    """What came of it. Latencies in seconds; ``late`` counts posts that found no free connection when due."""

    posts: int
    refused: int
    seconds: float
    cpu_s: float
    latencies: list[float]
    late: int


class Load:
    """Everything under way: the posts left, the connections free, the clock."""

    def __init__(self, spec: Spec, requests: list[bytes]) -> None:
        self.spec = spec
        self.requests = deque(requests)
        self.free: deque[_Connection] = deque()
        self.due: deque[float] = deque()
        self.latencies: list[float] = []
        self.refused = self.late = self.under_way = 0
        self.loop = asyncio.get_running_loop()
        self.ends = 0.0
        self.done = asyncio.Event()

    async def run(self) -> Told:
        """Post until the time or the posts are over, then wait for the last answers."""
        links = [
            await self.loop.create_connection(lambda: _Connection(self), "127.0.0.1", self.spec.port)
            for _ in range(self.spec.connections)
        ]
        began, cpu = self.loop.time(), time.process_time()
        self.ends = began + self.spec.seconds
        if self.spec.rate:
            await self._on_time(began, self.spec.rate)
        else:
            for _, connection in links:
                connection.next()
        while self.under_way:
            self.done.clear()
            await self.done.wait()
        told = Told(
            len(self.latencies),
            self.refused,
            self.loop.time() - began,
            time.process_time() - cpu,
            self.latencies,
            self.late,
        )
        for transport, _ in links:
            transport.close()
        return told

    async def _on_time(self, began: float, rate: float) -> None:
        sent = 0
        while (now := self.loop.time()) < self.ends and self.requests:
            for number in range(sent, int((now - began) * rate) + 1):
                self._start(began + number / rate)
                sent = number + 1
            await asyncio.sleep(0.001)

    def _start(self, due: float) -> None:
        if not self.requests:
            return
        if self.free:
            self.free.popleft().post(due)
        else:
            self.late += 1
            self.due.append(due)


class _Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self.load = load
        self.began = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.load.free.append(self)

    def post(self, due: float) -> None:
        self.began = due
        self.load.under_way += 1
        self.transport.write(self.load.requests.popleft())

    def next(self) -> None:
        load = self.load
        if load.due and load.requests:
            self.post(load.due.popleft())
        elif load.spec.rate:
            load.free.append(self)
        elif load.requests and (now := load.loop.time()) < load.ends:
            self.post(now)

    def data_received(self, data: bytes) -> None:
        """An answer to a webhook is one short segment: its status line says all."""
        load = self.load
        load.latencies.append(load.loop.time() - self.began)
        if not data.startswith(b"HTTP/1.1 200"):
            load.refused += 1
        load.under_way -= 1
        self.next()
        if not load.under_way:
            load.done.set()


async def main() -> None:
    """Read the specification, get ready, say so, wait for the word, post, tell."""
    spec = msgspec.json.decode(sys.stdin.buffer.readline(), type=Spec)
    make = {"singles": webhooks.singles, "hundreds": webhooks.hundreds}[spec.kind]
    load = Load(spec, list(make(spec.count, spec.series)))
    print("ready", flush=True)
    sys.stdin.buffer.readline()
    sys.stdout.buffer.write(msgspec.json.encode(await load.run()))


if __name__ == "__main__":
    uvloop.run(main())
