"""One change that a business is told of, before it is put into a webhook (cloud-api.md 4.4, 4.5)."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["inbound", "status", "account"]

#: Values of the field `messages` that can be joined to others of the same number.
_JOINED = frozenset({"messaging_product", "metadata", "contacts", "messages", "statuses"})


class Told(NamedTuple):
    """What an update is about, for the log: ``message_id`` and ``status`` of the field `messages` only."""

    kind: Kind
    field: str
    waba_id: str
    phone_number_id: str | None = None
    message_id: str | None = None
    status: str | None = None


@dataclass(slots=True, eq=False)
class Update:
    """One change of one WABA; ``value`` is complete. ``at`` is ``entry.time``, None where there is none (4.4)."""

    kind: Kind
    field: str
    waba_id: str
    value: dict[str, Any]
    phone_number_id: str | None = None
    wa_id: str | None = None  # of the person it is about
    at: int | None = None
    acknowledged: str | None = None  # the inbound message that was delivered once this was answered with 200

    @property
    def told(self) -> Told:
        """Say what it is about."""
        about: dict[str, Any] = {}
        if self.field == "messages":
            found: Any = self.value.get("statuses") or self.value.get("messages") or ({},)
            about = found[0]
        status = about.get("status") if "statuses" in self.value else None
        return Told(self.kind, self.field, self.waba_id, self.phone_number_id, about.get("id"), status)


def payload(updates: list[Update]) -> dict[str, Any]:
    """Put updates into one envelope (4.4): those of a number into one ``value``, those of a WABA into one entry."""
    entries: dict[tuple[str, int | None], list[dict[str, Any]]] = {}
    values: dict[str, _Joint] = {}
    for update in updates:
        changes = entries.setdefault((update.waba_id, update.at), [])
        number = update.phone_number_id
        if len(updates) > 1 and number and update.field == "messages" and _JOINED.issuperset(update.value):
            joint = values.get(number)
            if joint is None:
                joint = values[number] = _Joint()
                changes.append({"value": joint.value, "field": "messages"})
            joint.add(update.value)
        else:
            changes.append({"value": update.value, "field": update.field})
    return {
        "object": "whatsapp_business_account",
        "entry": [_entry(waba_id, at, changes) for (waba_id, at), changes in entries.items()],
    }


def _entry(waba_id: str, at: int | None, changes: list[dict[str, Any]]) -> dict[str, Any]:
    if at is None:
        return {"id": waba_id, "changes": changes}
    return {"id": waba_id, "time": at, "changes": changes}


class _Joint:
    """The values of one number, joined: each person once in ``contacts``, everything else in its order (9)."""

    __slots__ = ("_known", "value")

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}
        self._known: set[tuple[Any, Any, bool]] = set()

    def add(self, value: dict[str, Any]) -> None:
        for key, each in value.items():
            if key == "contacts":
                self._add_contacts(each)
            elif isinstance(each, list):
                self.value.setdefault(key, []).extend(each)
            else:
                self.value[key] = each

    def _add_contacts(self, contacts: list[dict[str, Any]]) -> None:
        there = self.value.setdefault("contacts", [])
        for contact in contacts:
            who = (contact.get("wa_id"), contact.get("user_id"), "profile" in contact)
            if who not in self._known:
                self._known.add(who)
                there.append(contact)
