"""Every measurement, or those named: ``python bench/run.py ingest wire wire_claim`` (``NAMES`` has them all)."""

import importlib
import os
import platform
import sys
import time
from importlib.metadata import version

import uvloop

from figures import Row, table

NAMES = ("ingest", "digest", "wire", "wire_claim", "tap", "ways_back", "timers", "idle", "simulator")
_VERSIONS = ("uvicorn", "uvloop", "httptools", "aiohttp", "asyncpg", "fastapi")


async def main(names: list[str]) -> None:
    """Measure one after another and print the table."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {libraries}, PostgreSQL 18 embedded")
    print(f"load before: {os.getloadavg()[0]:.1f}", flush=True)
    rows: list[Row] = []
    for name in names:
        began = time.monotonic()
        measured = await importlib.import_module(name).measure()
        rows += measured
        for row in measured:
            print(f"{row.what}: {row.figure} | {row.ratio} | {row.cost}", flush=True)
        print(f"  ({name}: {time.monotonic() - began:.0f} s)", flush=True)
    print("\n" + table(rows))


if __name__ == "__main__":
    asked = sys.argv[1:] or list(NAMES)
    unknown = sorted(set(asked) - set(NAMES))
    if unknown:
        sys.exit(f"No measurement {', '.join(unknown)}; there are: {', '.join(NAMES)}.")
    uvloop.run(main(asked))
