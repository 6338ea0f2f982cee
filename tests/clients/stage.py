"""What clients are driven against: a simulator on a thread of its own, seen only through HTTP, as by a stranger.

Clients block, as those of most businesses do; the loop they would block runs on another thread.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
import uvicorn
from starlette.applications import Starlette

from sayso.simulator import Simulator, SimulatorConfig

T = TypeVar("T")
Json = dict[str, Any]

ANA, BEN = "+15550001111", "+15550002222"
PHONE_ID, WABA_ID, APP_ID = "100000000000001", "200000000000001", "900000000000001"
TOKEN, APP_SECRET, VERIFY_TOKEN = "sim-token", "sim-secret", "sim-verify"
WAIT_S = 15.0
#: What people write, such that a byte of it written otherwise would not fit the signature.
WORDS = [
    "plain words",
    "café señor ß",
    "👍🏽 and 👨‍👩‍👧",
    "ana@example.org",
    "https://example.org/a/b?c=d",
    "<b>100%</b> \\u0040 \\/ \"quoted\" 'too'",
    "two\nlines\tand a tab",
    "日本語 עברית العربية",
    "\u2028 \x7f \u00a0",
]
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # all of it is plain HTTP; certificates take long to load


class Background:
    """An event loop on another thread, and what is running on it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="background", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it over there and wait for the end here."""
        return self.start(work).result(60)

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Let it run over there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @contextmanager
    def serving(self, app: Starlette) -> Iterator[int]:
        """Serve an application over there; gives its port."""
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        served = self.start(server.serve(sockets=[listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            served.result(WAIT_S)

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Stage:
    """A running simulator: its address, and its control API under ``/_sim``."""

    def __init__(self, base_url: str, http: httpx.Client) -> None:
        self.base_url = base_url
        self._http = http

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> Json:
        """Call the control API; fail the test with its words when it refuses."""
        answer = self._http.request(method, f"{self.base_url}/_sim{path}", json=body, params=query or None)
        assert answer.status_code < 300, f"{method} {path} {body}: {answer.text}"
        told: Json = answer.json()
        return told

    def arrived(self, wamid: str) -> Json:
        """Return the message that was accepted under this id: what was sent, and what became of it."""
        messages = self.sent()
        return next(each for each in messages if each["wamid"] == wamid)

    def person(self, sender: str = ANA, **does: Any) -> str:
        """Let a person do something on the phone; return the id of what they sent."""
        wamid: str = self.control("POST", "/inbound", {"from": sender, **does})["wamid"]
        return wamid

    def sent(self) -> list[Json]:
        """List everything the business sent."""
        messages: list[Json] = self.control("GET", "/messages")["messages"]
        return messages

    def handle(self, content: bytes, mime_type: str) -> str:
        """Upload an example for a template's header, resumably as it must be; return its handle."""
        graph, token = f"{self.base_url}/v26.0", {"Authorization": f"OAuth {TOKEN}"}
        about: dict[str, Any] = {"file_name": "example", "file_length": len(content), "file_type": mime_type}
        session = self._http.post(f"{graph}/{APP_ID}/uploads", params=about, headers=token).json()["id"]
        uploaded = self._http.post(
            f"{graph}/{session}", content=content, headers={**token, "file_offset": "0"}
        )
        found: str = uploaded.json()["h"]
        return found

    def webhooks(self, **query: Any) -> list[Json]:
        """List what was posted to the business."""
        posted: list[Json] = self.control("GET", "/webhooks", **query)["webhooks"]
        return posted

    def posts_again(self, url: str) -> tuple[int, int, int]:
        """Post the one inbound webhook tampered with, unsigned and as it was; return what each is answered."""
        (posted,) = self.webhooks(kind="inbound")
        signed = {"X-Hub-Signature-256": posted["signature"], "Content-Type": "application/json"}
        tampered = posted["body"].replace("15550001111", "15550002222")

        def answered(body: str, headers: dict[str, str] | None = None) -> int:
            return self._http.post(url, content=body, headers=headers).status_code

        return answered(tampered, signed), answered(posted["body"]), answered(posted["body"], signed)


@contextmanager
def running(background: Background, config: SimulatorConfig) -> Iterator[Stage]:
    """Run a simulator of this configuration."""
    simulator = Simulator(config)
    background.run(simulator.start())
    try:
        with httpx.Client(timeout=2 * WAIT_S, verify=NO_TLS) as http:
            yield Stage(simulator.base_url, http)
    finally:
        background.run(simulator.stop())


def quick(webhook_url: str, **more: Any) -> SimulatorConfig:
    """Configure the defaults, only quick, and with no rates, which tell a slow machine from a quick one."""
    given: dict[str, Any] = {
        "port": 0,
        "webhook_url": webhook_url,
        "sent_after_ms": 1,
        "delivered_after_ms": 1,
        "read_after_ms": 1,
        "retry_first_ms": 2,
        "retry_cap_ms": 8,
        "enforce_rates": False,
    }
    return SimulatorConfig(**given | more)
