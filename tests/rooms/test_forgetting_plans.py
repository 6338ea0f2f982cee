"""On 100,000 rows of everything, what an erasure or an export reads is read once, and by key wherever there is one."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from harness.million import UNCOUNTED, Plan, explained
from sayso.confirmations import forgetting as questions
from sayso.consent import service as consent
from sayso.core import idempotency
from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.events import forgetting as events
from sayso.inbound import history
from sayso.inbound.history import Looked
from sayso.messages import forgetting as messages
from sayso.operate import erasure
from sayso.people import erasing, links, merging
from sayso.people.persons import Person

ROWS, THEIRS = 100_000, 500
ALICE = Person(id="p1", ids=("p1", "p0"), name=None, phone="+15550000001", wa_id=None, bsuid="US.1")
NAMES = ["US.1", "15550000001"]
MESSAGES = [f"msg_{n:026}" for n in range(1, THEIRS + 1)]
QUESTIONS = [f"cnf_{n:026}" for n in range(1, THEIRS + 1)]

#: One of every two hundred rows is Alice's.
WHOSE = "CASE WHEN n <= 500 THEN 'p' || n % 2 ELSE 'p' || n END"
FILL = {
    "people": ("id, created_at", "'p' || n, now()"),
    "people_identifiers": (
        "person_id, kind, value, learned_from, learned_at, said_at",
        "'p' || n, 'phone', '+1555' || lpad(n::text, 7, '0'), 'meta:message', now(), now()",
    ),
    "people_links": ("client_id, external_id, person_id, updated_at", "'bot', 'u' || n, 'p' || n, now()"),
    "people_merges": ("id, other_id, root_id, because, at", "'mrg_' || n, 'p' || n, 'p' || n + 1, '', now()"),
    "people_past_identifiers": (
        "id, kind, value, person_id, learned_from, learned_at, gone_at, because",
        "'pid_' || n, 'phone', '+' || n, 'p' || n, 'm', now(), now(), ''",
    ),
    "messages": (
        "id, client_id, person_id, phone_number_id, purpose, lane, content, state, expires_at, created_at, work_at",
        f"'msg_' || lpad(n::text, 26, '0'), 'c', {WHOSE}, '1', 'send', 1, '{{}}', 'read', now(), now(), now()",
    ),
    "message_clients": ("person_id, client_id", "'p' || n, 'c'"),
    "message_timeline": (
        "message_id, at, state, reason",
        "'msg_' || lpad(n::text, 26, '0'), now(), 'sent', 'x'",
    ),
    "confirmations": (
        """id, client_id, user_id, person_id, phone_number_id, message_id, action, action_hash, shown, shown_hash,
        status, outcome, decided_at, created_at, expires_at, work_at""",
        f"""'cnf_' || lpad(n::text, 26, '0'), 'c', 'u', {WHOSE}, '1', 'm', '{{}}', '', '{{}}', '{{}}', 'decided',
        'expired', now(), now(), now(), now()""",
    ),
    "answers": (
        "id, confirmation_id, person_id, update_key, wamid, how, said, verdict, effect, received_at",
        "'ans_' || n, 'cnf_' || lpad(n::text, 26, '0'), 'p1', 'm:' || n, '', '', '', '', '', now()",
    ),
    "events": (
        "id, client_id, type, subject, data, at",
        "'evt_' || n, 'bot', 'message.failed', 'msg_' || lpad(n::text, 26, '0'), '{}', now()",
    ),
    "idempotency": (
        "client_id, route, key, fingerprint, status, body, created_at",
        """'c', 'send', n::text, '', 202, convert_to('{"id":"msg_' || lpad(n::text, 26, '0') || '","state":"queued"}',
        'UTF8'), now()""",
    ),
    "updates": (
        "key, kind, phone_number_id, person_key, item, context, body_digest, received_at, work_at",
        """'m:' || n, 'message', '1', CASE WHEN n % 200 = 0 THEN 'US.1' ELSE 'US.' || n END,
        convert_to(repeat('x', 300), 'UTF8'), '{}', sha256(n::text::bytea), now(), now()""",
    ),
    "webhook_bodies": (
        "digest, received_at, body",
        "sha256(n::text::bytea), now(), convert_to(repeat('x', 500), 'UTF8')",
    ),
    "consent_entries": (
        """seq, id, client_id, person_id, action, scope, method, captured_at, received_at, verified, personal, salt,
        personal_digest, prev_hash, person_prev_hash, hash""",
        f"""n, 'con_' || n, '', {WHOSE}, 'granted', '{{all}}', 'api', now(), now(), true, '{{}}', '', '', '', '', ''""",
    ),
    "consent_questions": (
        "id, client_id, person_id, phone_number_id, message_id, scope, asked_at, expires_at",
        f"'opt_' || n, 'bot', {WHOSE}, '1', 'm', '{{all}}', now(), now()",
    ),
    "conversations": ("person_id, phone_number_id", "'p' || n, '1'"),
}
#: What has no key by person, and is read whole: once, for one person, on the rare day that somebody asks.
READ_WHOLE = frozenset({"messages", "updates", "webhook_bodies", "events", "idempotency"})


async def fill(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    await connection.execute(";".join(map(UNCOUNTED.format, FILL)))
    for table, (columns, values) in FILL.items():
        await connection.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, {ROWS}) n"
        )
    await connection.close()


def acts(rt: Runtime) -> dict[str, Callable[[Tx], Awaitable[Any]]]:
    looked = Looked(0, rt.now())
    erased = [{"id": n, "key": f"m:{n}"} for n in range(1, THEIRS)]
    objects = [*MESSAGES, *QUESTIONS]
    return {
        "identifiers": lambda tx: erasing.identifiers(tx, ALICE),
        "users": lambda tx: erasing.users(tx, ALICE),
        "clients of": lambda tx: links.clients_of(tx, ALICE),
        "merges": lambda tx: merging.merges_of(tx, ALICE),
        "clients of messages": lambda tx: messages.clients(tx, ALICE),
        "clients of questions": lambda tx: questions.clients(tx, ALICE),
        "end questions": lambda tx: questions.end(tx, rt, ALICE, None),
        "take back": lambda tx: messages.take_back(tx, rt, ALICE, None, reason="r"),
        "under way": lambda tx: messages.under_way(tx, rt, ALICE, None),
        "messages, told": lambda tx: messages.all_of(tx, ALICE, None),
        "questions, told": lambda tx: questions.all_of(tx, ALICE, None),
        "consent, told": lambda tx: consent.history(tx, ALICE),
        "events, told": lambda tx: events.about(tx, objects, None),
        "updates, told": lambda tx: history.sent_by(tx, NAMES),
        "unread": lambda tx: history.unread(tx, NAMES),
        "updates, emptied": lambda tx: history.empty_since(tx, rt, NAMES, looked),
        "these updates, emptied": lambda tx: history.empty_these(tx, rt, erased),
        "messages, emptied": lambda tx: messages.empty(tx, ALICE, None),
        "timelines, emptied": lambda tx: messages.empty_again(tx, MESSAGES),
        "questions, emptied": lambda tx: questions.empty(tx, ALICE, None),
        "events, emptied": lambda tx: events.empty(tx, ALICE.ids, objects, None),
        "kept answers, forgotten": lambda tx: idempotency.forget(tx, objects),
        "consent, erased": lambda tx: consent.erase(tx, rt, ALICE),
        "who they are, forgotten": lambda tx: erasing.forget(tx, rt, ALICE),
    }


#: Asked for by routes that forget nobody, or while a person's fence stands: these read nothing whole.
OFTEN = frozenset(
    {"clients of", "clients of messages", "clients of questions", "end questions", "take back", "under way"}
)


def faults(plan: Plan, *, whole: frozenset[str], most: int) -> list[str]:
    """Whole tables read without need, by whatever index, or rows looked at again and again."""
    found = []
    for node in plan.nodes():
        looked_at = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        relation = node.get("Relation Name")
        if node["Node Type"] == "Seq Scan" and relation in FILL and relation not in whole:
            found.append(f"reads all of {relation}")
        if looked_at > most:
            found.append(f"{node['Node Type']} of {relation} looks at {looked_at:,} rows")
    return found


@pytest.mark.parametrize("analysed", [False, True])
async def test_nothing_is_read_twice_and_little_is_read_whole(
    dsn: str, rt: Runtime, *, analysed: bool
) -> None:
    await fill(dsn)
    if analysed:
        connection = await asyncpg.connect(dsn)
        await connection.execute("ANALYZE")
        await connection.close()
    found = []
    for name, act in acts(rt).items():

        async def at_work(tx: Tx, name: str = name, act: Callable[[Tx], Awaitable[Any]] = act) -> None:
            if name not in OFTEN:
                for setting in erasure.READ_WHOLE:
                    await Tx.execute(tx, setting)
            await act(tx)

        for plan in await explained(dsn, at_work, claims=False):
            whole, most = (frozenset(), 3 * THEIRS) if name in OFTEN else (READ_WHOLE, 3 * ROWS)
            found += [f"{name}: {fault}" for fault in faults(plan, whole=whole, most=most)]
    assert not found, "\n".join(found)
