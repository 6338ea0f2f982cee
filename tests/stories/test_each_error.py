"""Every row of the table of Meta's errors, provoked at once and late: what becomes of the message, what it holds.

Each row has a person of its own, so rows that hold no more than that person's messages are provoked together.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from harness.service import PHONE_NUMBER_ID
from harness.waiting import eventually
from harness.world import World
from sayso.messages import rules, service
from sayso.messages.service import Draft
from sayso.people import service as people
from sayso.simulator.faults.model import FailLate, RefuseWithError
from sayso.whatsapp.content import Template, Text
from sayso.whatsapp.failures import ROWS, Row

TEMPLATE = Template("daily_summary", "en", ("3 March", "two tasks", "nothing more"))
CREDENTIALS_ALERT = "credentials"
TOO_FAST = 130429
OWN = ("message", "person", "marketing")
TOGETHER = 8
TIDY = """
UPDATE messages SET state = 'cancelled', reason = 'tidied', work = NULL WHERE state = 'queued';
UPDATE senders SET hold_until = NULL, hold_why = NULL, hold_code = NULL, hold_times = 0, circuit = 'closed',
    circuit_since = NULL, circuit_code = NULL, rate = rate_limit, rate_grows_at = NULL;
UPDATE templates SET status = 'APPROVED', paused_until = NULL;
DELETE FROM alerts
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_RETRY_CAP_S", 0.05)


def each_code() -> Iterator[tuple[int, Row]]:
    """Every code with its row; of a range the first."""
    for row in ROWS:
        for code in row.codes:
            yield int(str(code).partition("-")[0]), row


def of_its_own(row: Row) -> bool:
    """Whether what it does concerns its own message and person alone."""
    return row.holds in OWN and row.then != "compare"


def groups() -> Iterator[list[tuple[int, Row]]]:
    """What may be provoked at the same time; what holds something that others share is provoked alone."""
    apart = [each for each in each_code() if not of_its_own(each[1])]
    beside = [each for each in each_code() if of_its_own(each[1])]
    for at in range(0, len(beside), TOGETHER):
        yield beside[at : at + TOGETHER]
    for each in apart:
        yield [each]


def person_of(code: int) -> str:
    """Whom the message goes to that meets this error."""
    return f"+1555{code:07}"


async def tidy(world: World) -> None:
    """As if nothing had happened; a circuit that was open closed long ago."""
    world.sim.clear_faults()
    for statement in TIDY.split(";"):
        await world.rows(statement)


async def mirrored(world: World) -> None:
    """Wait for the first look at the templates: what changes of ours later is an error's doing."""

    async def look() -> bool:
        found = await world.rows("SELECT 1 FROM templates WHERE name = $1", TEMPLATE.name)
        return bool(found)

    await eventually(look, "the mirror of the templates")


async def send(world: World, code: int, row: Row) -> str:
    """A message of the kind that can meet this error."""
    about_template = row.kind == "template" or row.holds in ("template", "marketing") or row.then == "compare"
    async with world.rt.db.tx() as tx:
        draft = Draft(
            client_id="bot",
            person=await people.by_phone(tx, world.rt, person_of(code), learned_from="assistant:bot"),
            phone_number_id=PHONE_NUMBER_ID,
            purpose="send",
            content=TEMPLATE if about_template else Text(f"code {code}"),
            outside_window=TEMPLATE if row.then == "fall_back" else None,
            category="marketing" if row.holds == "marketing" or row.then == "opt_out" else "notifications",
            expires_at=world.rt.now() + timedelta(hours=1),
        )
        return await service.send(tx, world.rt, draft)


async def state_of(world: World, message_id: str) -> dict[str, Any]:
    [row] = await world.rows("SELECT * FROM messages WHERE id = $1", message_id)
    return row


def ends_of(row: Row, code: int, *, late: bool) -> tuple[str, ...]:
    """The states that the table promises. A circuit closes by itself as soon as Meta is seen to take the token."""
    if row.then == "fall_back":
        return ("read",)
    if late or not row.retry:
        return ("failed",)
    if code == TOO_FAST or row.holds == "message":
        return ("read",)
    return ("queued", "read") if row.kind == "credentials" else ("queued",)


async def met(world: World, message_id: str, code: int) -> bool:
    """Whether the message's timeline tells of the error."""
    found = await world.rows(
        "SELECT 1 FROM message_timeline WHERE message_id = $1 AND (detail->>'code')::int = $2",
        message_id,
        code,
    )
    return bool(found)


