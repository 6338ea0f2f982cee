"""``health_status`` of numbers, WABAs and templates, composed of their real state (cloud-api.md 8.3)."""

from typing import Any, Literal

from sayso.simulator.error_codes import row_of
from sayso.simulator.world.accounts import App, BusinessNumber, Portfolio, Restriction, Waba
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

Can = Literal["AVAILABLE", "LIMITED", "BLOCKED"]
_WORSE: tuple[Can, ...] = ("AVAILABLE", "LIMITED", "BLOCKED")
_PAYMENT = 131042  # told as 141006 in a health status
_SOLUTION = "See the error codes of the WhatsApp Business Platform."
_CANNOT_SEND = ("BANNED", "DELETED", "DISCONNECTED", "MIGRATED", "RESTRICTED", "UNVERIFIED")


def health_of_number(world: World, number: BusinessNumber, app: App) -> dict[str, Any]:
    """Describe whether a number can send, from itself to its app."""
    waba = world.accounts.wabas[number.waba_id]
    return _whole([_number(number, world.clock.now()), *_above(world, waba, app)])


def health_of_waba(world: World, waba: Waba, app: App) -> dict[str, Any]:
    """Describe whether an account can send."""
    return _whole(_above(world, waba, app))


def health_of_template(world: World, template: Template, app: App) -> dict[str, Any]:
    """Describe whether a template can be sent: only an approved one can (3.3)."""
    waba = world.accounts.wabas[template.waba_id]
    problems = []
    if template.status != "APPROVED":
        words = f"The template is {template.status}."
        problems = [_error(132016 if template.status == "DISABLED" else 132015, words)]
    entity = _entity("MESSAGE_TEMPLATE", template.id, problems, [])
    return _whole([entity, *_above(world, waba, app)])


def _above(world: World, waba: Waba, app: App) -> list[dict[str, Any]]:
    portfolio = world.accounts.portfolios[waba.portfolio_id]
    return [_waba(waba, world.clock.now()), _business(portfolio), _entity("APP", app.id, [], [])]


def _number(number: BusinessNumber, now: float) -> dict[str, Any]:
    problems, remarks = [], []
    if not number.registered:
        problems.append(_error(133010, "The phone number is not registered."))
    if number.status in _CANNOT_SEND and number.registered:
        problems.append(_error(131031, f"The phone number is {number.status}."))
    if number.name_status not in ("APPROVED", "AVAILABLE_WITHOUT_REVIEW"):
        remarks.append("Display name not approved yet.")
    if number.quality_rating == "RED":
        remarks.append("The quality of this phone number is low.")
    entity = _entity("PHONE_NUMBER", number.phone_number_id, problems, remarks)
    return _restricted(entity, number.restriction, now)


def _waba(waba: Waba, now: float) -> dict[str, Any]:
    problems = []
    if waba.account_review_status != "APPROVED":
        problems.append(_error(131031, f"The review of the account is {waba.account_review_status}."))
    return _restricted(_entity("WABA", waba.id, problems, []), waba.restriction, now)


def _business(portfolio: Portfolio) -> dict[str, Any]:
    """Describe the portfolio: not verified it is limited, with 141010 as only health statuses say (5.3)."""
    if portfolio.verified:
        return _entity("BUSINESS", portfolio.id, [], [])
    problem = _error(141010, "The business is not verified.")
    return {**_entity("BUSINESS", portfolio.id, [problem], []), "can_send_message": "LIMITED"}


def _restricted(entity: dict[str, Any], restriction: Restriction | None, now: float) -> dict[str, Any]:
    """Add a restriction that lasts: it blocks, or limits when it is for some messages only (7.7)."""
    if restriction is None or (restriction.until is not None and restriction.until <= now):
        return entity
    code = 141006 if restriction.code == _PAYMENT else restriction.code
    partial = restriction.business_initiated or restriction.countries is not None
    can = max(entity["can_send_message"], "LIMITED" if partial else "BLOCKED", key=_WORSE.index)
    errors = [*entity.get("errors", ()), _error(code, restriction.details)]
    return {**entity, "can_send_message": can, "errors": errors}


def _error(code: int, words: str) -> dict[str, Any]:
    return {
        "error_code": code,
        "error_description": words or row_of(code).title,
        "possible_solution": _SOLUTION,
    }


def _entity(kind: str, node: str, problems: list[dict[str, Any]], remarks: list[str]) -> dict[str, Any]:
    can: Can = "BLOCKED" if problems else "LIMITED" if remarks else "AVAILABLE"
    told: dict[str, Any] = {"entity_type": kind, "id": node, "can_send_message": can}
    if problems:
        told["errors"] = problems
    if remarks:
        told["additional_info"] = remarks
    return told


def _whole(entities: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the entities together; the whole is as bad as the worst of them."""
    worst = max((entity["can_send_message"] for entity in entities), key=_WORSE.index)
    return {"can_send_message": worst, "entities": entities}
