"""A snapshot: the whole state to one document and back, and the run goes on as if nothing had been."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import RefuseWithError
from sayso.simulator.world.snapshot import SnapshotError, decoded
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

START = 1_795_000_000.0  # every run begins at this moment, and time stands still
Bytes = list[bytes]


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, seed=7, verify_at_start=False)


@dataclasses.dataclass
class Run:
    """A business and its people at work: what it was answered, byte for byte."""

    sim: Simulator
    session: aiohttp.ClientSession
    answers: list[bytes] = dataclasses.field(default_factory=list)
    wamids: dict[str, str] = dataclasses.field(default_factory=dict)

    async def send(self, name: str, **message: Any) -> None:
        """Send something to Ana unless told otherwise."""
        body = {"messaging_product": "whatsapp", "to": ANA, **message}
        answer = await self._post("100000000000001/messages", body)
        if "messages" in answer:
            self.wamids[name] = answer["messages"][0]["id"]

    async def submit_template(self) -> None:
        """Submit a template, whose review is then under way."""
        components = [{"type": "BODY", "text": "Your export is ready."}]
        template = {"name": "ready", "language": "en", "category": "UTILITY", "components": components}
        assert "id" in await self._post("200000000000001/message_templates", template)

    async def quiet(self) -> None:
        """Wait until no webhook is on its way."""
        assert await self.sim.live.until(lambda: not self.sim.state()["webhooks"]["pending"] or None, 10)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": "Bearer sim-token"}
        url = f"{self.sim.base_url}/v25.0/{path}"
        async with self.session.post(url, json=body, headers=headers) as answer:
            self.answers.append(await answer.read())
        found: dict[str, Any] = json.loads(self.answers[-1])
        return found


async def first_half(run: Run) -> None:
    """Leave as much as can be under way: statuses, a fault, held webhooks, a phone that is off, a template."""
    sim = run.sim
    sim.clock.start_at(START, 0)
    ana, ben = sim.person(ANA), sim.person(BEN)
    await ana.says("hello")
    await ben.says("hello")
    await ben.turns_phone_off()
    await run.send("text", type="text", text={"body": "Shall I?"}, biz_opaque_callback_data="m:1")
    await run.send("off", to=BEN, type="text", text={"body": "Are you there?"})
    await run.submit_template()
    sim.advance(0.05)
    sim.arm(RefuseWithError(code=131016, next=2))
    await run.send("struck", type="text", text={"body": "x"})
    await run.quiet()
    sim.hold_webhooks(on=True)
    sim.advance(0.12)
    await ana.sends_image(caption="Look")
    await ana.adopts_username("anaq")
    await ana.changes_user_id()
    await run.quiet()


async def second_half(run: Run) -> None:
    """Go on from there."""
    sim = run.sim
    ana, ben = sim.person(ANA), sim.person(BEN)
    assert sim.hold_webhooks(on=False) >= 1, "held webhooks are there"
    await run.send("struck again", type="text", text={"body": "x"})
    await run.send("through", type="text", text={"body": "x"})
    sim.advance(3600)
    await ana.reacts(run.wamids["text"], "👍")
    await ben.turns_phone_on()
    sim.advance(3600)
    await ana.changes_number("+15550007777")
    sim.advance(23 * 3600)
    await run.send("closed", to=BEN, type="text", text={"body": "too late"})
    sim.advance(60)
    await run.quiet()


async def whole_run(config: SimulatorConfig, receiver: "Receiver", *, resumed: bool) -> tuple[Bytes, Bytes]:
    """Run the script, if ``resumed`` through a snapshot into another simulator; return all answers and webhooks.

    Webhooks go in parallel, so they are compared in the order of their bytes; the port, which tells in URLs of
    media, is left out.
    """
    receiver.hooks.clear()
    ports = []
    async with aiohttp.ClientSession() as session:
        async with Simulator(config) as sim:
            run = Run(sim, session)
            ports.append(sim.base_url.rpartition(":")[2].encode())
            await first_half(run)
            document = sim.snapshot()
            if not resumed:
                await second_half(run)
        if resumed:
            async with Simulator(config) as sim:
                ports.append(sim.base_url.rpartition(":")[2].encode())
                await sim.restore(document)
                run.sim = sim
                await second_half(run)
    webhooks = [hook.raw for hook in receiver.hooks]
    for port in ports:
        webhooks = [raw.replace(port, b"PORT") for raw in webhooks]
    return run.answers, sorted(webhooks)


async def test_a_run_goes_on_from_a_snapshot(config: SimulatorConfig, receiver: "Receiver") -> None:
    answers, webhooks = await whole_run(config, receiver, resumed=False)
    assert sum(b'"error"' in raw for raw in answers) == 2, "the fault struck twice, once in each half"
    assert any(b"message_template_status_update" in raw for raw in webhooks)
    assert len(webhooks) > 15
    assert await whole_run(config, receiver, resumed=True) == (answers, webhooks)


async def test_the_same_script_gives_the_same_bytes(config: SimulatorConfig, receiver: "Receiver") -> None:
    first = await whole_run(config, receiver, resumed=False)
    assert await whole_run(config, receiver, resumed=False) == first
    other = await whole_run(dataclasses.replace(config, seed=8), receiver, resumed=False)
    assert other[0] != first[0], "another seed, other ids"


async def test_a_webhook_under_way_is_tried_again(config: SimulatorConfig, receiver: "Receiver") -> None:
    receiver.script = [500]
    async with Simulator(config) as sim:
        sim.run_clock(0)
        await sim.person(ANA).says("hello")
        await receiver.until(lambda hooks: len(hooks) == 1)
        await sim.live.until(lambda: sim.webhooks()[0]["next_attempt_at"], 10)
        document = sim.snapshot()
    async with Simulator(config) as sim:
        await sim.restore(document)
        assert sim.webhooks()[0]["attempt_count"] == 1
        sim.advance(1)
        first, second = await receiver.until(lambda hooks: len(hooks) == 2)
        await sim.settled()
        assert (first.raw, first.signature) == (second.raw, second.signature)
        assert sim.messages() == []
        (bubble,) = sim.bubbles(5)
        assert bubble["status"] == "delivered", "two ticks once it was taken"


@pytest.mark.parametrize("speed", [0.0, 60.0])
async def test_the_clock_goes_on_as_it_ran(config: SimulatorConfig, speed: float) -> None:
    async with Simulator(config) as sim:
        sim.advance(86_400)
        sim.run_clock(speed)
        document, now = sim.snapshot(), sim.clock.now()
        await sim.reset()
        assert sim.clock.speed == 1
        await sim.restore(document)
        assert sim.clock.speed == speed
        assert sim.clock.now() == now if speed == 0 else sim.clock.now() >= now - 60


async def test_over_http_and_a_document_twice_the_same(sim: Simulator, graph: "Graph") -> None:
    sim.run_clock(0)
    await sim.person("+15550009999", "Rosa").says("hello")
    await sim.settled()
    status, document = await graph.control("GET", "/snapshot")
    assert (status, document["format"], document["version"]) == (200, "sayso-simulator-snapshot", 1)
    await sim.reset()
    assert (await graph.control("POST", "/snapshot", document))[1]["restored"] is True
    assert [each["name"] for each in sim.state()["people"]][-1] == "Rosa"
    assert json.loads(sim.snapshot())["world"]["messages"] == document["world"]["messages"]
    status, answer = await graph.control("POST", "/snapshot")
    assert (status, "--snapshot FILE" in answer["error"]) == (400, True)


def damaged(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def apply(document: bytes) -> bytes:
        raw = json.loads(document)
        change(raw)
        return json.dumps(raw).encode()

    return apply


NO_SNAPSHOTS: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda _: b"Dear Ana", "not a snapshot"),
    (lambda _: b"[]", "not a snapshot"),
    (lambda _: b'{"a": 1}', "not a snapshot"),
    (damaged(lambda raw: raw.update(version=2)), "version 1; the document is"),
    (damaged(lambda raw: raw["world"].pop("people")), r"damaged: .*`people`"),
    (
        damaged(lambda raw: raw["world"]["unread"].append("wamid.x")),
        "names the message 'wamid.x', which is not there",
    ),
    (damaged(lambda raw: raw["world"]["accounts"].update(numbers={})), "no business number"),
    (damaged(lambda raw: raw["rooms"]["webhooks"].pop("deliveries")), "damaged: KeyError"),
    (damaged(lambda raw: raw["rooms"].update(faults=None)), "damaged: TypeError"),
    (damaged(lambda raw: raw["clock"].update(now="soon")), r"damaged: .*\$\.clock\.now"),
]


@pytest.mark.parametrize(("change", "why"), NO_SNAPSHOTS)
async def test_what_is_no_snapshot_changes_nothing(
    sim: Simulator, change: Callable[[bytes], bytes], why: str
) -> None:
    await sim.person(ANA).says("hello")
    with pytest.raises(SnapshotError, match=why):
        await sim.restore(change(sim.snapshot()))
    await sim.settled()
    assert sim.state()["messages"] == 1
    assert [each["state"] for each in sim.webhooks()] == ["delivered"]


async def test_a_file_that_is_damaged_leaves_nobody_listening(
    config: SimulatorConfig, tmp_path: Path
) -> None:
    file = tmp_path / "world.json"
    kept = dataclasses.replace(config, snapshot=str(file))
    async with Simulator(kept) as sim:
        await sim.person(ANA).says("hello")
    sound = file.read_bytes()
    file.write_bytes(damaged(lambda raw: raw["rooms"].update(faults=None))(sound))
    again = Simulator(kept)
    with pytest.raises(SnapshotError, match="damaged"):
        await again.start()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(again.base_url)
    file.write_bytes(sound)
    async with again:
        assert again.state()["messages"] == 1


async def test_a_file_is_written_whole_or_not_at_all(
    config: SimulatorConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "world.json"
    kept = dataclasses.replace(config, snapshot=str(file))
    async with Simulator(kept) as sim:
        await sim.person(ANA).says("hello")
        assert sim.save_snapshot() == file
        before = file.read_bytes()
        await sim.person(ANA).says("again")
        with monkeypatch.context() as full:

            def no_room(_: int) -> None:
                raise OSError(28, "No space left on device")

            full.setattr("os.fsync", no_room)
            with pytest.raises(OSError, match="No space"):
                sim.save_snapshot()
        assert file.read_bytes() == before
        assert os.listdir(tmp_path) == [file.name], "no half of one is left"  # noqa: PTH208  # not worth a thread
    async with Simulator(kept) as sim:
        assert sim.state()["messages"] == 2


async def test_what_comes_back_is_what_was_there(config: SimulatorConfig, receiver: "Receiver") -> None:
    """To the last field of every account, message, quota, template, file and webhook."""
    async with aiohttp.ClientSession() as session, Simulator(config) as sim:
        await first_half(Run(sim, session))
        before = sim.snapshot()
    async with Simulator(config) as sim:
        await sim.restore(before)
        after = sim.snapshot()
    first, second = (msgspec.to_builtins(decoded(each), order="sorted") for each in (before, after))
    assert first["world"]["accounts"]["management_calls"], "calls were counted"
    assert first == second


async def test_everything_of_the_world_is_in_it(config: SimulatorConfig) -> None:
    """Whatever is added to the world later must be added to the snapshot, too."""
    async with Simulator(config) as sim:
        held = {name for name in vars(sim.world) if not name.startswith("_")}
        saved = set(msgspec.json.decode(sim.snapshot())["world"])
        elsewhere = {
            "config",
            "clock",
            "beyond",
        }  # the clock has a place of its own, what is beyond is a message
        assert held - saved == elsewhere
        assert saved <= held


async def test_a_snapshot_that_cannot_be_written_is_said_and_the_end_is_an_end(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    sim = Simulator(SimulatorConfig(port=0, snapshot=str(folder / "world.json")))
    await sim.start()
    folder.rmdir()
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{sim.base_url}/_sim/snapshot") as answer:
            assert answer.status == 400
            assert (await answer.json())["error"] == (
                f"the snapshot cannot be written to {folder / 'world.json'}: No such file or directory"
            )
        with pytest.raises(FileNotFoundError):
            await sim.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{sim.base_url}/_sim/state")
