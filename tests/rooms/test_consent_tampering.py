"""``sayso consent verify`` finds whatever was changed in the ledger's table: every row, every column."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from harness.mail import Mail
from harness.rooms import Clock
from sayso.cli import consent as command
from sayso.consent import ledger, service
from sayso.consent.service import Said
from sayso.core.runtime import Runtime

ROWS = 4
#: What a column is changed to; whatever its type, another value than any it had.
OTHERWISE = {
    "seq": "seq + 100",
    "id": "'con_forged'",
    "client_id": "client_id || 'x'",
    "person_id": "(SELECT max(id) FROM people WHERE id <> person_id)",
    "action": "CASE action WHEN 'granted' THEN 'withdrawn' ELSE 'granted' END",
    "scope": "ARRAY['marketing']",
    "method": "'api'",
    "about": "'con_other'",
    "captured_at": "captured_at - interval '1 microsecond'",
    "received_at": "received_at - interval '1 microsecond'",
    "expires_at": "now()",
    "verified": "NOT verified",
    "personal": """jsonb_set(personal, '{wording}', '"forged"')""",
    "salt": "sha256(salt)",
    "personal_digest": "sha256(personal_digest)",
    "prev_hash": "sha256(prev_hash)",
    "person_prev_hash": "sha256(person_prev_hash)",
    "hash": "sha256(hash)",
}


#: The last entry once more, as the next one.
_COPIED = (
    "INSERT INTO consent_entries SELECT (e).* FROM (SELECT jsonb_populate_record(e, "
    """'{"seq": 5, "id": "con_5"}') AS e FROM consent_entries e WHERE seq = 4) f"""
)


@pytest.fixture
async def mail(rt: Runtime, clock: Clock) -> Mail:
    """Two people, and four entries of theirs."""
    made = Mail(rt)
    people = [await made.person(), await made.person("+15550002222")]
    for number in range(ROWS):
        action: Any = ("granted", "withdrawn")[number // 2]
        said = Said(
            person=people[number % 2],
            action=action,
            method="keyword",
            captured_at=clock.advance(seconds=1),
            personal={"wording": f"word {number}"},
        )
        async with rt.db.tx() as tx:
            await service.append(tx, rt, [said])
    return made


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Console:
    """What the command prints, kept."""
    console = Console(record=True, width=200, highlight=False)
    monkeypatch.setattr(command, "out", console)
    return console


async def findings(rt: Runtime) -> list[str]:
    """What the command says is wrong."""
    return [finding.what for finding in (await command.verify_database(rt)).findings]


async def test_every_column_is_tried(mail: Mail) -> None:
    async with mail.rt.db.one() as tx:
        rows = await tx.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'consent_entries'"
        )
    assert {row["column_name"] for row in rows} == set(OTHERWISE)


@pytest.mark.parametrize("column", OTHERWISE)
async def test_a_change_of_any_column_of_any_row_is_found(mail: Mail, column: str) -> None:
    rt = mail.rt
    assert await findings(rt) == []
    for seq in range(1, ROWS + 1):
        async with rt.db.tx() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            was = await tx.fetchval(
                f"SELECT {column} FROM consent_entries WHERE seq = $1",
                seq,
            )
            changed = await tx.execute(
                f"UPDATE consent_entries SET {column} = {OTHERWISE[column]} WHERE seq = $1", seq
            )
            assert changed == 1
        assert await findings(rt), f"{column} of entry {seq}"
        async with rt.db.tx() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            at = seq + 100 if column == "seq" else seq
            await tx.execute(f"UPDATE consent_entries SET {column} = $2 WHERE seq = $1", at, was)
        assert await findings(rt) == [], "put back as it was"


@pytest.mark.parametrize(
    "statement",
    [
        *(f"DELETE FROM consent_entries WHERE seq = {seq}" for seq in range(1, ROWS + 1)),
        "DELETE FROM consent_entries",
        "DELETE FROM consent_head",
        "UPDATE consent_head SET seq = 2, hash = (SELECT hash FROM consent_entries WHERE seq = 2)",
        "UPDATE consent_head SET seal = NULL",
        "UPDATE consent_entries SET seq = CASE seq WHEN 2 THEN 13 ELSE 12 END WHERE seq IN (2, 3)",
        _COPIED,
    ],
)
async def test_removing_moving_and_adding_are_found(mail: Mail, statement: str) -> None:
    async with mail.rt.db.tx() as tx:
        await tx.execute("SET LOCAL session_replication_role = replica")
        assert await tx.execute(statement)
    assert await findings(mail.rt)


async def test_an_end_cut_off_with_its_head_lacks_the_seal(mail: Mail) -> None:
    async with mail.rt.db.tx() as tx:
        await tx.execute("SET LOCAL session_replication_role = replica")
        await tx.execute("DELETE FROM consent_entries WHERE seq > 2")
        await tx.execute(
            "UPDATE consent_head SET seq = 2, hash = (SELECT hash FROM consent_entries WHERE seq = 2)"
        )
    [what] = await findings(mail.rt)
    assert "seal" in what


async def test_the_command_says_what_is_wrong_and_ends_with_one(
    mail: Mail, printed: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks = [await command.verify_database(mail.rt)]
    async with mail.rt.db.tx() as tx:
        await tx.execute("SET LOCAL session_replication_role = replica")
        await tx.execute("DELETE FROM consent_entries WHERE seq = 2")
    walks.append(await command.verify_database(mail.rt))
    monkeypatch.setattr(command, "with_runtime", lambda _env, _work: (walks.pop(0), True))
    command.verify()
    assert "4 entries. The chain is whole." in printed.export_text()
    with pytest.raises(typer.Exit) as ended:
        command.verify()
    assert ended.value.exit_code == 1
    said = printed.export_text()
    assert "entry 2 is missing before it" in said
    assert "not as it was written" in said


async def test_an_exported_file_is_verified_as_the_table_is(
    mail: Mail, tmp_path: Path, printed: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sayso.inbound.exporting import Wanted, export_file  # noqa: PLC0415 - beside its only use

    monkeypatch.setenv("SAYSO_CONSENT_KEY", ledger.key(mail.rt).decode())
    whole = "".join([piece async for piece in export_file(mail.rt, Wanted(), "json")])
    file = tmp_path / "consents.json"
    file.write_text(whole)
    command.verify(file, env_file=tmp_path / "none")
    assert "4 entries. The chain is whole." in printed.export_text()
    data = json.loads(whole)
    for number, entry in enumerate(data["entries"]):
        for name in entry:
            forged = json.loads(whole)
            forged["entries"][number][name] = _another(entry[name])
            file.write_text(json.dumps(forged))
            with pytest.raises(typer.Exit):
                command.verify(file, env_file=tmp_path / "none")
    person = (await mail.person()).ids
    part = "".join([piece async for piece in export_file(mail.rt, Wanted(person), "json")])
    file.write_text(part)
    command.verify(file, env_file=tmp_path / "none")
    assert "2 entries. The person's chain is whole." in printed.export_text()


async def test_a_file_with_entries_cut_out_of_it_is_found_by_its_seal(
    mail: Mail, tmp_path: Path, printed: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sayso.inbound.exporting import Wanted, export_file  # noqa: PLC0415 - beside its only use

    person, file = (await mail.person()).ids, tmp_path / "consents.json"
    some = Wanted(person, since=datetime(2020, 1, 1, tzinfo=UTC))
    forgeries: list[dict[str, Any]] = []
    for wanted in (Wanted(), Wanted(person), some):
        written = json.loads("".join([piece async for piece in export_file(mail.rt, wanted, "json")]))
        forgeries.append({**written, "entries": written["entries"][:-1]})
        forgeries.append({**written, "entries": written["entries"][:1], "extent": "some"})
        forgeries.append({**written, "entries": []} | {"extent": "person"})
        forgeries.append({**written, "seal": None})
    monkeypatch.setenv("SAYSO_CONSENT_KEY", ledger.key(mail.rt).decode())
    for forged in forgeries:
        file.write_text(json.dumps(forged))
        with pytest.raises(typer.Exit):
            command.verify(file, env_file=tmp_path / "none")
    monkeypatch.delenv("SAYSO_CONSENT_KEY")
    monkeypatch.setenv("SAYSO_DATA_DIR", str(tmp_path / "elsewhere"))
    file.write_text(json.dumps(forgeries[1]))
    command.verify(file, env_file=tmp_path / "none")
    assert "it is not proved that no entry was cut out of the file" in " ".join(
        printed.export_text().replace("│", " ").split()
    )


def _another(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 100
        case None:
            return "2027-01-01T00:00:00.000000Z"
        case list():
            return ["marketing"]
        case dict():
            return {**value, "wording": "forged"}
        case str() if value.endswith("Z"):
            return "2020-01-01T00:00:00.000000Z"
        case str() if len(value) in (32, 64):
            return "ab" * (len(value) // 2)
        case _:
            return f"{value}x"
