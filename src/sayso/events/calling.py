"""One call of an endpoint: signed, bounded in time and size, never redirected, and told in words of ours."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import aiohttp
import msgspec

from sayso.core import net
from sayso.core.database import Record, in_transaction
from sayso.core.net import Allowed, RefusedUrlError
from sayso.events.rules import Called, advice
from sayso.events.service import told
from sayso.events.signing import Keys, Signature, headers

TIMEOUT_S: Final = 15.0
#: So much of an answer is read at most, and so much of it is kept to be shown.
READ_BYTES: Final = 64 * 1024
KEPT_BYTES: Final = 1024
#: A connection kept from an earlier call may have been closed meanwhile; the receiver knows a repetition by its id.
_TRIES: Final = 2
_SECONDS: Final = re.compile(r"[0-9]{1,7}")

_HEADERS: Final = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "user-agent": "sayso",
}

#: In words that tell nothing of what can be reached from here: what is inside looks like what is not there.
_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "the host has no public address"),
    (aiohttp.ClientConnectorCertificateError, "the certificate is not valid for the host"),
    (aiohttp.ClientSSLError, "no TLS connection could be made"),
    (aiohttp.ConnectionTimeoutError, "no connection in time"),
    (TimeoutError, "no answer in time"),
    (aiohttp.ClientProxyConnectionError, "the proxy could not be reached"),
    (aiohttp.ClientHttpProxyError, "the proxy refused the call"),
    (aiohttp.ClientConnectorError, "no connection could be made"),
    (aiohttp.ServerDisconnectedError, "the connection was closed before an answer"),
    (aiohttp.ClientResponseError, "the answer was not HTTP"),
    (OSError, "the connection broke"),
)


@dataclass(frozen=True, slots=True)
class Signer:
    """What one call is signed with: every generation of keys that counts, and the kinds the endpoint asked for."""

    keys: Sequence[Keys]
    kinds: Sequence[Signature]


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes the calls, over a session of ``net.session``."""

    http: aiohttp.ClientSession
    allowed: Allowed
    timeout_s: float = TIMEOUT_S

    async def call(self, url: str, event_id: str, body: bytes, *, signer: Signer, at: datetime) -> Called:
        """POST an event once; whatever comes of it is returned. Raises RuntimeError inside a transaction."""
        if in_transaction():
            raise RuntimeError("a call of an endpoint inside a transaction")
        try:
            target = net.check(url, self.allowed)  # afresh for each attempt: what is allowed may have changed
        except RefusedUrlError as error:
            return Called(None, 0, f"the address may not be called: {error}")
        sent = _HEADERS | headers(event_id, int(at.timestamp()), body, signer.keys, signer.kinds)
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout_at(began + self.timeout_s):
                answer = await self._answer(target.url, body, sent)
        except Exception as error:  # noqa: BLE001 - whatever it is, the attempt failed
            timed_out = isinstance(error, TimeoutError)
            return Called(None, _ms(clock() - began), _reason(error), timed_out=timed_out)
        ms = _ms(clock() - began)
        return _called(answer, await _read(answer, until=began + self.timeout_s), ms)

    async def _answer(self, url: str, body: bytes, sent: dict[str, str]) -> aiohttp.ClientResponse:
        for _ in range(_TRIES - 1):
            try:
                return await self.http.post(url, data=body, headers=sent, allow_redirects=False)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError):
                pass
        return await self.http.post(url, data=body, headers=sent, allow_redirects=False)


async def _read(answer: aiohttp.ClientResponse, *, until: float) -> bytes:
    """The beginning of the answer. Its status has come and counts, whatever becomes of the rest."""
    read = bytearray()
    try:
        async with asyncio.timeout_at(until):
            while len(read) < READ_BYTES and (chunk := await answer.content.readany()):
                read += chunk
    except (aiohttp.ClientError, OSError):
        pass
    finally:
        if answer.content.at_eof():
            answer.release()
        else:
            answer.close()
    return bytes(read[:READ_BYTES])


def _called(answer: aiohttp.ClientResponse, body: bytes, ms: int) -> Called:
    found = Called(
        answer.status, ms, body=body, retry_after_s=_retry_after(answer.headers.get("retry-after", ""))
    )
    if found.succeeded:
        return found
    return replace(found, error=f"answered {answer.status}: {advice(answer.status)}")


def _retry_after(text: str) -> float | None:
    """Seconds; the form with a date is not taken, since its clock is not ours."""
    return float(text) if _SECONDS.fullmatch(text.strip()) else None


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _reason(error: BaseException) -> str:
    return next((words for kind, words in _REASONS if isinstance(error, kind)), type(error).__name__)


def body_of(event: Record) -> bytes:
    """An event as it is posted: the same bytes at each attempt."""
    return msgspec.json.encode(told(event))
