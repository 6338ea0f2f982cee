"""The simulator in Python as newcomers write it: what they may leave out, and what they are told when it is wrong."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator.faults.model import RefuseWithError
from sayso.simulator.strict import ControlError
from simulator.test_faults import MISTYPED

if TYPE_CHECKING:
    from sayso.simulator import Simulator
    from simulator.conftest import Graph

FAULT = {"kind": "error", "code": 131026}


@pytest.mark.parametrize("way", ["class", "dictionary", "arguments", "both"])
async def test_a_fault_is_armed_in_any_of_these_ways(sim: "Simulator", graph: "Graph", way: str) -> None:
    match way:
        case "class":
            number = sim.arm(RefuseWithError(code=131026))
        case "dictionary":
            number = sim.arm(FAULT)
        case "arguments":
            number = sim.arm(**FAULT)
        case _:
            number = sim.arm({"kind": "error"}, code=131026)
    assert [(each["id"], each["kind"], each["code"]) for each in sim.faults()["armed"]] == [
        (number, "error", 131026)
    ]
    assert (await graph.text()).code == 131026


@pytest.mark.parametrize(("body", "named"), [each for each in MISTYPED if "hold_webhooks" not in each[0]])
def test_a_mistyped_fault_is_named_as_by_the_control_api(
    sim: "Simulator", body: dict[str, Any], named: tuple[str, ...]
) -> None:
    for positional, keys in (((body,), {}), ((), body)):
        with pytest.raises(ControlError) as refused:
            sim.arm(*positional, **keys)
        assert all(each in str(refused.value) for each in named), str(refused.value)
    assert sim.faults()["armed"] == []


def test_a_made_fault_takes_no_further_keys(sim: "Simulator") -> None:
    with pytest.raises(ControlError, match="no further keys: next"):
        sim.arm(RefuseWithError(code=1), next=2)
    with pytest.raises(ControlError, match="`on` cannot be 'message'; did you mean `messages`"):
        sim.arm(RefuseWithError(code=1, on="message"))
