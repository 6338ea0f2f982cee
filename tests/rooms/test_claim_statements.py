"""At 100,000 rows in each table a claim, a leaving, results and statuses look at the rows they need, and no others.

Each is run as it is, its statements are written down, and then explained one after the other on the same data.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from harness.mail import Mail
from harness.million import UNCOUNTED, Plan, explained
from harness.rooms import runtime
from harness.service import PHONE_NUMBER_ID
from sayso.consent.service import Said
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.inbound import leaving
from sayso.inbound.leaving import Chat
from sayso.messages import attempts, deciding, results, statuses
from sayso.messages.outcome import Result
from sayso.people import service as people
from sayso.whatsapp.content import Template, Text, to_data
from sayso.whatsapp.updates import Identity, StatusUpdate

ROWS = 100_000
#: What a node of a plan may look at: a tenth of this is what a claim decides about, a hundred times it is there.
MOST = 1_500
_TEXT, _TEMPLATE = (
    f"'{msgspec.json.encode(to_data(content)).decode()}'"
    for content in (Text("hello"), Template("t", "en", ("a",)))
)
#: A fifth is ready, in all lanes; a thousand are under way and as many unknown; the rest was read long ago.
_STATE = (
    "CASE WHEN n % 5 = 0 THEN 'queued' WHEN n % 100 = 1 THEN 'sending' WHEN n % 100 = 2 THEN 'unknown' "
    "ELSE 'read' END"
)
_WORK = "CASE WHEN n % 5 = 0 THEN 'ready' WHEN n % 100 = 1 THEN 'running' WHEN n % 100 = 2 THEN 'waiting' END"
_PERSON = "'per_' || lpad(n::text, 8, '0')"
_LANE = "CASE WHEN n % 2000 = 0 THEN 0 WHEN n % 50 = 0 THEN 1 ELSE 2 END"
_PURPOSE = "CASE WHEN n % 2000 = 0 THEN 'consent' WHEN n % 50 = 0 THEN 'prompt' ELSE 'send' END"
FILL = {
    "people (id, created_at)": f"{_PERSON}, now()",
    "people_identifiers (kind, value, person_id, learned_from, learned_at, said_at)": (
        f"'phone', '+1555' || lpad(n::text, 7, '0'), {_PERSON}, 'meta:message', now(), now()"
    ),
    "conversations (person_id, phone_number_id, last_inbound_at)": (
        f"{_PERSON}, '{PHONE_NUMBER_ID}', CASE WHEN n % 10 = 0 THEN now() END"
    ),
    "pairs (phone_number_id, person_id, began, count)": (
        f"'{PHONE_NUMBER_ID}', {_PERSON}, now() - interval '1 hour', n % 50"
    ),
    "portfolio_reach (portfolio_id, person_id, at, message_id)": (
        "'200000000000001', 'per_x' || n, now() - n * interval '1 second', 'msg_' || lpad(n::text, 8, '0')"
    ),
    """consent_entries (seq, id, client_id, person_id, action, scope, method, captured_at, received_at, verified,
        personal_digest, prev_hash, person_prev_hash, hash)""": (
        f"n, 'cst_' || n, '', {_PERSON}, 'granted', '{{all}}', 'keyword', now(), now(), true, '', '', '', ''"
    ),
    "message_timeline (message_id, at, state)": "'msg_' || lpad(n::text, 8, '0'), now(), 'queued'",
    """messages (id, client_id, person_id, phone_number_id, purpose, lane, content, outside_window, template_name,
        template_language, type, state, attempt, wamid, posted_at, posting_until, expires_at, created_at, work, work_at,
        worker)""": f"""'msg_' || lpad(n::text, 8, '0'), 'c', {_PERSON}, '{PHONE_NUMBER_ID}', {_PURPOSE}, {_LANE},
        {_TEXT}::jsonb, CASE WHEN n % 3 = 0 THEN {_TEMPLATE}::jsonb END, CASE WHEN n % 3 = 0 THEN 't' END,
        CASE WHEN n % 3 = 0 THEN 'en' END, 'text', {_STATE}, CASE WHEN n % 5 = 0 THEN 0 ELSE 1 END,
        CASE WHEN n % 5 > 2 THEN 'wamid.' || n END, now(), now() + interval '1 minute', now() + interval '1 day',
        now(), {_WORK}, now() + interval '1 day', CASE WHEN n % 100 = 1 THEN 7 END""",
}
TABLES = {name.split(" ", 1)[0] for name in FILL}
Act = Callable[[Mail, Tx], Awaitable[Any]]


@dataclass(slots=True, eq=False)
class Noting(Tx):
    """A transaction that writes down what is run in it."""

    said: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        """Run it, and write it down."""
        self.said.append((sql, args))
        return await Tx.fetch(self, sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        """Run it, and write it down."""
        self.said.append((sql, args))
        return await Tx.fetchrow(self, sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """Run it, and write it down."""
        self.said.append((sql, args))
        return await Tx.fetchval(self, sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run it, and write it down."""
        self.said.append((sql, args))
        return await Tx.execute(self, sql, *args)


