"""``sayso people``: an operator looks, exports, takes apart and forgets, beside a running service."""

import asyncio
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from harness.service import CONSENT_KEY
from harness.world import ALICE, World
from sayso.cli.main import app


async def sayso(world: World, tmp_path: Path, *words: str, answers: str = "", expect: int = 0) -> str:
    """Run a command as somebody at a terminal does; what it printed."""
    env_file = tmp_path / "env"
    env_file.write_text(
        f"DATABASE_URL={world.dsn}\nWHATSAPP_ACCESS_TOKEN=sim-token\nWHATSAPP_PHONE_NUMBER_ID=100000000000001\n"
        "WHATSAPP_BUSINESS_ACCOUNT_ID=200000000000001\nWHATSAPP_VERIFY_TOKEN=sim-verify\n"
        f"WHATSAPP_WEBHOOK_SECRET=sim-secret\nSAYSO_DATA_DIR={world.data_dir}\nSAYSO_CONSENT_KEY={CONSENT_KEY}\n"
    )
    words = (*words, "--env-file", str(env_file))
    done = await asyncio.to_thread(lambda: CliRunner().invoke(app, ["people", *words], input=answers))
    assert done.exit_code == expect, (done.output, done.exception)
    return done.output


async def told(world: World, tmp_path: Path, *words: str) -> Any:
    return json.loads(await sayso(world, tmp_path, *words))


async def test_an_operator_looks_takes_apart_and_forgets(world: World, tmp_path: Path) -> None:
    zoe = world.sim.person("+15550007777", "Zoe")
    await zoe.adopts_username("zoe.q")
    await world.digested(await zoe.says("hello"))
    await world.api.link(zoe.phone, name="Zoe")
    await zoe.changes(phone_hidden=False)
    await world.digested(await zoe.says("this is my number"))
    for who in (("alice", "--client", "assistant"), ("alice",), (zoe.phone,), (zoe.user_id,)):
        shown = await told(world, tmp_path, "show", *who)
        assert (shown["sends_go_to"], len(shown["records"])) == (zoe.phone, 2)
        assert {each["kind"] for each in shown["identifiers"]} == {"bsuid", "wa_id", "phone"}
        assert [each["external_id"] for each in shown["users"]] == ["alice"]
    assert (await told(world, tmp_path, "show", shown["id"]))["id"] == shown["id"]
    assert "this is my number" in str((await told(world, tmp_path, "export", zoe.phone))["updates"])
    [merge] = await told(world, tmp_path, "merges", zoe.user_id)
    assert "two persons again" in await sayso(world, tmp_path, "undo", merge["id"], "--because", "a mistake")
    assert len((await told(world, tmp_path, "show", zoe.user_id))["records"]) == 1
    [undone] = await told(world, tmp_path, "merges", zoe.user_id)
    assert undone["undone_because"] == "a mistake"
    await sayso(world, tmp_path, "undo", merge["id"], "--because", "again", expect=1)
    await sayso(world, tmp_path, "erase", zoe.user_id, answers="n\n", expect=1)
    assert "forgotten" in await sayso(world, tmp_path, "erase", zoe.user_id, answers="y\n")
    assert await world.rows("SELECT 1 FROM people_identifiers WHERE kind = 'bsuid'") == []
    await sayso(world, tmp_path, "show", zoe.user_id, expect=1)


async def test_whoever_left_stays_out_on_both_sides_when_taken_apart(world: World, tmp_path: Path) -> None:
    """Nobody can tell for which of the two the stop was meant."""
    zoe = world.sim.person("+15550007777", "Zoe")
    await zoe.adopts_username("zoe.q")
    await world.digested(await zoe.says("hello"))
    await world.api.link(zoe.phone)
    await zoe.changes(phone_hidden=False)
    assert "opt-out" in await world.digested(await zoe.says("STOP"))
    [merge] = await told(world, tmp_path, "merges", zoe.phone)
    await sayso(world, tmp_path, "undo", merge["id"], "--because", "two people share a phone")
    for recipient in (zoe.phone, zoe.user_id):
        status, body = await world.api.call("POST", "/send", json={"recipient": recipient, "content": "x"})
        assert (status, body["code"]) == (403, "opted_out")
    await world.keeps_its_promises()


async def test_nobody_is_found_who_is_not_known(world: World, tmp_path: Path) -> None:
    for who in ((ALICE,), ("US.NOBODY",), ("per_nobody",), ("alice",), ("alice", "--client", "assistant")):
        await sayso(world, tmp_path, "show", *who, expect=1)
    assert "Forget" not in await sayso(world, tmp_path, "erase", ALICE, expect=1)
    assert await world.rows("SELECT 1 FROM people") == []


async def test_a_user_whom_several_assistants_have_is_nobody_before_it_is_said_whose(
    world: World, tmp_path: Path
) -> None:
    await world.api.link(ALICE)
    await world.api.as_(client="other").link("+15550007777")
    await sayso(world, tmp_path, "show", "alice", expect=1)
    for client, number in (("assistant", ALICE), ("other", "+15550007777")):
        assert (await told(world, tmp_path, "show", "alice", "--client", client))["sends_go_to"] == number


async def test_who_looks_is_not_shown_what_the_log_calls_it(world: World, tmp_path: Path, capfd: Any) -> None:
    """Taking two persons apart is worth a line in the service's log, and a sentence at the terminal."""
    zoe = world.sim.person("+15550007777", "Zoe")
    await zoe.adopts_username("zoe.q")
    await world.digested(await zoe.says("hello"))
    await world.api.link(zoe.phone)
    await zoe.changes(phone_hidden=False)
    await world.digested(await zoe.says("this is my number"))
    [merge] = await told(world, tmp_path, "merges", zoe.phone)
    capfd.readouterr()
    done = await sayso(world, tmp_path, "undo", merge["id"], "--because", "a mistake")
    assert "taken_apart" not in done + "".join(capfd.readouterr())
