"""The cost of one claim of messages, all checks on, as the backlog grows: no service, no wire, no pace that bounds."""

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg

from figures import Row
from proc import Meter, Tree
from processes import Stage
from sayso.core import claims, embedded
from sayso.core.database import Database
from sayso.core.migrate import migrate
from sayso.core.runtime import Runtime
from sayso.core.settings import Settings
from sayso.core.worker import Lease
from sayso.messages.dispatch import Dispatcher
from sayso.messages.results import Results
from sayso.senders import service as senders
from wire import SENDERS, people, queue

BACKLOGS = (1_000, 100_000, 1_000_000)
CLAIMS = 9
#: Messages in a claim: what one number has slots for in a tenth of a second.
MOST = 98
PERSONS = 50_000
_SETTINGS = {
    "whatsapp_access_token": "sim-token",
    "whatsapp_phone_number_id": SENDERS[0],
    "whatsapp_business_account_id": "200000000000001",
    "whatsapp_verify_token": "sim-verify",
    "whatsapp_webhook_secret": "sim-secret",
}


async def measure() -> list[Row]:
    """One claim after another from ever larger backlogs."""
    return [await _claims(backlog) for backlog in BACKLOGS]


async def _claims(backlog: int) -> Row:
    async with _database() as (stage, rt):
        async with rt.db.tx() as tx:
            await senders.ensure(tx, rt)
            await tx.execute("UPDATE senders SET rate_limit = 1000000")
        await people(stage, min(PERSONS, backlog))
        await queue(stage, backlog, persons=min(PERSONS, backlog))
        await stage.sql.execute("UPDATE messages SET work = 'ready'")
        await stage.sql.execute("VACUUM ANALYZE messages")
        meter = Meter.start(bench=stage.service, PostgreSQL=stage.postgres)
        took, went = await _claim_often(rt)
        used = meter.used()
    return Row(
        f"a claim of {MOST} messages from {backlog:,} ready ones",
        f"median {statistics.median(took) * 1e3:.1f} ms, worst {max(took) * 1e3:.1f} ms",
        "the same for all",
        "",
        ", ".join(f"{name} {seconds / went * 1e3:.3f}" for name, seconds in used.items())
        + " CPU ms a message",
    )


async def _claim_often(rt: Runtime) -> tuple[list[float], int]:
    """Seconds that each claim took, and how many messages went in all; the first one warms up."""
    nobody: Any = None  # nothing is posted
    dispatcher = Dispatcher(nobody, Results(rt, nobody), nobody)
    async with rt.db.tx(claims=True) as tx:
        lease = Lease(await claims.enlist(tx))
    took, went = [], 0
    for _ in range(CLAIMS):
        began = time.perf_counter()
        async with rt.db.tx(claims=True) as tx:
            claimed = await dispatcher.claim(rt, tx, lease, MOST)
        took.append(time.perf_counter() - began)
        went += len(claimed.todo)
        await asyncio.sleep(0.05)
    if went != MOST * CLAIMS:
        raise SystemExit(f"{went} messages went in {CLAIMS} claims of {MOST}")
    return took[1:], went


@contextlib.asynccontextmanager
async def _database() -> AsyncIterator[tuple[Stage, Runtime]]:
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as name:
        data = Path(name)
        await asyncio.to_thread(data.chmod, 0o711)
        server = await asyncio.to_thread(embedded.start, data)
        try:
            await migrate(server.dsn)
            sql = await asyncpg.connect(server.dsn)
            pid = int((data / "postgres" / "postmaster.pid").read_text(encoding="ascii").split()[0])
            db = await Database.connect(server.dsn, size=4)
            yield (
                Stage(0, Tree(os.getpid()), Tree(pid), sql, data / "none"),
                Runtime(Settings.model_validate({**_SETTINGS, "sayso_data_dir": data}), db),
            )
            await db.close()
            await sql.close()
        finally:
            await asyncio.to_thread(server.release)
