"""An assistant and its people, in a process of their own: asks, waits, taps by webhook, times the wait."""

import asyncio
import random
import sys
import time
from typing import Any

import aiohttp
import msgspec
import uvloop

import webhooks
from hearing import Hearing, Way

_PREFIX = "/api/v1/whatsapp"
_STATUSES = ("sent", "delivered", "read")
#: A confirmation that is not through by then is one that went wrong.
_LONGEST_S = 60.0
#: Of what is asked ahead, so much at once; then what is left of it comes to rest.
_AT_ONCE = 16
_SETTLES_S = 2.0


class Spec(msgspec.Struct):
    """Confirmations a second, for how long, of how many people; whether statuses of the prompts come in too.

    ``graph`` is the port of Meta's side, which knows what a prompt's button carries; ``way`` the way in which outcomes
    are heard, ``hears`` the port where hooks are. ``ahead``: all is asked before the first tap, and then nothing is.
    """

    port: int
    bearer: str
    rate: float
    seconds: float
    warm_up: float
    people: int
    statuses: bool
    graph: int = 0
    way: Way = "poll"
    hears: int = 0
    ahead: bool = False


class Told(msgspec.Struct):
    """Seconds from the first byte of a tap to the outcome being heard; and what went wrong."""

    waits: list[float]
    wrong: list[str]


class Assistant:
    """Everything under way."""

    def __init__(self, spec: Spec, session: aiohttp.ClientSession) -> None:
        self.spec = spec
        self.session = session
        self.url = f"http://127.0.0.1:{spec.port}{_PREFIX}"
        self.headers = {"Authorization": f"Bearer {spec.bearer}"}
        self.told = Told([], [])
        self.hearing = Hearing(session, self.url, self.headers, spec.hears)

    async def run(self) -> Told:
        """Begin each confirmation on time, whatever became of the ones before."""
        total = int(self.spec.rate * (self.spec.seconds + self.spec.warm_up))
        asked = await self._ask_ahead(total) if self.spec.ahead else {}
        print("ready", flush=True)
        async with self.hearing.by(self.spec.way):
            await self._all(total, asked)
        return self.told

    async def _ask_ahead(self, total: int) -> dict[int, dict[str, Any]]:
        """Every question, a few at a time, until the last prompt is at Meta's."""
        turn, asked = asyncio.Semaphore(_AT_ONCE), dict[int, dict[str, Any]]()

        async def one(number: int) -> None:
            async with turn:
                if made := await self._ask(number):
                    asked[number] = made
                    await self._payload(made["message_id"])

        await asyncio.gather(*map(one, range(total)))
        await asyncio.sleep(_SETTLES_S)
        return asked

    async def _all(self, total: int, asked: dict[int, dict[str, Any]]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for number in range(total):
                await asyncio.sleep(max(0.0, began + number / self.spec.rate - loop.time()))
                counts = number >= self.spec.rate * self.spec.warm_up
                group.create_task(self._guarded(number, asked.get(number), counts=counts))

    async def _guarded(self, number: int, asked: dict[str, Any] | None, *, counts: bool) -> None:
        try:
            async with asyncio.timeout(_LONGEST_S):
                if asked := asked or await self._ask(number):
                    await self._confirmation(number, asked, counts=counts)
        except (aiohttp.ClientError, TimeoutError) as error:
            self.told.wrong.append(repr(error))

    async def _ask(self, number: int) -> dict[str, Any] | None:
        question = {
            "action_type": "calendar_create",
            "action_description": f"schedule meeting {number} with John",
            "action_details": "tomorrow at 3 PM in Conference Room A",
            "timeout_minutes": 5,
            "recipient": f"+{webhooks.digits(number % self.spec.people)}",
        }
        async with self.session.post(
            f"{self.url}/confirmation", json=question, headers=self.headers
        ) as answer:
            asked: dict[str, Any] = await answer.json()
            if answer.status != 202:
                self.told.wrong.append(f"asked: {answer.status}")
                return None
            return asked

    async def _confirmation(self, number: int, asked: dict[str, Any], *, counts: bool) -> None:
        person = number % self.spec.people
        poll = asyncio.create_task(self.hearing.outcome(asked["id"], self.spec.way))
        try:
            await self._meanwhile(number, person, asked["message_id"])
            payload = await self._payload(asked["message_id"])
            tap = webhooks.tapped(person, webhooks.wamid(number, "A"), payload)
            content = webhooks.body(contacts=[webhooks.contact(person)], messages=[tap])
            began = time.monotonic()
            await self._webhook(content)
            ended, outcome = await poll
        finally:
            poll.cancel()
        if outcome != "confirmed":
            self.told.wrong.append(f"outcome: {outcome}")
        elif counts:
            self.told.waits.append(ended - began)

    async def _meanwhile(self, number: int, person: int, message_id: str) -> None:
        """The prompt is on its way and then read, and nobody taps at once."""
        for state in _STATUSES if self.spec.statuses else ():
            await asyncio.sleep(0.3)
            told = webhooks.status(person, webhooks.wamid(number, "T"), state, callback=message_id)
            await self._webhook(webhooks.body(contacts=[webhooks.contact(person)], statuses=[told]))
        await asyncio.sleep(random.uniform(0.4, 0.8))  # noqa: S311 - nobody taps at once

    async def _payload(self, message_id: str) -> str:
        """What the button carries, once the prompt has reached the phone."""
        url = f"http://127.0.0.1:{self.spec.graph}/payload/{message_id}"
        while True:
            async with self.session.get(url) as answer:
                payload = (await answer.json(content_type=None)).get("payload")
            if payload:
                return str(payload)
            await asyncio.sleep(0.02)

    async def _webhook(self, content: bytes) -> None:
        head, _, body = webhooks.request(content).partition(b"\r\n\r\n")
        headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:])
        async with self.session.post(
            f"http://127.0.0.1:{self.spec.port}{webhooks.PATH}", data=body, headers=headers
        ) as answer:
            if answer.status != 200:
                self.told.wrong.append(f"webhook: {answer.status}")


async def main() -> None:
    """Read the specification, work, tell."""
    spec = msgspec.json.decode(sys.stdin.buffer.readline(), type=Spec)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        sys.stdout.buffer.write(msgspec.json.encode(await Assistant(spec, session).run()))


if __name__ == "__main__":
    uvloop.run(main())
