"""``sayso listen``: it shows each event once, hands it on signed, and goes on where it was."""

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import pytest
from rich.console import Console
from standardwebhooks import Webhook

from sayso.cli import listen
from sayso.core.errors import SaysoError
from sayso.events.signing import Keys

KEYS = Keys(bytes(range(32)), bytes(32))


def event(number: int) -> str:
    """An event as the stream has it."""
    return json.dumps(
        {
            "id": f"evt_{number:026}",
            "type": "confirmation.decided",
            "timestamp": "2026-11-23T05:31:10.5Z",
            "subject": "cnf_01k9y3v6e8m0q2s4t6w8x0z2b4",
            "data": {"outcome": "confirmed"},
        }
    )


class Service:
    """Streams that break, one after the other, and a receiver."""

    def __init__(self, *streams: list[int] | int) -> None:
        self.streams = iter(streams)
        self.asked: list[str] = []
        self.received: list[httpx2.Request] = []
        self.status = 204

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a call of the stream, or of the receiver."""
        if request.method == "POST":
            self.received.append(request)
            return httpx2.Response(self.status)
        self.asked.append(request.url.params.get("after", ""))
        told = next(self.streams)
        if isinstance(told, int):
            return httpx2.Response(told, json={"detail": "The token has expired."})
        return httpx2.Response(200, stream=Blocks(told))


class Blocks(httpx2.SyncByteStream):
    """A stream that breaks off in the middle of a block."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers

    def __iter__(self) -> Iterator[bytes]:
        yield b"retry: 1000\n\n"
        for number in self.numbers:
            yield f"id: {number}.x\nevent: e\ndata: {event(number)}\n\n".encode()
        yield b"id: 99.x\nda"
        raise httpx2.ReadError("broken")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def followed(service: Service, count: int, after: str = "") -> list[str]:
    with httpx2.Client(transport=httpx2.MockTransport(service)) as http:
        hint = "Look in the right folder."
        events = listen.follow(http, "http://sayso.test", "t", {"types": "confirmation.*"}, after, hint=hint)
        return [next(events) for _ in range(count)]


def test_what_breaks_is_taken_up_where_it_was_and_nothing_is_shown_twice() -> None:
    service = Service([1, 2], 503, [], [3])
    assert followed(service, 3, "now") == [event(1), event(2), event(3)]
    assert service.asked == ["now", "2.x", "2.x", "2.x"]


def test_a_refusal_ends_it_in_the_words_of_the_service() -> None:
    with pytest.raises(SaysoError, match=r"^The token has expired\. Look in the right folder\.$"):
        followed(Service(401), 1)
    with pytest.raises(SaysoError, match=r"^The token has expired\.$"):  # of what the hint says nothing
        followed(Service(403), 1)


def test_what_is_handed_on_is_accepted_by_the_public_library() -> None:
    service = Service()
    with httpx2.Client(transport=httpx2.MockTransport(service)) as http:
        assert listen.forward(http, "http://127.0.0.1:1/x", KEYS, event(1)).startswith("→ 204 ")
        service.status = 500
        assert listen.forward(http, "http://127.0.0.1:1/x", KEYS, event(2)).startswith("✗ 500 ")
    (first, second) = service.received
    named = {name.lower(): value for name, value in first.headers.items()}
    assert Webhook(KEYS.shown_secret).verify(first.content, named) == json.loads(event(1))
    assert abs(int(second.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 300


def shown(became: str | None) -> list[str]:
    screen = Console(width=80, file=io.StringIO())
    with screen.capture() as captured:
        screen.print(listen.line(event(1), became))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_line_fits_into_eighty_columns_and_says_it_all() -> None:
    place = "05:31:10 confirmation.decided cnf_01k9y3v6e8m0q2s4t6w8x0z2b4"
    assert shown("✗ 500 12,345 ms") == [f"{place} ✗ 500 12,345 ms"]
    assert shown(None) == [place, '         {"outcome": "confirmed"}']
