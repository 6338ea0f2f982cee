"""One process that brings a database's schema up to date, and may be told to kill itself at its n-th statement."""

import asyncio
import os
import signal
import sys
from typing import Any

from alembic import op

from sayso.core.migrate import migrate


def die_at(statement: int) -> None:
    """Replace what runs a statement by what counts them, and at the given one lets the process end as by kill -9."""
    run, count = op.execute, 0

    def counting(*args: Any, **options: Any) -> None:
        nonlocal count
        count += 1
        run(*args, **options)
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    op.execute = counting


if __name__ == "__main__":
    dsn, at = sys.argv[1], int(sys.argv[2])
    if at:
        die_at(at)
    asyncio.run(migrate(dsn))
