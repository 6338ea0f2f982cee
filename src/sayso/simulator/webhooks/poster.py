"""The client that calls the business: one POST or GET at a time, with a limit in real time (cloud-api.md 4.5)."""

import io
import time
from typing import NamedTuple

import aiohttp

from sayso.simulator.webhooks.plain_http import PlainHttp, target_of
from sayso.simulator.webhooks.rooms import Rooms

AT_ONCE = 200  # POSTs to one callback
_IN_ONE_PIECE = 1024 * 1024  # bytes beyond which a body is written in pieces
OK = 200  # 4.5: success is HTTP 200 and nothing else


class Answer(NamedTuple):
    """What a POST came back with: a status code, or an error in words; and how long it took."""

    status_code: int | None
    error: str | None
    took_ms: float


class Poster:
    """Keeps connections to the business open.

    ``rooms`` has the places of each callback: enter one before you post, so that the limit in time is the callback's
    alone, and not that of those who wait for it.
    """

    def __init__(self, timeout_ms: int) -> None:
        self._timeout_s = timeout_ms / 1000
        self._session: aiohttp.ClientSession | None = None
        self._plain = PlainHttp(self._timeout_s)
        self.rooms = Rooms(AT_ONCE)

    async def open(self) -> None:
        """Get ready to call."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close every connection."""
        self._plain.close()
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The client itself."""
        assert self._session is not None, "Poster.open comes first"  # noqa: S101  # a programming error
        return self._session

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post and read the answer; redirects are not followed."""
        began = time.perf_counter()
        status_code: int | None = None
        error: str | None = None
        try:
            target = target_of(url)
            if target is None:
                status_code = await self._post_otherwise(url, body, headers)
            else:
                status_code = await self._plain.post(target, body, headers)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
        return Answer(status_code, error, (time.perf_counter() - began) * 1000)

    async def _post_otherwise(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """Post where more than plain HTTP is wanted."""
        data = io.BytesIO(body) if len(body) > _IN_ONE_PIECE else body
        async with self.session.post(url, data=data, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            return answer.status
