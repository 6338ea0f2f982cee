"""A business that sends as fast as it is answered: half texts in open windows, half templates to the others."""

import asyncio
import sys
import time
from collections import Counter
from itertools import count

import aiohttp
import msgspec
import uvloop

NUMBERS = tuple(str(100_000_000_000_001 + index) for index in range(8))
PEOPLE = 12_000  # two messages each: a third within 12 s is over the pair rate
_HEADERS = {"Authorization": "Bearer sim-token", "Content-Type": "application/json"}


class Sent(msgspec.Struct):
    """What came of it: seconds, answers by HTTP status."""

    seconds: float
    answers: dict[int, int]


def phone(person: int) -> str:
    """A person's number."""
    return f"+1555{person:07d}"


def body(number: int) -> bytes:
    """The message number so many: to even people a text, to odd ones a template."""
    person = number % PEOPLE
    message: dict[str, object] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": phone(person),
        "biz_opaque_callback_data": f"msg_{number:026d}",
    }
    if person % 2 == 0:
        message |= {
            "type": "text",
            "text": {"body": f"Your parcel {number} comes today between two and four."},
        }
    else:
        message |= {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
    return msgspec.json.encode(message)


async def main() -> None:
    """Send ``total`` messages to a port with ``limit`` under way; print what came of it."""
    port, total, limit = (int(word) for word in sys.argv[1:4])
    bodies = [body(number) for number in range(total)]
    urls = [f"http://127.0.0.1:{port}/v25.0/{number}/messages" for number in NUMBERS]
    answers: Counter[int] = Counter()
    numbers = count()
    connector = aiohttp.TCPConnector(limit=limit)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def send() -> None:
            while (number := next(numbers)) < total:
                url = urls[number % len(urls)]
                async with session.post(url, data=bodies[number], headers=_HEADERS) as answer:
                    await answer.read()
                    answers[answer.status] += 1

        began = time.monotonic()
        await asyncio.gather(*(send() for _ in range(limit)))
        told = Sent(time.monotonic() - began, dict(answers))
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    uvloop.run(main())
