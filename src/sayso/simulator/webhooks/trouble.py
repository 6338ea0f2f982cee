"""Saying once that a callback does not take its webhooks, and once that it does again."""

import logging

log = logging.getLogger("sayso.simulator.webhooks")


class Trouble:
    """Which webhooks each callback has not taken at its last chance."""

    def __init__(self) -> None:
        self._failing: dict[str, set[int]] = {}

    def failed(self, url: str, number: int, why: str) -> None:
        """Note a webhook that was not taken."""
        failing = self._failing.setdefault(url, set())
        if not failing:
            log.warning("webhooks to %s cannot be delivered: %s; they are tried again", url, why)
        failing.add(number)

    def over(self, number: int) -> None:
        """Note that a webhook was taken, or is tried no more."""
        for url, failing in list(self._failing.items()):
            if number in failing:
                failing.discard(number)
                if not failing:
                    del self._failing[url]
                    log.warning("webhooks to %s are delivered again", url)

    def clear(self) -> None:
        """Forget all trouble."""
        self._failing.clear()
