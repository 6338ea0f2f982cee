"""A snapshot in which anything is wrong is refused in words, and everything goes on as it was."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.faults.model import RefuseWithError
from sayso.simulator.world.snapshot import SnapshotError
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph

Raw = dict[str, Any]
NUMBER, WABA, PORTFOLIO = "100000000000001", "200000000000001", "400000000000001"


def number(raw: Raw) -> Raw:
    found: Raw = raw["world"]["accounts"]["numbers"][NUMBER]
    return found


def message(raw: Raw) -> Raw:
    found: Raw = raw["world"]["messages"][0]
    return found


def delivery(raw: Raw) -> Raw:
    found: Raw = raw["rooms"]["webhooks"]["deliveries"][0]
    return found


def fault(raw: Raw) -> Raw:
    found: Raw = raw["rooms"]["faults"]["faults"][0]
    return found


def accounts(raw: Raw) -> Raw:
    found: Raw = raw["world"]["accounts"]
    return found


DAMAGES: list[tuple[Callable[[Raw], object], str]] = [
    (lambda raw: raw["clock"].update(speed=-5), r"`float` >= 0.*\$\.clock\.speed"),
    (lambda raw: raw["clock"].update(now=1e13), r"`float` <= 4102444800.*\$\.clock\.now"),
    (lambda raw: raw["world"]["mint"][1].__setitem__(0, 2**80), "OverflowError"),
    (lambda raw: raw["world"]["traces"][1].pop(), "damaged: "),
    (lambda raw: accounts(raw).update(wabas={}), f"number {NUMBER} names the WABA '{WABA}', which is not"),
    (lambda raw: accounts(raw).update(portfolios={}), f"WABA {WABA} names the portfolio"),
    (lambda raw: accounts(raw).update(apps={}), f"WABA {WABA} names the app"),
    (lambda raw: accounts(raw)["tokens"]["sim-token"].update(app_id="x"), "a token names the app 'x'"),
    (lambda raw: number(raw).update(phone_number_id="7"), f"kept as '{NUMBER}' calls itself '7'"),
    (lambda raw: raw["world"]["people"].append(raw["world"]["people"][0]), "the person 15550001111 twice"),
    (lambda raw: raw["world"]["people"][0].update(wa_id="Ana"), "'Ana' is not the digits"),
    (lambda raw: raw["world"]["threads"][0].__setitem__(0, "7"), "a conversation names the number '7'"),
    (lambda raw: message(raw).update(phone_number_id="7"), "message wamid.* names the number '7'"),
    (lambda raw: message(raw).update(status="gone"), "has the status 'gone'"),
    (lambda raw: message(raw).update(next_step={"status": "x", "due": 1}), "has the status 'x'"),
    (lambda raw: message(raw).update(course="x"), "has the course 'x'"),
    (lambda raw: message(raw).update(status="failed", errors=[{"code": 1}]), "KeyError"),
    (lambda raw: raw["world"]["messages"].append(message(raw)), "the message wamid.* twice"),
    (lambda raw: raw["world"]["templates"][0].update(waba_id="7"), "names the WABA '7'"),
    (lambda raw: raw["world"]["media"][0].update(phone_number_id="7"), "names the number '7'"),
    (lambda raw: raw["world"]["media"][0].update(sha256="x"), "has the digest 'x'"),
    (lambda raw: raw["world"]["quotas"]["throughput"][NUMBER].update(oldest=9), "has no moment 9"),
    (lambda raw: delivery(raw).update(callback=["x", None]), "webhook 1 is for the app 'x'"),
    (lambda raw: delivery(raw).update(state="gone"), "ValidationError"),
    (lambda raw: delivery(raw).update(pause_s="long"), "ValidationError"),
    (lambda raw: delivery(raw).update(told=[]), "ValidationError"),
    (lambda raw: delivery(raw).update(body="Zoë"), "UnicodeEncodeError"),
    (lambda raw: raw["rooms"]["webhooks"].update(hold="no"), "ValidationError"),
    (lambda raw: fault(raw).update(seen="often"), "ValidationError"),
    (lambda raw: fault(raw)["fault"].update(kind="nope"), "ValidationError"),
    (lambda raw: raw["rooms"]["faults"].update(armed=[99]), "KeyError"),
]


@pytest.fixture
async def busy(frozen: Simulator) -> Simulator:
    """A simulator with something of everything, everything of it at rest."""
    await frozen.person(ANA).sends_image()
    frozen.arm(RefuseWithError(code=131016))
    await frozen.settled()
    return frozen


@pytest.mark.parametrize(("damage", "why"), DAMAGES)
async def test_a_damaged_snapshot_leaves_everything_as_it_was(
    busy: Simulator, damage: Callable[[Raw], object], why: str
) -> None:
    before = busy.snapshot()
    raw = json.loads(before)
    damage(raw)
    with pytest.raises(SnapshotError, match=why):
        await busy.restore(json.dumps(raw).encode())
    assert busy.snapshot() == before


async def test_what_waits_goes_on_behind_a_damaged_snapshot(sim: Simulator, graph: "Graph") -> None:
    """Timers, the log of calls and a conversation under way are not touched by what was only tried."""
    ana = sim.person(ANA)
    await ana.says("hello")
    sim.run_clock(0)
    wamid = (await graph.text("Shall I?")).wamid
    raw = json.loads(sim.snapshot())
    raw["world"]["mint"][1][0] = 2**80
    status, answer = await graph.control("POST", "/snapshot", raw)
    assert (status, "the snapshot is damaged" in answer["error"]) == (400, True)
    assert len(sim.exchanges()) == 1, "the log of calls is there"
    sim.run_clock(1)
    assert (await ana.hears("Shall I"))["wamid"] == wamid
    await sim.settled()


def unordered(told: Any) -> Any:
    """Put lists of words in one order: most are sets, which have none."""
    if isinstance(told, dict):
        return {key: unordered(each) for key, each in told.items()}
    if isinstance(told, list):
        words = all(isinstance(each, str) for each in told)
        return sorted(told) if words else [unordered(each) for each in told]
    return told


async def test_what_is_sound_is_put_back(busy: Simulator) -> None:
    before = busy.snapshot()
    await busy.person(ANA).says("more")
    await busy.restore(before)
    assert unordered(json.loads(busy.snapshot())) == unordered(json.loads(before))
