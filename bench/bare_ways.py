"""The baseline of the ways back: the same server stack, everything in memory, no question asked of anybody."""

import asyncio
import hashlib
import hmac
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import msgspec
import uvicorn

import webhooks

Send = Callable[[dict[str, Any]], Awaitable[None]]
_PREFIX = "/api/v1/whatsapp"


class Bare:
    """Confirmations, their outcomes in order, and an endpoint that is told."""

    def __init__(self) -> None:
        self.asked = 0
        self.told: list[dict[str, Any]] = []
        self.decided: dict[str, asyncio.Event] = {}
        self.news = asyncio.Condition()
        self.endpoint = ""
        self.calls: set[asyncio.Task[None]] = set()
        self.session: aiohttp.ClientSession | None = None

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send
    ) -> None:
        """Answer a request."""
        content = b""
        while (message := await receive())["type"] == "http.request":
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["path"].removeprefix(_PREFIX)
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        if scope["method"] == "POST":
            await self._post(path, content, dict(scope["headers"]), send)
        elif path == "/events/stream":
            await self._stream(send)
        else:
            await self._get(path, query, send)

    async def _post(self, path: str, content: bytes, headers: dict[bytes, bytes], send: Send) -> None:
        if path == "/confirmation":
            self.asked += 1
            name = f"{self.asked:026d}"
            await _answer(send, 202, {"id": f"cnf_{name}", "message_id": f"msg_{name}"})
        elif path == "/endpoints":
            self.endpoint = msgspec.json.decode(content)["url"]
            await _answer(send, 201, {"state": "enabled"})
        else:
            await self._webhook(content, headers, send)

    async def _webhook(self, content: bytes, headers: dict[bytes, bytes], send: Send) -> None:
        right = b"sha256=" + hmac.new(webhooks.SECRET, content, hashlib.sha256).hexdigest().encode()
        if not hmac.compare_digest(right, headers[b"x-hub-signature-256"]):
            await _answer(send, 401, {})
            return
        value = msgspec.json.decode(content)["entry"][0]["changes"][0]["value"]
        await _answer(send, 200, {})
        for message in value.get("messages", ()):
            await self._decide(message["button"]["payload"].split(":")[1])

    async def _decide(self, confirmation_id: str) -> None:
        event = {
            "type": "confirmation.decided",
            "subject": confirmation_id,
            "data": {"outcome": "confirmed"},
        }
        self.told.append(event)
        self._bell(confirmation_id).set()
        async with self.news:
            self.news.notify_all()
        if self.endpoint:
            call = asyncio.create_task(self._call(event))
            self.calls.add(call)
            call.add_done_callback(self.calls.discard)

    async def _call(self, event: dict[str, Any]) -> None:
        if self.session is None:
            self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        async with self.session.post(self.endpoint, data=msgspec.json.encode(event)) as answer:
            await answer.read()

    def _bell(self, confirmation_id: str) -> asyncio.Event:
        return self.decided.setdefault(confirmation_id, asyncio.Event())

    async def _get(self, path: str, query: dict[str, str], send: Send) -> None:
        if path.startswith("/payload/"):
            await _answer(send, 200, {"payload": f"cf0:cnf_{path[-26:]}:confirm"})
        elif path == "/events":
            after = len(self.told) if query["after"] == "now" else int(query["after"])
            if float(query["wait"]):
                await self._more_than(after)
            await _answer(send, 200, {"events": self.told[after:], "next": str(len(self.told))})
        else:
            await self._bell(path.rpartition("/")[2]).wait()
            await _answer(send, 200, {"outcome": "confirmed"})

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
        after = len(self.told)
        while True:
            await self._more_than(after)
            lines = [b"data: " + msgspec.json.encode(event) + b"\n\n" for event in self.told[after:]]
            after += len(lines)
            await send({"type": "http.response.body", "body": b"".join(lines), "more_body": True})

    async def _more_than(self, count: int) -> None:
        async with self.news:
            await self.news.wait_for(lambda: len(self.told) > count)


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    content = msgspec.json.encode(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


if __name__ == "__main__":
    uvicorn.run(
        Bare(),
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="critical",
        backlog=2048,
        timeout_graceful_shutdown=1,
    )
