"""The verification of a callback: the GET handshake (cloud-api.md 4.2)."""

import asyncio
import logging
import secrets
from collections.abc import Callable

import aiohttp

from sayso.simulator.webhooks.poster import OK
from sayso.simulator.world.world import World

log = logging.getLogger("sayso.simulator.webhooks")

PAUSE_FIRST_S, PAUSE_CAP_S = 0.2, 3.0
UNREACHABLE = "callback not reachable yet"
_LEAST, _MOST = 10**8, 10**10  # of a challenge


async def verify(session: aiohttp.ClientSession, url: str, token: str) -> str:
    """Ask a callback for the challenge; return ``verified``, a refusal in words, or UNREACHABLE.

    The challenge is drawn apart from the world's ids, which shall not depend on how often somebody is asked.
    """
    challenge = str(_LEAST + secrets.randbelow(_MOST - _LEAST))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
    try:
        async with session.get(url, params=query, allow_redirects=False) as answer:
            body = await answer.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError, OSError):
        return UNREACHABLE
    if answer.status == OK and body == challenge:
        return "verified"
    if answer.status == OK:
        return "refused: the challenge did not come back as the whole body"
    return f"refused: HTTP {answer.status} to the verification request"


async def verify_when_reachable(
    session: aiohttp.ClientSession, world: World, app_id: str, changed: Callable[[], None]
) -> None:
    """Verify an app's own callback as soon as it can be reached, in real time; an answer is a verdict."""
    pause = PAUSE_FIRST_S
    while (app := world.accounts.apps.get(app_id)) is not None and app.subscription is not None:
        subscription = app.subscription
        verdict = await verify(session, subscription.callback_url, subscription.verify_token)
        subscription.verification = verdict
        changed()
        if verdict != UNREACHABLE:
            log.log(logging.INFO if verdict == "verified" else logging.WARNING, "callback: %s", verdict)
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, PAUSE_CAP_S)