class _UndoneError(Exception):
    """What was done is undone."""


async def fill(dsn: str) -> None:
    """As many rows everywhere; a sender that may send as fast as it likes, and a limit that leaves room for few."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    await connection.execute(";".join(map(UNCOUNTED.format, sorted(TABLES))))
    for columns, values in FILL.items():
        await connection.execute(f"INSERT INTO {columns} SELECT {values} FROM generate_series(1, {ROWS}) n")
    await connection.execute(
        f"UPDATE consent_head SET seq = {ROWS}; UPDATE senders SET rate_limit = 100000; "
        f"UPDATE portfolios SET tier_limit = {ROWS + 5}, used = {ROWS}"
    )
    await connection.close()


async def claim(mail: Mail, tx: Tx) -> None:
    """One claim, of every lane."""
    worker = await tx.fetchval("SELECT max(id) FROM workers")
    claimed = await mail.dispatcher.claim(mail.rt, tx, Lease(worker), 150)
    assert len(claimed.todo) > 50
    assert {row["purpose"] for row in claimed.todo} == {"consent", "prompt", "send"}


async def leave(mail: Mail, tx: Tx) -> None:
    """Somebody leaves, and comes back."""
    person = await people.by_phone(tx, mail.rt, "+15550000015", learned_from="assistant:bot")
    chat = Chat(phone_number_id=PHONE_NUMBER_ID, language="en")
    said = Said(person=person, action="withdrawn", method="keyword", captured_at=mail.rt.now())
    assert (await leaving.leave(tx, mail.rt, said, chat)).suppressed == 1
    assert await leaving.in_flight(tx, mail.rt, person, ("all",)) == 0
    later = mail.rt.now() + timedelta(seconds=5)
    back = Said(person=person, action="granted", method="keyword", captured_at=later)
    assert (await leaving.come_back(tx, mail.rt, back, chat)).news


async def in_flight(mail: Mail, tx: Tx) -> None:
    """What an answer to a leaving waits for."""
    them = await people.fence(tx, [f"per_{number:08}" for number in range(1, 100)])
    busy = await deciding._in_flight(tx, mail.rt.now(), list(them.values()))
    assert len(busy) == 2, "one that is being sent, and one that may be"


async def write(mail: Mail, tx: Tx) -> None:
    """Answers of Meta's."""
    ids = [f"msg_{number:08}" for number in range(1, ROWS, 1_000)]
    now = mail.rt.now()
    some = [Result(each, 1, now, state="accepted", wamid=f"new.{each}", reaches=True) for each in ids[::2]]
    some += [Result(each, 1, now, state="failed", reason="x", error_code=131026) for each in ids[1::2]]
    await results.apply(tx, mail.rt, some, on_failed=mail.on_failed)


