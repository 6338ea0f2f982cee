"""The baseline of ingest: the same server stack doing only what no receiver can leave out, HMAC and JSON."""

import hashlib
import hmac
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvicorn

import webhooks

_OK = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_END = {"type": "http.response.body", "body": b""}


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Check and parse; keep nothing."""
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    expected = b"sha256=" + hmac.new(webhooks.SECRET, content, hashlib.sha256).hexdigest().encode()
    given = dict(scope["headers"])[b"x-hub-signature-256"]
    if hmac.compare_digest(expected, given):
        msgspec.json.decode(content)
        await send(_OK)
    else:
        await send({**_OK, "status": 401})
    await send(_END)


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="error",
    )
