"""What Meta tells of who somebody is: another number, another user id, other keys (cloud-api 4.7, 4.8)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sayso.confirmations import moving as questions
from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.events import service as events
from sayso.people import links, moving
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.updates import Identity, InboundMessage, OtherUpdate

#: Meta's words for the same thing, today's and the older ones.
_NUMBER = frozenset({"user_changed_number", "customer_changed_number"})
_USER_ID = frozenset({"user_changed_user_id"})
_KEYS = frozenset({"customer_identity_changed", "user_identity_changed"})

_LEARNED_FROM = "meta:system"


async def system(tx: Tx, rt: Runtime, message: InboundMessage, at: datetime) -> str:
    """A message of Meta's about its sender, who did not write anything: it opens no window and answers nothing."""
    about = message.system or {}
    kind = _text(about.get("type")) or ""
    if kind in _KEYS:
        return await _keys_changed(tx, rt, message, at)
    if kind not in _NUMBER | _USER_ID:
        return f"kept: system message {kind}".rstrip()
    after = Identity(
        bsuid=_text(about.get("user_id")),
        parent_bsuid=_text(about.get("parent_user_id")),
        wa_id=_text(about.get("wa_id")) or _text(about.get("new_wa_id")),
    )
    number = kind in _NUMBER
    return await _changed(tx, rt, message.person, after, number=number, wamid=message.wamid)


async def user_id_update(tx: Tx, rt: Runtime, update: OtherUpdate) -> str:
    """The webhook field of the same name: user ids that changed, each before and after.

    Meta has withdrawn the field from those that can be subscribed (cloud-api 4.1); where it comes, it is heard.
    """
    results = [
        await _changed(tx, rt, before, after, number=False, wamid=None)
        for before, after in _changes(update.value)
    ]
    return "; ".join(results) or "kept: no change of a user id in it"


NEWS = {"user_id_update": user_id_update}


async def _changed(
    tx: Tx, rt: Runtime, before: Identity, after: Identity, *, number: bool, wamid: str | None
) -> str:
    what = "number" if number else "user id"
    if before.bsuid is None and before.wa_id is None:
        return f"kept: another {what}, and not told whose"
    moved = await moving.change(tx, rt, before, after, number=number, learned_from=_LEARNED_FROM)
    if not moved.news:
        return f"identity: {moved.person.id} has another {what}, as is known"
    if number:
        await questions.freeze(tx, rt, moved.person, "number_changed")
        await _tell(tx, rt, moved.person, "person.number_changed", wamid)
    return f"identity: {moved.person.id} has another {what}"


async def _keys_changed(tx: Tx, rt: Runtime, message: InboundMessage, at: datetime) -> str:
    person = await people.meet(tx, rt, message.person, learned_from=_LEARNED_FROM)
    if not await moving.note_identity_change(tx, person, at):
        return f"identity: {person.id} has had other keys since"
    await questions.freeze(tx, rt, person, "identity_changed")
    await _tell(tx, rt, person, "person.identity_changed", message.wamid)
    return f"identity: {person.id} has other keys, as with a new phone"


async def _tell(tx: Tx, rt: Runtime, person: Person, kind: str, wamid: str | None) -> None:
    """Tell each assistant that knows the person, by its own names for them."""
    for client_id, users in (await links.users_of(tx, person)).items():
        data = {"person": person.to or person.bsuid, "external_ids": users, "wamid": wamid}
        await events.emit(tx, rt, client_id=client_id, kind=kind, subject=person.id, data=data)


def _changes(value: Any) -> Iterator[tuple[Identity, Identity]]:
    items = value.get("user_id_update") if isinstance(value, dict) else None
    for item in items if isinstance(items, list) else [value]:
        if not isinstance(item, dict):
            continue
        before, after = _pair(item, "user_id")
        parent_before, parent_after = _pair(item, "parent_user_id")
        wa_id = _text(item.get("wa_id"))
        if after:
            yield Identity(before, parent_before, wa_id), Identity(after, parent_after)


def _pair(item: dict[str, Any], name: str) -> tuple[str | None, str | None]:
    """(before, after): told as one object, or as two members."""
    told = item.get(name)
    if isinstance(told, dict):
        return _text(told.get("previous")), _text(told.get("current"))
    return _text(item.get(f"previous_{name}")), _text(told)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
