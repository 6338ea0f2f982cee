"""Why nobody answered, in words: what an operating system says of a connection, without its numbers."""

import errno
import re
import socket
from collections.abc import Iterator
from typing import Final

import httpx2

_NUMBERED: Final = re.compile(r"\[Errno (-?\d+)\] ?")
_SAID: Final = {
    errno.ECONNREFUSED: "nobody listens there",
    errno.ECONNRESET: "the connection was cut",
    errno.EPIPE: "the connection was cut",
    errno.ETIMEDOUT: "no answer came in time",
    errno.EHOSTUNREACH: "the network does not lead there",
    errno.ENETUNREACH: "the network does not lead there",
    errno.EADDRNOTAVAIL: "the network does not lead there",
    errno.EADDRINUSE: "another process listens there",
    errno.EMFILE: "this process has too many files and connections open",
    errno.ENOENT: "there is no such file",
    errno.EACCES: "this account may not use it",
    errno.EPERM: "this account may not use it",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of its path is no folder",
    errno.ENOSPC: "the disk is full",
    errno.EROFS: "it is on a disk that cannot be written",
}
_KINDS: Final = (
    (httpx2.ConnectTimeout, "nobody answered in time"),
    (httpx2.TimeoutException, "no answer came in time"),
    (httpx2.UnsupportedProtocol, "it is no address such as http://127.0.0.1:8000"),
    (httpx2.InvalidURL, "it is no address such as http://127.0.0.1:8000"),
    (httpx2.RemoteProtocolError, "the connection was cut, or what answers there does not speak HTTP"),
    (TimeoutError, "no answer came in time"),
)


def why(error: BaseException) -> str:
    """What is the matter, as the end of a sentence."""
    for each in _chain(error):
        if isinstance(each, socket.gaierror):
            return "no host of that name is known"
        if said := _SAID.get(_number(each)):
            return said
    for kind, said in _KINDS:
        if isinstance(error, kind):
            return said
    told = " ".join(_NUMBERED.sub("", str(error)).split()).rstrip(".")
    return told or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _number(error: BaseException) -> int:
    """The operating system's number of an error; a library may have kept it in the text alone."""
    number = error.errno if isinstance(error, OSError) else None
    found = _NUMBERED.search(str(error))
    return number or (int(found[1]) if found else 0)
