"""Callbacks given by the API: verified by the handshake before they are kept (cloud-api.md 4.1, 4.2)."""

from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import is_address
from sayso.simulator.webhooks.deliverer import Deliverer
from sayso.simulator.world.accounts import Override


class Verification:
    """Does the handshake with callbacks."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer

    async def check(self, url: str, token: str) -> None:
        """Raise 100 for what is no URL, 2200 when the callback does not answer the challenge."""
        if not is_address(url):
            raise GraphError(100, f"{url!r} is not a valid URL of a callback.")
        verdict = await self._deliverer.verify(url, token)
        if verdict != "verified":
            words = f"Callback verification failed with the following errors: {verdict}"
            raise GraphError(2200, words)

    async def override(self, given: dict[str, Any]) -> Override | None:
        """Read ``override_callback_uri`` and ``verify_token``, verified; None when the URI is empty or absent."""
        url, token = given.get("override_callback_uri"), given.get("verify_token")
        if not url:
            return None
        if not token:
            raise GraphError(100, "The parameter verify_token is required with override_callback_uri.")
        await self.check(str(url), str(token))
        return Override(str(url), str(token))
