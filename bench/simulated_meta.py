"""A simulator as ``sayso simulator`` runs it, all rules on, with an account large enough to be measured.

Eight numbers of 1,000 messages a second each; half the people wrote a moment ago, the other half get templates.
"""

import asyncio
import sys

import uvloop

import sending_business as business
from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.command import collect_less
from sayso.simulator.world.accounts import BusinessNumber


def furnish(sim: Simulator) -> None:
    """Open the numbers, and the windows of half the people."""
    accounts, now = sim.parts.world.accounts, sim.clock.now()
    for phone_number_id in business.NUMBERS:
        number = accounts.numbers.get(phone_number_id) or BusinessNumber(
            phone_number_id, sim.config.waba_id, "1555010" + phone_number_id[-4:], "Bench"
        )
        number.throughput = "HIGH"
        accounts.numbers[phone_number_id] = number
        for person in range(0, business.PEOPLE, 2):
            thread = sim.parts.world.thread(phone_number_id, business.phone(person)[1:])
            thread.last_inbound_at = now


async def main() -> None:
    """Serve: port, the callback's port (0: nobody is subscribed), and how many updates one webhook may hold."""
    port, callback, batch = (int(word) for word in sys.argv[1:4])
    config = SimulatorConfig(
        port=port,
        webhook_url=f"http://127.0.0.1:{callback}/" if callback else "",
        batch_at_most=batch,
        tier="TIER_100K",
        keep_pending_webhooks=100_000,  # sends come faster than one callback takes each status by itself
        verify_at_start=False,
    )
    sim = Simulator(config)
    furnish(sim)
    async with sim:
        await asyncio.Event().wait()


if __name__ == "__main__":
    collect_less()
    uvloop.run(main())
