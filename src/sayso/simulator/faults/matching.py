"""Which calls and webhooks a fault concerns: route, number, WABA, person, template, token."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sayso.simulator.call import Call, Route, body_of
from sayso.simulator.errors import GraphError
from sayso.simulator.faults.model import EVERYWHERE, RECEIPTS, WEBHOOKS, Fault, WebhookFault
from sayso.simulator.world.numbers import dialled
from sayso.simulator.world.world import World


class Aim(NamedTuple):
    """What a fault is held against: one call, or one webhook to one app. "" stands for none."""

    on: str
    method: str = ""
    phone_number_id: str = ""
    waba_id: str = ""
    wa_id: str = ""
    template: str = ""
    token: str = ""
    field: str = ""
    status: str = ""
    app_id: str = ""


_ALIKE: tuple[tuple[Callable[[Fault], str | None], Callable[[Aim], str]], ...] = (
    (lambda fault: fault.method, lambda aim: aim.method),
    (lambda fault: fault.phone_number_id, lambda aim: aim.phone_number_id),
    (lambda fault: fault.waba_id, lambda aim: aim.waba_id),
    (lambda fault: fault.template, lambda aim: aim.template),
    (lambda fault: fault.token, lambda aim: aim.token),
)


def concerns(fault: Fault, aim: Aim, world: World) -> bool:
    """Tell whether a fault is meant for this."""
    anywhere = fault.on == EVERYWHERE and aim.on != WEBHOOKS
    if not (anywhere or fault.on == aim.on):
        return False
    if any(wanted(fault) not in (None, there(aim)) for wanted, there in _ALIKE):
        return False
    if aim.on == WEBHOOKS and not concerns_webhook(fault, aim):
        return False
    return fault.to is None or wa_id_of(fault.to, world) == aim.wa_id


def concerns_webhook(fault: Fault, aim: Aim) -> bool:
    """Tell whether the part of a fault that is about webhooks is meant for this one."""
    return isinstance(fault, WebhookFault) and all(
        wanted in (None, there)
        for wanted, there in (
            (fault.field, aim.field),
            (fault.status, aim.status),
            (fault.app_id, aim.app_id),
        )
    )


def wa_id_of(to: str, world: World, business_digits: str | None = None) -> str:
    """Tell whose phone, in either spelling, or BSUID this is (2.1); "" for nobody's."""
    found = world.person_by_user_id(to)
    if found is not None:
        return found.wa_id
    try:
        return world.reached(dialled(to, business_digits or world.number.digits))
    except GraphError:
        return ""


async def aim_of(route: Route, call: Call, world: World) -> Aim:
    """Tell what a call is about. A JSON body is read, any other is left for whoever takes the call."""
    body = await _body(call)
    receipt = route.name == "messages" and body.get("status") is not None
    number = world.accounts.numbers.get(call.node)
    return Aim(
        on=RECEIPTS if receipt else route.name,
        method=route.method,
        phone_number_id=call.node if number else "",
        waba_id=_waba(call.node, world),
        wa_id=_person(body, world, number.digits if number else None),
        template=_template(call, body, world),
        token=call.token.value,
    )


def _waba(node: str, world: World) -> str:
    """Tell the WABA a node is, or belongs to; "" for none."""
    homes = (world.accounts.numbers, world.templates)
    found = next((home[node].waba_id for home in homes if node in home), None)
    return found or (node if node in world.accounts.wabas else "")


def _template(call: Call, body: dict[str, Any], world: World) -> str:
    """Tell the name of the template a call sends, makes, lists or changes."""
    sent, node = body.get("template"), world.templates.get(call.node)
    if isinstance(sent, dict):
        return str(sent.get("name", ""))
    return node.name if node else str(body.get("name") or call.request.query.get("name") or "")


def _person(body: dict[str, Any], world: World, digits: str | None) -> str:
    if body.get("message_id") is not None:  # a read receipt: whose message is read
        message = world.messages.get(str(body["message_id"]))
        return "" if message is None else message.wa_id
    to = body.get("to") or body.get("recipient")
    return "" if to is None else wa_id_of(str(to), world, digits)


async def _body(call: Call) -> dict[str, Any]:
    if call.request.content_type != "application/json":
        return {}
    try:
        return await body_of(call.request)
    except GraphError:
        return {}
