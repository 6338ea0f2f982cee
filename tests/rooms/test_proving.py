"""What one decision's proof is worth: whatever is changed in the database behind our back is named."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from harness.decisions import Decisions
from sayso.confirmations import log, proving, receipts
from sayso.confirmations.proving import Proof
from sayso.core import keys
from sayso.core.database import Tx
from sayso.core.runtime import Runtime

ALL = ["signature", "decision", "action", "words shown", "answers", "decision log", "checkpoint"]


#: A change of one row, $1 being the first of three decisions, and what then does not hold.
CHANGES: list[tuple[str, set[str]]] = [
    ("UPDATE confirmations SET outcome = 'declined' WHERE id = $1", {"decision"}),
    (
        "UPDATE confirmations SET decided_at = decided_at - interval '1 second' WHERE id = $1",
        {"decision"},
    ),
    ("UPDATE confirmations SET action_hash = sha256('x') WHERE id = $1", {"decision"}),
    ("UPDATE confirmations SET client_id = 'other' WHERE id = $1", {"decision"}),
    ("UPDATE receipts SET use_by = use_by + interval '1 day' WHERE confirmation_id = $1", {"decision"}),
    ("UPDATE confirmations SET action = action || '{\"x\": 1}' WHERE id = $1", {"action"}),
    ("UPDATE receipts SET jws = 'x' || jws WHERE confirmation_id = $1", {"signature"}),
    (
        "UPDATE receipts r SET jws = o.jws FROM receipts o WHERE o.confirmation_id > $1 AND r.confirmation_id = $1",
        {"decision", "words shown", "answers", "decision log"},
    ),
    (
        "UPDATE receipts SET opened = '{\"approvals\": []}' WHERE confirmation_id = $1",
        {"words shown", "answers"},
    ),
    ("UPDATE answers SET said = 'No' WHERE confirmation_id = $1", {"answers"}),
    ("UPDATE answers SET said = '' WHERE confirmation_id = $1", {"answers"}),
    ("UPDATE answers SET wamid = 'wamid.OTHER' WHERE confirmation_id = $1", {"answers"}),
    ("UPDATE answers SET verdict = 'decline' WHERE confirmation_id = $1", {"answers"}),
    ("UPDATE answers SET how = 'number' WHERE confirmation_id = $1", {"answers"}),
    ("UPDATE approvers SET verdict = 'decline' WHERE confirmation_id = $1", {"answers"}),
    ("UPDATE approvers SET answer_id = NULL WHERE confirmation_id = $1", {"answers"}),
    (
        "UPDATE receipts SET opened = jsonb_set(opened, '{approvals,0,said,value}', '0') WHERE confirmation_id = $1",
        {"answers"},
    ),
    ("UPDATE decision_log SET entry = '{}' WHERE confirmation_id = $1", {"decision log"}),
    ("UPDATE decision_log SET leaf = sha256('x') WHERE confirmation_id = $1", {"decision log"}),
    (
        "UPDATE decision_log SET head = sha256('x') WHERE confirmation_id = $1",
        {"decision log", "checkpoint"},
    ),
    ("UPDATE decision_log SET leaf = sha256('x') WHERE index = 1 AND $1 <> ''", {"checkpoint"}),
    ("DELETE FROM decision_log WHERE index = 2 AND $1 <> ''", {"checkpoint"}),
    ("DELETE FROM decision_log WHERE confirmation_id = $1", {"decision log"}),
    ("UPDATE decision_checkpoints SET size = 2 WHERE $1 <> ''", {"checkpoint"}),
    (
        "UPDATE decision_checkpoints SET note = replace(note, 'sayso', 'other') WHERE $1 <> ''",
        {"checkpoint"},
    ),
]


class _UndoneError(Exception):
    """Take it back."""


async def _examined(tx: Tx, rt: Runtime, confirmation_id: str) -> Proof:
    row = await receipts.get(tx, confirmation_id)
    assert row is not None
    return await proving.examine(tx, rt, row)


async def _three(rt: Runtime) -> list[str]:
    """Three decisions under one checkpoint."""
    made = [await Decisions(rt).confirmed() for _ in range(3)]
    async with rt.db.tx() as tx:
        await log.checkpoint(tx, rt, now=True)
    return made


@contextlib.asynccontextmanager
async def _changed(rt: Runtime, sql: str, *args: object) -> AsyncIterator[Tx]:
    """The database with one row changed, for as long as it is looked at."""
    with contextlib.suppress(_UndoneError):
        async with rt.db.tx() as tx:
            for table in ("decision_log", "decision_checkpoints"):
                await tx.execute(f"ALTER TABLE {table} DISABLE TRIGGER decision_log_stays")
            assert await tx.execute(sql, *args) == 1, sql
            yield tx
            raise _UndoneError


async def test_what_nobody_changed_holds_in_every_part(rt: Runtime) -> None:
    for confirmation_id in await _three(rt):
        async with rt.db.one() as tx:
            proof = await _examined(tx, rt, confirmation_id)
        assert [(check.name, check.ok) for check in proof.checks] == [(name, True) for name in ALL]
        assert proof.holds
        assert proof.kid == keys.load(rt.settings, now=rt.now).kid


async def test_what_was_changed_is_named(rt: Runtime) -> None:
    first = (await _three(rt))[0]
    for sql, broken in CHANGES:
        async with _changed(rt, sql, first) as tx:
            proof = await _examined(tx, rt, first)
        assert {check.name for check in proof.checks if check.ok is False} == broken, sql
        assert not proof.holds


async def test_a_key_of_another_installation_is_none_of_ours(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmation_id = await Decisions(rt).confirmed()
    monkeypatch.setattr(keys.Keys, "published", lambda _: {"keys": []})
    async with rt.db.one() as tx:
        proof = await _examined(tx, rt, confirmation_id)
    assert "none of this installation's" in proof.checks[0].said
    assert (proof.holds, proof.claims) == (False, {})
