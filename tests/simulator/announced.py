"""Webhooks about accounts as a receiver got them, checked in their envelope (cloud-api.md 4.4, 4.11)."""

from typing import TYPE_CHECKING, Any

from sayso.simulator import Simulator

if TYPE_CHECKING:
    from simulator.conftest import Receiver

WABA = "200000000000001"


async def announced(sim: Simulator, receiver: "Receiver", waba_id: str = WABA) -> list[tuple[str, Any]]:
    """List field and value of every webhook that is not of the field ``messages``, in the order of the log."""
    await sim.settled()
    told = []
    for hook in receiver.hooks:
        (entry,) = hook.payload["entry"]
        (change,) = entry["changes"]
        if change["field"] == "messages":
            continue
        assert set(entry) == {"id", "time", "changes"}
        assert entry["id"] == waba_id
        assert isinstance(entry["time"], int)
        told.append((change["field"], change["value"]))
    return told
