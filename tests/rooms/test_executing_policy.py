"""A claim under another policy than the question's: whoever said yes has to be let approve by today's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.decisions import BOT, Decisions
from harness.mail import PHONE, Mail
from harness.rooms import Clock, runtime
from sayso.confirmations import executing
from sayso.confirmations.executing import PolicyForbidsError
from sayso.core.runtime import Runtime
from sayso.people import service as people

BEN = "+15550002222"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


@pytest.fixture
async def made(dsn: str, clock: Clock, file: Path) -> AsyncIterator[Decisions]:
    """Questions that were asked before there was this policy, and confirmed by Alice."""
    allow(file, PHONE)
    async with runtime(dsn, now=clock, sayso_policy_file=file) as rt:
        async with rt.db.tx() as tx:
            await people.link(tx, rt, client_id="bot", external_id="alice", phone=PHONE, name=None)
        yield Decisions(rt)


def allow(file: Path, *names: str, version: str = "1") -> None:
    file.write_text(f'version = "{version}"\n[action.calendar_create]\napprovers = {[*names]}\nneed = 1\n')


async def claimed(rt: Runtime, confirmation_id: str, action_hash: bytes) -> None:
    async with rt.db.tx() as tx:
        await executing.claim(tx, rt, BOT, confirmation_id, action_hash)


async def claim(made: Decisions, confirmation_id: str) -> str:
    """What came of it."""
    row = await made.row(confirmation_id)
    try:
        await claimed(made.rt, confirmation_id, bytes(row["action_hash"]))
    except PolicyForbidsError as error:
        return error.detail
    return "given"


@pytest.mark.parametrize("name", [PHONE, "alice"])
async def test_who_said_yes_is_known_by_number_and_by_the_assistants_own_name(
    made: Decisions, file: Path, name: str
) -> None:
    allow(file, BEN, name)
    assert await claim(made, await made.confirmed()) == "given"


async def test_who_may_not_approve_any_more_voids_a_claim_that_was_not_made_and_no_other(
    made: Decisions, file: Path
) -> None:
    before, after = await made.confirmed(), await made.confirmed()
    assert await claim(made, before) == "given"
    allow(file, BEN, "nobody is called so", version="22")
    assert "does not let alice approve it. Ask again." in await claim(made, after)
    allow(file, PHONE, version="333")
    assert await claim(made, after) == "given", "a refusal uses nothing up"


async def test_a_delegates_yes_is_that_of_whom_they_stand_in_for(made: Decisions, file: Path) -> None:
    ben = await Mail(made.rt).person(BEN)
    confirmation_id = await made.confirmed(ben)
    assert "does not let …2222 approve it" in await claim(made, confirmation_id)
    alice = await Mail(made.rt).person(PHONE)
    async with made.rt.db.tx() as tx:
        await tx.execute("UPDATE approvers SET because = 'delegated', delegated_from = $1", alice.id)
    assert await claim(made, confirmation_id) == "given"
