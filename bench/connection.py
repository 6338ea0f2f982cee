"""An HTTP connection reduced to its requests, for servers that must cost as little as can be."""

import asyncio
import re
from typing import Any

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One connection; requests come one after another, each with the length of its content or without any."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        """Somebody connected."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            start = end + 4
            length = _LENGTH.search(self.buffer, 0, end)
            size = start + (int(length[1]) if length else 0)
            if len(self.buffer) < size:
                return
            head, content, self.buffer = self.buffer[:start], self.buffer[start:size], self.buffer[size:]
            self.answer(head, content)

    def answer(self, head: bytes, content: bytes) -> None:
        """Answer one request."""
        raise NotImplementedError
