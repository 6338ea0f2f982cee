"""Memory has bounds, and what goes beyond them ends as docs/simulator.md says."""

import gc
from functools import partial

from sayso.simulator.world.clock import SWEEP_FROM, Clock, Timer


def test_cancelled_timers_do_not_pile_up() -> None:
    clock, happened = Clock(), list[int]()
    clock.run(0)
    kept = [clock.after(index, partial(happened.append, index)) for index in (7, 3, 5)]
    for _ in range(20 * SWEEP_FROM):
        clock.after(30, partial(happened.append, 0)).cancel()
    gc.collect()
    assert sum(isinstance(each, Timer) for each in gc.get_objects()) <= SWEEP_FROM + len(kept)
    assert clock.waiting == 3
    clock.advance(60)
    assert happened == [3, 5, 7]
