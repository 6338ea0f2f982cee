"""Faults that could never strike are refused when they are armed, in words (docs/simulator-control.md)."""

import re
from collections.abc import Iterable, Mapping

from sayso.simulator.faults.matching import wa_id_of
from sayso.simulator.faults.model import (
    EVERYWHERE,
    RECEIPTS,
    SENDS,
    WEBHOOKS,
    FailLate,
    Fault,
    PlainHttp,
    TakeCourse,
    WebhookFault,
)
from sayso.simulator.mistakes import meant
from sayso.simulator.strict import ControlError
from sayso.simulator.world.accounts import FIELDS, QUIET_FIELDS
from sayso.simulator.world.world import World

Methods = Mapping[str, frozenset[str]]

_TEMPLATE_NAME = re.compile(r"[a-z0-9_]{1,512}")  # 3.1
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+( *; *[ -~]+)?", re.ASCII)
#: Of webhooks nothing is known of these.
_OF_CALLS = ("method", "template", "token")


class FaultError(ControlError):
    """A fault that cannot be armed as written; the words say why."""


def check(fault: Fault, methods: Methods, world: World) -> None:
    """Refuse a fault that could never strike; ``methods`` are those of each route.

    A template or a token may be made later, so any that could be is taken; everything else must be there.
    """
    places = (EVERYWHERE, WEBHOOKS, RECEIPTS, *sorted(methods))
    if fault.on not in places:
        raise _unknown("on", fault.on, places)
    _check_kind(fault)
    _check_method(fault, methods)
    _check_aim(fault, world)
    if isinstance(fault, WebhookFault):
        _check_webhook(fault, world)
    if isinstance(fault, PlainHttp) and not _MEDIA_TYPE.fullmatch(fault.content_type):
        raise FaultError(
            f"`content_type` must be a media type such as 'text/html; charset=utf-8'; it is {fault.content_type!r}."
        )


def _check_kind(fault: Fault) -> None:
    """Look whether a fault of this kind can strike at this place."""
    if isinstance(fault, WebhookFault):
        if fault.on not in (WEBHOOKS, EVERYWHERE, SENDS):
            raise FaultError(
                f"`on` cannot be '{fault.on}' for this kind: it is about webhooks, those of the messages sent by "
                f"'{SENDS}' or all '{WEBHOOKS}'."
            )
    elif fault.on == WEBHOOKS:
        raise FaultError("`on` cannot be 'webhooks' for this kind: it is about answers, not webhooks.")
    elif isinstance(fault, FailLate | TakeCourse) and fault.on not in (EVERYWHERE, SENDS):
        raise FaultError(
            f"`on` cannot be '{fault.on}' for this kind: it is about messages, which '{SENDS}' alone sends."
        )


def _check_method(fault: Fault, methods: Methods) -> None:
    if fault.on == WEBHOOKS:
        given = [name for name in _OF_CALLS if getattr(fault, name) is not None]
        if given:
            raise FaultError(
                f"`{given[0]}` cannot be given with `on` 'webhooks': it is about calls, not webhooks."
            )
    elif fault.method is not None and fault.on != EVERYWHERE:
        known = methods.get(SENDS if fault.on == RECEIPTS else fault.on, frozenset())
        if fault.method not in known:
            raise _unknown("method", fault.method, sorted(known))


def _check_aim(fault: Fault, world: World) -> None:
    """Look whether there is whom it is aimed at."""
    accounts = world.accounts
    _check_known("phone_number_id", fault.phone_number_id, accounts.numbers)
    _check_known("waba_id", fault.waba_id, accounts.wabas)
    if fault.to is not None and not wa_id_of(fault.to, world):
        raise FaultError(f"`to` is neither a phone number nor the BSUID of somebody known: '{fault.to}'.")
    if fault.template is not None and not _TEMPLATE_NAME.fullmatch(fault.template):
        raise FaultError(
            "`template` must be a template's name, of up to 512 small letters, digits and underscores; "
            f"it is '{fault.template}'."
        )
    if fault.token is not None and not fault.token.strip():
        raise FaultError("`token` must be an access token; it is empty.")


def _check_webhook(fault: WebhookFault, world: World) -> None:
    _check_known("app_id", fault.app_id, world.accounts.apps)
    _check_known("field", fault.field, sorted(FIELDS | QUIET_FIELDS))
    only_messages = "`status` can be given" if fault.status is not None else None
    if fault.on != WEBHOOKS:
        only_messages = f"`on` can be '{fault.on}'"
    if only_messages is not None and fault.field not in (None, "messages"):
        raise FaultError(f"{only_messages} with the field 'messages' alone; `field` is '{fault.field}'.")


def _check_known(key: str, word: str | None, known: Iterable[str]) -> None:
    there = tuple(known)
    if word is not None and word not in there:
        raise _unknown(key, word, there)


def _unknown(key: str, word: str, known: Iterable[str]) -> FaultError:
    return FaultError(f"`{key}` cannot be '{word}'{meant(word, known)}")
