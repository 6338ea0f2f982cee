"""What a fault does to a call: before it is accepted, after, and to its answer."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from sayso.simulator.call import Call, NoAnswer
from sayso.simulator.errors import GraphError
from sayso.simulator.faults.armed import Armed
from sayso.simulator.faults.model import (
    CutAnswer,
    Delay,
    DropAfter,
    DropBefore,
    Empty,
    Fault,
    Garbage,
    Hang,
    PlainHttp,
    RefuseWithError,
    Truncate,
)

Accept = Callable[[Call], Awaitable[web.StreamResponse]]
GARBAGE_BYTES = 64
#: How often a hanging answer looks whether the caller is still there, real seconds.
LOOK_AFTER_CALLER_S = 0.2


async def strike(armed: Armed, call: Call, accept: Accept, released: asyncio.Event) -> web.StreamResponse:
    """Do to a call what a fault says; faults of what follows it, such as late failures, leave its answer alone."""
    fault = armed.fault
    if isinstance(fault, Delay) and not fault.after_accept:
        await asyncio.sleep(fault.delay_s)
    accepted = None if _never_accepted(fault) else await accept(call)
    match fault:
        case DropBefore():
            return _cut(call, "connection cut before anything was accepted")
        case RefuseWithError():
            _retry_after(call, fault.retry_after_s)
            raise GraphError(fault.code, fault.details, http_status=fault.http_status, subcode=fault.subcode)
        case PlainHttp():
            _retry_after(call, fault.retry_after_s)
            return _plain(fault)
        case Hang():
            return await _hang(call, released)
        case Garbage():
            noise = random.Random(armed.seed).randbytes(GARBAGE_BYTES)  # noqa: S311  # noise, not a secret
            return web.Response(body=b"\x00" + noise, content_type="application/json")
        case Empty():
            return web.Response(body=b"", content_type="application/json")
    assert accepted is not None, "every fault that accepts nothing answers above"  # noqa: S101  # a programming error
    return await _spoilt(fault, call, accepted)


def _never_accepted(fault: Fault) -> bool:
    """Tell whether a fault answers instead of whoever takes the call."""
    if isinstance(fault, RefuseWithError | PlainHttp | Hang | Garbage | Empty):
        return not fault.after_accept
    return isinstance(fault, DropBefore)


async def _spoilt(fault: Fault, call: Call, accepted: web.StreamResponse) -> web.StreamResponse:
    """Do to an answer that is there what a fault says."""
    if isinstance(fault, Delay) and fault.after_accept:
        await asyncio.sleep(fault.delay_s)
    elif isinstance(fault, DropAfter):
        return _cut(call, "connection cut after accepting")
    elif isinstance(fault, CutAnswer):
        return _CutShort(call, accepted)
    elif isinstance(fault, Truncate):
        body = _bytes(accepted)
        return web.Response(
            body=body[: len(body) // 2], status=accepted.status, content_type=accepted.content_type
        )
    return accepted


def _retry_after(call: Call, seconds: int | None) -> None:
    if seconds is not None:
        call.headers["Retry-After"] = str(seconds)


def _plain(fault: PlainHttp) -> web.Response:
    try:
        said = f"{fault.http_status} {HTTPStatus(fault.http_status).phrase}"
    except ValueError:  # a status nobody has named
        said = str(fault.http_status)
    page = f"<html>\n<head><title>{said}</title></head>\n<body>\n<h1>{said}</h1>\n</body>\n</html>\n"
    body = page if fault.body is None else fault.body
    headers = {"Content-Type": fault.content_type}  # as it is written, with its charset if it has one
    return web.Response(body=body.encode(), status=fault.http_status, headers=headers)


def _cut(call: Call, why: str) -> web.Response:
    transport = call.request.transport
    if transport is not None:
        transport.abort()
    return NoAnswer(why)


class _CutShort(NoAnswer):
    """An answer of which the head arrives whole, with every header it ever has, and half the body it promises."""

    def __init__(self, call: Call, whole: web.StreamResponse) -> None:
        super().__init__("connection cut in mid-answer")
        body = _bytes(whole)
        self.set_status(whole.status)
        self.content_type = whole.content_type
        self.body = body[: len(body) // 2]
        self.headers["Content-Length"] = str(len(body))
        self._call = call

    async def write_eof(self, data: bytes = b"") -> None:
        """Write what there is, and close."""
        await super().write_eof(data)
        transport = self._call.request.transport
        if transport is not None:
            transport.close()


async def _hang(call: Call, released: asyncio.Event) -> web.Response:
    """Wait until the caller is gone or everything is cleared."""
    while not (_gone(call) or released.is_set()):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(released.wait(), LOOK_AFTER_CALLER_S)
    return _cut(call, "never answered")


def _gone(call: Call) -> bool:
    transport = call.request.transport
    return transport is None or transport.is_closing()


def _bytes(answer: web.StreamResponse) -> bytes:
    return answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
