"""Our numbers for whoever operates the service: what each may send, how fast it goes now, what holds it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from sayso.core.api import Rt, json_response
from sayso.core.auth import MayOperate
from sayso.core.described import refusals
from sayso.core.errors import NotFoundError
from sayso.senders import budget, proving, service
from sayso.senders.service import Sender

router = APIRouter(tags=["operate"])

SenderId = Annotated[str, Path(max_length=32, description="The phone number id.")]


@router.get("/senders", responses=refusals())
async def senders(rt: Rt, _actor: MayOperate) -> Response:
    """Every number that sends: Meta's word on it, its rate, its limit and the room left in it, its holds."""
    async with rt.db.one() as tx:
        found = await service.listed(tx)
        calls = await budget.standing(tx, rt, rt.settings.whatsapp_business_account_id)
    return json_response({"senders": [as_json(each, rt.now()) for each in found], "management_calls": calls})


@router.post("/senders/{sender}/release", responses=refusals(NotFoundError))
async def release(rt: Rt, _actor: MayOperate, sender: SenderId) -> Response:
    """End a number's hold by hand, when its cause is known to be over. An open circuit is not closed: it is checked."""
    async with rt.db.tx() as tx:
        await service.release(tx, rt, sender)
        await proving.check_now(tx, rt)
        found = await service.get(tx, sender)
    if found is None:
        raise NotFoundError(f"No sender {sender!r}; GET /senders lists them.")
    return json_response(as_json(found, rt.now()))


def as_json(sender: Sender, now: datetime) -> dict[str, Any]:
    """A sender as the API shows it."""
    held = sender.held(now)
    limit = sender.tier_limit
    return {
        "id": sender.id,
        "waba_id": sender.waba_id,
        "portfolio_id": sender.portfolio_id,
        "display_number": sender.display_number,
        "verified_name": sender.verified_name,
        "state": "held" if held else "sending",
        "held": None if held is None else _hold(sender, held),
        "quality": sender.quality,
        "status": sender.status,
        "can_send": sender.can_send,
        "obstacles": list(sender.obstacles),
        "rate": {
            "throughput": sender.throughput,
            "limit_per_s": sender.rate_limit,
            "now_per_s": round(sender.rate, 2),
            "used_percent": sender.used(now),
        },
        "people": {
            "tier": sender.tier,
            "limit": limit,
            "reached_24h": sender.reached,
            "headroom": None if limit is None else max(0, limit - sender.reached),
        },
        "check": {"at": sender.checked_at, "failed": sender.check_failed, "failures": sender.checks_failed},
    }


def _hold(sender: Sender, why: str) -> dict[str, Any]:
    """What keeps it from sending: the refused credentials before anything else, since they have no end of their own."""
    if sender.circuit == "open":
        ends = {"by": "circuit", "code": sender.circuit_code, "since": sender.circuit_since, "until": None}
    else:
        ends = {"by": "hold", "code": sender.hold_code, "since": sender.hold_from, "until": sender.hold_until}
    return {"why": why, **ends, "times_in_a_row": sender.hold_times}