async def tell(mail: Mail, tx: Tx) -> None:
    """Statuses of Meta's, by our id and by theirs."""
    now = mail.rt.now()
    callbacks = [attempts.callback(f"msg_{number:08}", 1) for number in range(1, ROWS, 2_000)]
    told = [
        StatusUpdate(f"w.{each}", PHONE_NUMBER_ID, "sent", now, Identity(), each, (), None)
        for each in callbacks
    ]
    told += [
        StatusUpdate(f"wamid.{number}", PHONE_NUMBER_ID, "read", now, Identity(), None, (), None)
        for number in range(3, ROWS, 2_000)
    ]
    joined = await statuses.record(tx, mail.rt, told)
    assert None not in joined


def faults(plan: Plan) -> Iterator[str]:
    """What a plan looks at in vain."""
    for node in plan.nodes():
        if node.get("Relation Name") not in TABLES or node["Node Type"] == "ModifyTable":
            continue
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        looked_at = (node["Actual Rows"] + removed) * node["Actual Loops"]
        if "Seq Scan" in node["Node Type"] or looked_at > MOST:
            where = node.get("Index Name", node["Relation Name"])
            yield f"{node['Node Type']} of {looked_at:,.0f} rows of {where} in: {' '.join(plan.sql.split())[:300]}"


async def judged(mail: Mail, act: Act, *, claims: bool) -> list[str]:
    """Run it, undo it, and explain each statement of it."""
    noted: list[tuple[str, tuple[Any, ...]]] = []
    with contextlib.suppress(_UndoneError):
        async with mail.rt.db.tx(claims=claims) as tx:
            noting = Noting(tx._connection)
            await act(mail, noting)
            noted = noting.said
            raise _UndoneError
    assert noted

    async def again(tx: Tx) -> None:
        for sql, args in noted:
            await tx.fetch(sql, *args)

    plans = await explained(mail.rt.db.dsn, again, claims=claims)
    assert len(plans) == len(noted)
    return [f"{act.__name__}: {fault}" for plan in plans for fault in faults(plan)]


async def every(rt: Runtime) -> list[str]:
    """What is wrong with any statement of any of them."""
    mail = Mail(rt)
    found = await judged(mail, claim, claims=True) + await judged(mail, in_flight, claims=True)
    for act in (leave, write, tell):
        found += await judged(mail, act, claims=False)
    return found


async def test_nothing_looks_at_more_rows_than_it_needs_with_and_without_statistics(dsn: str) -> None:
    async with runtime(dsn, sayso_pair_rate=True) as rt:
        await Mail(rt).enlist()
        await fill(dsn)
        assert await every(rt) == []
        async with rt.db.one() as tx:
            await tx.execute(f"ANALYZE {', '.join(sorted(TABLES))}")
        assert await every(rt) == []


async def test_a_burst_that_no_statistics_know_of_is_claimed_along_its_own_index(dsn: str) -> None:
    async with runtime(dsn, sayso_pair_rate=True) as rt:
        await Mail(rt).enlist()
        await fill(dsn)
        async with rt.db.one() as tx:
            await tx.execute("UPDATE messages SET work = NULL WHERE work = 'ready'")
            await tx.execute(f"VACUUM ANALYZE {', '.join(sorted(TABLES))}")
            await tx.execute("UPDATE messages SET work = 'ready' WHERE state = 'queued'")
        assert await every(rt) == []


async def test_an_index_that_is_missing_is_noticed(dsn: str) -> None:
    async with runtime(dsn) as rt:
        await Mail(rt).enlist()
        await fill(dsn)
        async with rt.db.one() as tx:
            await tx.execute("DROP INDEX people_identifiers_person")
        [told, *_] = await judged(Mail(rt), in_flight, claims=True)
        assert "rows of people_identifiers" in told