async def held(world: World, code: int, row: Row, message: dict[str, Any]) -> str:
    """What is held by the error, in the words of the table."""
    [sender] = await world.rows("SELECT * FROM senders WHERE id = $1", PHONE_NUMBER_ID)
    [talk] = await world.rows("SELECT * FROM conversations WHERE person_id = $1", message["person_id"])
    alerts = await world.rows("SELECT detail FROM alerts WHERE key = $1", CREDENTIALS_ALERT)
    if any(f"Meta {code} " in alert["detail"] for alert in alerts):
        return "everything"
    if sender["hold_code"] == code:
        return "everything" if row.holds == "everything" else "sender"
    if sender["rate_grows_at"] is not None:
        return "sender"
    if talk["hold_until"] is not None:
        return "person"
    if talk["marketing_until"] is not None:
        return "marketing"
    asked = await world.rows(
        "SELECT 1 FROM message_timeline WHERE message_id = $1 AND reason LIKE '%template %' || $2 || '%'",
        message["id"],
        TEMPLATE.name,
    )
    [copy] = await world.rows("SELECT * FROM templates WHERE name = $1 AND language = 'en'", TEMPLATE.name)
    waits = (message["held_by"] or "").startswith("template:") or bool(asked)
    marked = (
        copy["changed_at"] > message["created_at"]
    )  # and compared with Meta, which may already have undone it
    return "template" if waits or marked else "message"


async def compared(world: World, row: Row, message: dict[str, Any]) -> bool:
    """Whether the templates are compared with Meta, other than for a row about templates."""
    asked = await world.rows("SELECT 1 FROM template_syncs WHERE asked_at >= $1", message["created_at"])
    return bool(asked) and row.kind == "bad_request" and not of_its_own(row)


def also(talk: dict[str, Any], left: int, *, compared: bool) -> str:
    """What followed besides."""
    if left:
        return "opt_out"
    if compared:
        return "compare"
    if talk["strikes"]:
        return "strike"
    return "fall_back" if talk["closed_at"] is not None else ""


async def judge(world: World, code: int, row: Row, *, late: bool, within: float = 20.0) -> list[str]:
    """Provoke one error, and say in what the outcome differs from the table."""
    to = person_of(code)
    await world.open_window(to)
    fault: Any = FailLate(code=code, to=to) if late else RefuseWithError(code=code, http_status=400, to=to)
    world.sim.arm(fault)
    message_id = await send(world, code, row)
    wanted = ends_of(row, code, late=late)
    where = f"{code} {'late' if late else 'at once'}"

    async def ended() -> bool:
        now = (await state_of(world, message_id))["state"]
        return now in wanted and await met(world, message_id, code)

    try:
        await eventually(ended, where, within=within)
    except (AssertionError, TimeoutError):
        now = await state_of(world, message_id)
        return [f"{where}: is {now['state']} ({now['reason']}), the table says {wanted[0]}"]
    message = await state_of(world, message_id)
    found = []
    if (holds := await held(world, code, row, message)) != row.holds and not (
        late and row.holds == "template"  # late, the mirror is asked; nothing of it waits
    ):
        found.append(f"{where}: holds {holds}, the table says {row.holds}")
    [left] = await world.rows(
        "SELECT count(*) AS n FROM consent_entries WHERE person_id = $1", message["person_id"]
    )
    [talk] = await world.rows("SELECT * FROM conversations WHERE person_id = $1", message["person_id"])
    then = also(talk, left["n"], compared=await compared(world, row, message))
    if then != row.then:
        found.append(f"{where}: then {then or 'nothing'}, the table says {row.then or 'nothing'}")
    if wanted == ("failed",) and message["error_code"] != code:
        found.append(f"{where}: the message says {message['error_code']}")
    return found


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
async def test_every_row_is_reachable_and_does_what_it_says(world: World, late: bool) -> None:
    await mirrored(world)
    broken: list[str] = []
    for group in groups():
        await tidy(world)
        for found in await asyncio.gather(*(judge(world, code, row, late=late) for code, row in group)):
            broken += found
    assert not broken, "\n".join(broken)


async def test_a_row_that_lies_would_be_noticed(world: World) -> None:
    await mirrored(world)
    row = next(row for row in ROWS if 131026 in row.codes)
    lie = Row(
        codes=row.codes,
        title=row.title,
        kind="account",
        meaning=row.meaning,
        we_do=row.we_do,
        operator=row.operator,
        retry=True,
        hold_s=60.0,
        holds="sender",
    )
    [told] = await judge(world, 131026, lie, late=False, within=5.0)
    assert told.startswith("131026 at once: is failed")
    assert told.endswith("the table says queued")
