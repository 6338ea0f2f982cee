"""At rest: the memory of the service and of its PostgreSQL, and the CPU both use while nothing happens."""

import asyncio

from figures import Row
from proc import Meter
from processes import staged

SECONDS = 10


async def measure() -> list[Row]:
    """After the start has settled."""
    async with staged() as stage:
        await asyncio.sleep(3)
        meter = Meter.start(service=stage.service, PostgreSQL=stage.postgres)
        await asyncio.sleep(SECONDS)
        percent = ", ".join(f"{name} {seconds / SECONDS:.1%}" for name, seconds in meter.used().items())
        service, postgres = stage.service.rss_mib(), stage.postgres.pss_mib()
    return [
        Row(
            "at rest",
            f"service {service:.0f} MiB (RSS), embedded PostgreSQL {postgres:.0f} MiB (PSS)",
            "< 150 MiB, < 200 MiB",
            cost=f"CPU of a core: {percent}",
        )
    ]
