"""``sayso consent`` beside a running service: the ledger is verified and added to with the installation's own key."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.service import CONSENT_KEY
from harness.world import ALICE, World
from sayso.cli.main import app
from sayso.core.errors import SettingError
from sayso.inbound import leaving


async def sayso(world: World, tmp_path: Path, *words: str, key: str = CONSENT_KEY) -> str:
    """Run ``sayso consent …`` with this key, or none; what it printed. Raises what it raised."""
    env_file = tmp_path / "env"
    env_file.write_text(
        f"DATABASE_URL={world.dsn}\nSAYSO_DATA_DIR={tmp_path / 'data'}\nSAYSO_CONSENT_KEY={key}\n"
    )
    words = ("consent", *words, "--env-file", str(env_file))
    done = await asyncio.to_thread(lambda: CliRunner(env={"COLUMNS": "80"}).invoke(app, words))
    if isinstance(done.exception, Exception):
        raise done.exception
    return done.output


async def test_without_the_key_nothing_is_written_and_what_is_not_proved_is_said(
    world: World, tmp_path: Path
) -> None:
    opt_in = ("grant", ALICE, "--wording", "Yes.", "--evidence", "form 7")
    with pytest.raises(SettingError, match="The key of the consent ledger is not here"):
        await sayso(world, tmp_path, *opt_in, key="")
    assert await world.rows("SELECT 1 FROM consent_entries") == []
    assert "Opted in: +15550001111" in await sayso(world, tmp_path, *opt_in)
    told = await sayso(world, tmp_path, "verify")
    assert "✓ verified" in told
    assert "1 entry. The chain is whole." in told
    told = await sayso(world, tmp_path, "verify", key="")
    assert "✓" not in told
    assert "verified, but for the seal" in told
    assert "The key that seals is not here" in told
    exported = tmp_path / "consents.json"
    await sayso(world, tmp_path, "export", "-o", str(exported))
    assert "✓ verified" in await sayso(world, tmp_path, "verify", "--file", str(exported))
    assert "but for the seal" in await sayso(world, tmp_path, "verify", "--file", str(exported), key="")
    assert "does not bear" in await sayso(world, tmp_path, "verify", key="another-key-of-at-least-32-bytes-!")
    assert not (tmp_path / "data").exists()


async def test_a_policy_is_switched_with_its_reason_and_shown(world: World, tmp_path: Path) -> None:
    await world.needs_opt_ins()
    switch = ("policy", "notifications", "--no-opt-in", "--reason", "part of the contract")
    await sayso(world, tmp_path, *switch)
    shown = await sayso(world, tmp_path, "policy", "notifications")
    assert "not needed" in shown
    assert "marketing" not in shown
    assert re.search(r"\d{4}-\d\d-\d\d", shown)
    assert (await sayso(world, tmp_path, "policy")).count("not needed") == 1


async def test_what_is_taken_back_by_an_opt_out_is_counted(world: World, tmp_path: Path) -> None:
    await world.open_window()
    later = (world.rt.now() + timedelta(hours=1)).isoformat()
    body = {"recipient": ALICE, "content": "see you soon", "send_at": later}
    status, said = await world.api.call("POST", "/send", json=body)
    assert status == 202, said
    told = await sayso(world, tmp_path, "revoke", ALICE, "--reason", "a call")
    assert "1 message taken back, 0 open questions closed" in " ".join(told.split())


async def test_an_opt_out_is_done_when_nothing_is_on_its_way_or_says_that_something_is(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.open_window()
    held = world.wire.hold("before", containing="slow line")
    await world.api.call("POST", "/send", json={"recipient": ALICE, "content": "slow line"})
    await held.arrived()
    revoke = ("revoke", ALICE, "--reason", "a call")
    monkeypatch.setattr(leaving, "QUIET_WITHIN_S", 0)
    assert "1 message may still be on the way" in " ".join((await sayso(world, tmp_path, *revoke)).split())
    monkeypatch.undo()
    waiting = asyncio.create_task(sayso(world, tmp_path, *revoke))
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done, "it said so while a message was under way"
    held.release()
    assert "was out already" in await waiting
    assert "may still" not in await waiting
    await world.keeps_its_promises()


async def test_who_waits_for_a_decision_is_woken_by_a_command_that_brings_it_about(
    world: World, tmp_path: Path
) -> None:
    await world.open_window()
    asked, _ = await world.asked()
    with world.rt.wakes.waiting(asked["id"]) as bell:
        told = await sayso(world, tmp_path, "revoke", ALICE, "--reason", "a call")
        assert "1 open question closed" in " ".join(told.split())
        async with asyncio.timeout(20):
            await bell.wait()
