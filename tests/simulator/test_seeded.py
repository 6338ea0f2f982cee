"""With a seed everything left to chance is the same in every run: dice of faults, noise, another order, ids."""

import dataclasses
from typing import TYPE_CHECKING

import aiohttp
import msgspec
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.armed import Armed
from sayso.simulator.faults.model import DropBefore, Fault, Garbage, RefuseWithError, WebhookReorder
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Receiver

START = 1_795_000_000.0


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, seed=5, verify_at_start=False)


async def script(sim: Simulator, receiver: "Receiver", *, tries: int = 0) -> list[bytes]:
    """Meet every fault that has dice, none of them with a seed of its own; return every byte, in its order."""
    receiver.hooks.clear()
    sim.clock.start_at(START, 0)
    for _ in range(tries):
        await sim.parts.deliverer.verify("http://127.0.0.1:1/hook", "token")
    sim.arm(WebhookReorder(next=6))
    for place in range(6):
        await sim.inbound(ANA, text=f"{place}")
    await sim.settled()
    sim.arm(RefuseWithError(code=131016, probability=0.5))
    sim.arm(Garbage(after=8))
    async with aiohttp.ClientSession() as session:
        answers = [await _send(sim, session) for _ in range(30)]
    return [*(hook.raw for hook in receiver.hooks), *answers]


async def _send(sim: Simulator, session: aiohttp.ClientSession) -> bytes:
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "hello"}}
    headers = {"Authorization": "Bearer sim-token"}
    url = f"{sim.base_url}/v25.0/100000000000001/messages"
    async with session.post(url, json=body, headers=headers) as answer:
        return await answer.read()


async def test_all_that_is_left_to_chance_follows_from_the_seed(
    config: SimulatorConfig, receiver: "Receiver"
) -> None:
    runs = []
    for seed in (5, 5, 6):
        async with Simulator(dataclasses.replace(config, seed=seed)) as sim:
            runs.append(await script(sim, receiver))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert len([raw for raw in runs[0] if raw[:1] == b"\0"]) == 1, "the noise is among the answers"


async def test_handshakes_draw_nothing_from_the_ids(config: SimulatorConfig, receiver: "Receiver") -> None:
    runs = []
    for tries in (0, 3):
        async with Simulator(config) as sim:
            runs.append(await script(sim, receiver, tries=tries))
    assert runs[0] == runs[1]


async def test_a_reset_begins_anew(sim: Simulator, receiver: "Receiver") -> None:
    first = await script(sim, receiver)
    await sim.reset()
    assert await script(sim, receiver) == first


@pytest.mark.parametrize("fault", [DropBefore(probability=0.5), DropBefore(probability=0.5, seed=1)])
def test_two_faults_alike_have_dice_of_their_own_unless_seeded_alike(fault: Fault) -> None:
    one, other = (Armed(number, fault, 7) for number in (1, 2))
    alike = [one.strikes() for _ in range(50)] == [other.strikes() for _ in range(50)]
    assert alike is (fault.seed is not None)
    again = Armed.restored(msgspec.json.decode(msgspec.json.encode(one.saved())), 7)
    assert again.seed == one.seed
