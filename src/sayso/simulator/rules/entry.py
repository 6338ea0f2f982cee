"""The free entry point: who came by an ad and was answered writes and is written to free of charge (cloud-api.md 7.2).

It does not widen the 24-hour window; it only changes what messages cost.
"""

from sayso.simulator.world.people import Thread

ANSWER_WITHIN_S = 24 * 3600.0
FREE_S = 72 * 3600.0


def answered(thread: Thread, now: float) -> None:
    """Note that the business wrote: the first answer to an ad within 24 h opens 72 free hours."""
    if thread.entry_point_at is None:
        return
    if now - thread.entry_point_at < ANSWER_WITHIN_S:
        thread.free_until = now + FREE_S
    thread.entry_point_at = None


def is_free(thread: Thread, now: float) -> bool:
    """Tell whether the free entry window is open."""
    return thread.free_until is not None and now < thread.free_until
