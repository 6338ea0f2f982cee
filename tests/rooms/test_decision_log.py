"""The decision log in its table: signed in time, told to others, never changed unseen."""

import asyncio
from pathlib import Path

import pytest
import typer
from asyncpg import RaiseError
from rich.console import Console

from harness.decisions import Decisions
from harness.rooms import Clock
from sayso.cli import audit as command
from sayso.confirmations import auditing, log
from sayso.core import keys, notes
from sayso.core.runtime import Runtime

ROWS = 3
#: What a column is changed to; whatever its type, another value than any it had.
OTHERWISE = {
    "index": "index + 100",
    "confirmation_id": "(SELECT max(id) FROM confirmations WHERE id NOT IN (SELECT confirmation_id FROM decision_log))",
    "entry": r"set_byte(entry, 20, 0)",
    "leaf": "sha256(leaf)",
    "head": "sha256(head)",
}
BESIDE = (
    "UPDATE confirmations SET outcome = 'declined' WHERE id = (SELECT min(confirmation_id) FROM decision_log)",
    "UPDATE confirmations SET decided_at = decided_at - interval '1 microsecond' WHERE status = 'decided'",
    "UPDATE confirmations SET action_hash = sha256(action_hash) WHERE status = 'decided'",
    "UPDATE confirmations SET status = 'pending', outcome = NULL, decided_at = NULL WHERE status = 'decided'",
    "UPDATE confirmations SET status = 'decided', outcome = 'confirmed', decided_at = now() WHERE status = 'pending'",
    "DELETE FROM receipts",
    "UPDATE receipts SET jws = (SELECT max(jws) FROM receipts)",
    "UPDATE receipts SET jws = left(jws, -4) || 'AAAA'",
    "UPDATE decision_head SET size = 2, head = (SELECT head FROM decision_log WHERE index = 1)",
    "DELETE FROM decision_log WHERE index = 1",
    "UPDATE decision_log SET index = CASE index WHEN 1 THEN 12 ELSE 11 END WHERE index IN (1, 2)",
    "UPDATE decision_checkpoints SET note = replace(note, 'sayso', 'other')",
    "UPDATE decision_checkpoints SET note = ''",
)


@pytest.fixture
async def made(rt: Runtime) -> Decisions:
    """Three decisions and a checkpoint of them; one question is still open."""
    found = Decisions(rt)
    for _ in range(ROWS):
        await found.confirmed()
    await found.ask()
    async with rt.db.tx() as tx:
        await log.checkpoint(tx, rt, now=True)
    return found


async def sizes(rt: Runtime) -> list[int]:
    async with rt.db.one() as tx:
        return [row["size"] for row in await log.checkpoints(tx)]


async def look(rt: Runtime) -> notes.Checkpoint | None:
    async with rt.db.tx() as tx:
        return await log.checkpoint(tx, rt)


async def findings(rt: Runtime, *kept: str) -> list[str]:
    return [finding.what for finding in (await auditing.verify(rt, kept)).findings]


async def test_a_checkpoint_is_due_five_minutes_after_the_last_one_and_only_for_something_new(
    made: Decisions, clock: Clock
) -> None:
    rt = made.rt
    assert await sizes(rt) == [3]
    clock.advance(minutes=10)
    assert await look(rt) is None, "nothing is new"
    await made.confirmed()
    assert await look(rt) is not None
    await made.confirmed()
    clock.advance(minutes=5, microseconds=-1)
    assert await look(rt) is None
    clock.advance(microseconds=1)
    assert await look(rt) is not None
    assert await sizes(rt) == [3, 4, 5]


