"""Waiting for a condition, with a deadline; nothing else in the tests waits for time to pass."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_EVERY_S = 0.01


async def eventually(
    look: Callable[[], Awaitable[T]], what: str = "the condition", *, within: float = 60.0
) -> T:
    """Return what ``look`` gives as soon as it is true; fail naming ``what`` when it stays false."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        found = await look()
        if found:
            return found
        if loop.time() > deadline:
            raise AssertionError(f"{what} did not come true within {within:g} s; last seen: {found!r}")
        await asyncio.sleep(_LOOK_EVERY_S)
