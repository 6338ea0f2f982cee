"""The baseline of the way to the wire: the same HTTP client, bodies and number under way, and nothing else."""

import asyncio
import sys
import time

import aiohttp
import msgspec
import uvloop

_HEADERS = {
    "Authorization": "Bearer sim-token",
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "bench",
}


def body(number: int) -> bytes:
    """What the service posts for one of the queued messages of ``wire``."""
    to_person = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": f"+1555{number:07d}",
        "type": "text",
        "text": {"body": f"Your parcel {number} comes today between two and four."},
        "biz_opaque_callback_data": f"msg_{number:026d}",
    }
    return msgspec.json.encode(to_person)


async def main() -> None:
    """Post ``count`` bodies with ``limit`` under way; print how long it took and the CPU it cost."""
    port, total, limit = (int(word) for word in sys.argv[1:4])
    bodies = iter([body(number) for number in range(total)])
    url = f"http://127.0.0.1:{port}/v25.0/100000000000001/messages"
    connector = aiohttp.TCPConnector(limit=limit)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def post() -> None:
            for each in bodies:
                async with session.post(url, data=each, headers=_HEADERS) as answer:
                    msgspec.json.decode(await answer.read())

        began, cpu = time.monotonic(), time.process_time()
        await asyncio.gather(*(post() for _ in range(limit)))
        told = {"seconds": time.monotonic() - began, "cpu_s": time.process_time() - cpu}
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    uvloop.run(main())