async def test_a_checkpoint_is_due_after_a_thousand_entries(
    made: Decisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log.ENTRIES == 1_000
    monkeypatch.setattr(log, "ENTRIES", 2)
    await made.confirmed()
    assert await look(made.rt) is None
    await made.confirmed()
    assert await look(made.rt) is not None


async def test_two_processes_make_one_checkpoint(made: Decisions, clock: Clock) -> None:
    await made.confirmed()
    clock.advance(minutes=6)
    got = await asyncio.gather(*(look(made.rt) for _ in range(4)))
    assert sum(each is not None for each in got) == 1
    assert await sizes(made.rt) == [3, 4]


async def test_a_checkpoint_is_told_to_the_operator_and_to_each_assistant_that_is_in_it(
    made: Decisions, rt: Runtime, clock: Clock
) -> None:
    await made.confirmed(client="other")
    clock.advance(minutes=6)
    checkpoint = await look(rt)
    assert checkpoint is not None
    async with rt.db.one() as tx:
        rows = await tx.fetch(
            "SELECT client_id, data FROM events WHERE type = 'log.checkpoint' AND data->>'size' = '4'"
        )
    assert sorted(row["client_id"] for row in rows) == ["", "other"]
    public = keys.load(rt.settings, now=rt.now).public_bytes()
    for row in rows:
        assert notes.read(row["data"]["note"], public)[0] == checkpoint
        assert (row["data"]["origin"], row["data"]["root"]) == ("sayso/decisions", checkpoint.root.hex())


async def test_checkpoints_are_made_by_themselves(
    made: Decisions, rt: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_LOOK_S", 0.01)
    await made.confirmed()
    clock.advance(minutes=6)
    watching = asyncio.create_task(log.watch(rt))
    async with asyncio.timeout(20):
        while await sizes(rt) != [3, 4]:  # noqa: ASYNC110 - another connection is who waits
            await asyncio.sleep(0.01)
    watching.cancel()


@pytest.mark.parametrize("table", ["decision_log", "decision_checkpoints"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET {} = {}"])
async def test_the_database_itself_refuses_to_change_the_log(
    made: Decisions, table: str, change: str
) -> None:
    column = "head" if table == "decision_log" else "note"
    async with made.rt.db.one() as tx:
        with pytest.raises(RaiseError, match="append-only"):
            await tx.execute(change.format(table, column, column))


async def test_the_log_as_it_was_written_is_whole(made: Decisions) -> None:
    walk = await auditing.verify(made.rt, [])
    assert (walk.findings, walk.size, walk.vouched) == ([], ROWS, ROWS)


async def test_every_column_is_tried(made: Decisions) -> None:
    async with made.rt.db.one() as tx:
        rows = await tx.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'decision_log'"
        )
    assert {row["column_name"] for row in rows} == set(OTHERWISE)


@pytest.mark.parametrize("column", OTHERWISE)
async def test_a_change_of_any_column_of_any_row_is_found(made: Decisions, column: str) -> None:
    for index in range(ROWS):
        async with made.rt.db.tx() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            was = await tx.fetchval(f"SELECT {column} FROM decision_log WHERE index = $1", index)
            change = f"UPDATE decision_log SET {column} = {OTHERWISE[column]} WHERE index = $1"
            assert await tx.execute(change, index) == 1
        assert await findings(made.rt), f"{column} of entry {index}"
        async with made.rt.db.tx() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            at = index + 100 if column == "index" else index
            await tx.execute(f"UPDATE decision_log SET {column} = $2 WHERE index = $1", at, was)
    assert await findings(made.rt) == [], "put back as it was"


@pytest.mark.parametrize("statement", BESIDE)
async def test_what_is_changed_around_the_log_is_found(made: Decisions, statement: str) -> None:
    async with made.rt.db.tx() as tx:
        await tx.execute("SET LOCAL session_replication_role = replica")
        assert await tx.execute(statement)
    assert await findings(made.rt)


async def test_a_log_written_anew_is_found_by_a_checkpoint_that_was_kept_elsewhere(
    made: Decisions, rt: Runtime
) -> None:
    """By somebody who has the database: cut off behind the first entry, checkpoints and all."""
    async with rt.db.one() as tx:
        [kept] = [row["note"] for row in await log.checkpoints(tx)]
    async with rt.db.tx() as tx:
        await tx.execute("SET LOCAL session_replication_role = replica")
        gone = "(SELECT confirmation_id FROM decision_log WHERE index > 0)"
        for statement in (
            f"DELETE FROM receipts WHERE confirmation_id IN {gone}",
            f"UPDATE confirmations SET status = 'pending', outcome = NULL, decided_at = NULL WHERE id IN {gone}",
            "DELETE FROM decision_log WHERE index > 0",
            "DELETE FROM decision_checkpoints",
            "UPDATE decision_head SET size = 1, head = (SELECT head FROM decision_log)",
        ):
            await tx.execute(statement)
    assert await findings(rt) == []
    assert any("cut off" in what for what in await findings(rt, kept))


async def test_an_export_is_verified_like_the_table_and_holds_nothing_personal(
    made: Decisions, rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(await auditing.export(rt)) + "\n"
    for personal in ("15550001111", "wamid", "alice", "Alice", "John"):
        assert personal not in text
    said = Console(record=True, width=80, highlight=False)
    monkeypatch.setattr(command, "out", said)
    monkeypatch.setenv("SAYSO_RECEIPT_KEYS", str(keys.path_of(rt.settings)))
    file, note = tmp_path / "log.jsonl", tmp_path / "checkpoint"
    file.write_text(text)
    async with rt.db.one() as tx:
        note.write_text((await log.checkpoints(tx))[0]["note"])
    command.verify(file, [note], None, tmp_path / "none")
    shown = said.export_text()
    assert "✓ 3 decisions: the log is whole." in shown
    assert "Checkpoints vouch for 3 entries; 0 came after the last one." in shown
    forged = text.splitlines()
    del forged[3]
    file.write_text("\n".join(forged))
    with pytest.raises(typer.Exit) as ended:
        command.verify(file, [note], None, tmp_path / "none")
    assert ended.value.exit_code == 1
    assert "not as it was written" in said.export_text()


async def test_a_receipt_signed_before_a_rotation_stays_part_of_a_whole_log(
    rt: Runtime, tmp_path: Path, clock: Clock
) -> None:
    settings = rt.settings.model_copy(update={"sayso_receipt_keys": tmp_path / "keys.json"})
    made = Decisions(Runtime(settings, rt.db, now=clock))
    await made.confirmed()
    keys.rotate(settings, now=clock)
    clock.advance(minutes=6)
    await made.confirmed()
    async with rt.db.tx() as tx:
        await log.checkpoint(tx, made.rt)
    keys.rotate(settings, now=clock)
    assert (await auditing.verify(made.rt, [])).findings == []
