"""Meta's side reduced to an answer: every send gets 200 and a wamid, after the latency asked for.

``GET /stats`` tells how many came, how many of them twice, and when the first and the last one did; with ``?busiest``
also how many came from the busiest number in the second in which most did. ``GET /payload/<message>`` tells what the
button of a question carries that confirms it, once it came. Any other GET is answered as if asked for a number.
"""

import asyncio
import random
import re
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count

import msgspec
import uvloop

from connection import Connection

_CALLBACK = re.compile(rb'"biz_opaque_callback_data":"([^"]+)"')
_TO = re.compile(rb'"to":"\+?(\d+)"')
_CONFIRMS = re.compile(rb'"(cf[0-9]:cnf_[0-9a-z]+:confirm[^"]*)"')
#: Our callback begins with the message's id, and goes on with the attempt.
_MESSAGE_ID = 30
_FROM = re.compile(rb"/(\d+)/messages")
_NUMBER = (
    b'{"id":"1","quality_rating":"GREEN","status":"CONNECTED","throughput":{"level":"%b"},'
    b'"whatsapp_business_manager_messaging_limit":"TIER_UNLIMITED","data":[]}'
)
_numbers = count()


class Seen:
    """What has come in."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.posts = 0
        self.first = self.last = 0.0
        self.callbacks: set[bytes] = set()
        self.payloads: dict[bytes, bytes] = {}
        self.moments: defaultdict[bytes, array[float]] = defaultdict(lambda: array("d"))

    def note(self, now: float, head: bytes, content: bytes) -> None:
        """Count a send."""
        self.posts += 1
        sender = _FROM.search(head)
        self.moments[sender[1] if sender else b""].append(now)
        self.first = self.first or now
        self.last = now
        found = _CALLBACK.search(content)
        self.callbacks.add(found[1] if found else content)
        if found and (confirms := _CONFIRMS.search(content)):
            self.payloads[found[1][:_MESSAGE_ID]] = confirms[1]


def busiest(moments: Iterable[Sequence[float]]) -> int:
    """Most sends of one number in any second."""
    most = 0
    for each in moments:
        first = 0
        for last, moment in enumerate(each):
            while moment - each[first] >= 1.0:
                first += 1
            most = max(most, last - first + 1)
    return most


class Stub(Connection):
    """One connection of a client that sends, or asks what came."""

    def __init__(self, seen: Seen, least_s: float, most_s: float, level: bytes) -> None:
        super().__init__()
        self.seen = seen
        self.level = level
        self.least_s, self.most_s = least_s, most_s
        self.loop = asyncio.get_running_loop()

    def answer(self, head: bytes, content: bytes) -> None:
        """Accept a send, or tell the counts."""
        if head.startswith(b"POST"):
            self._send(head, content)
        elif head.startswith((b"GET /stats", b"GET /reset")):
            self._tell(head)
        elif head.startswith(b"GET /payload/"):
            payload = self.seen.payloads.get(head.split(b" ", 2)[1].rpartition(b"/")[2], b"")
            self._write(b'{"payload":"%b"}' % payload)
        else:
            self._write(_NUMBER % self.level)

    def _write(self, answer: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)

    def _send(self, head: bytes, content: bytes) -> None:
        self.seen.note(self.loop.time(), head, content)
        to = _TO.search(content)
        wa_id = to[1] if to else b"15550000000"
        answer = (
            b'{"messaging_product":"whatsapp","contacts":[{"input":"+%b","wa_id":"%b"}],'
            b'"messages":[{"id":"wamid.HBgLMTU1NTAwMDAwMDAVAgARGBJTTUB%016XAA=="}]}'
        ) % (wa_id, wa_id, next(_numbers))
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
            answer
        )
        if self.most_s:
            # S311: load, not a secret
            delay = random.uniform(self.least_s, self.most_s)  # noqa: S311
            self.loop.call_later(delay, self.transport.write, whole + answer)
        else:
            self.transport.write(whole + answer)

    def _tell(self, head: bytes) -> None:
        seen = self.seen
        answer = msgspec.json.encode(
            {
                "posts": seen.posts,
                "twice": seen.posts - len(seen.callbacks),
                "seconds": seen.last - seen.first,
                "now": self.loop.time(),
                "last": seen.last,
                "busiest": busiest(seen.moments.values()) if b"busiest" in head else None,
            }
        )
        if head.startswith(b"GET /reset"):
            seen.reset()
        self._write(answer)


async def main() -> None:
    """Serve: port, the least and the most milliseconds an answer takes, and the numbers' throughput (HIGH)."""
    port, least_ms, most_ms = (int(word) for word in sys.argv[1:4])
    level = (sys.argv[4] if len(sys.argv) > 4 else "HIGH").encode()
    seen = Seen()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Stub(seen, least_ms / 1e3, most_ms / 1e3, level), "127.0.0.1", port, backlog=2048
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
