"""Payloads that say something new, as Meta's may any day (cloud-api.md 4.4, 9)."""

import copy
from typing import Any

from sayso.simulator.faults.model import Novelty

_FIELD = "messages_of_tomorrow"
_TYPE = "hologram"
_EXTRA = {"added_in_v99": {"kind": "extra", "list": [1, "two", None], "flag": True}}


def injected(payload: dict[str, Any], what: Novelty) -> dict[str, Any]:
    """Return a payload changed: another field's name, a type or status that nobody knows, or keys on every level."""
    changed = copy.deepcopy(payload)
    for entry in changed["entry"]:
        for change in entry["changes"]:
            if what == "unknown_field":
                change["field"] = _FIELD
            elif what == "unknown_type":
                _retype(change["value"])
    return _extended(changed) if what == "extra_keys" else changed


def _retype(value: dict[str, Any]) -> None:
    for message in value.get("messages", ()):
        message[_TYPE] = message.pop(str(message.get("type")), {})
        message["type"] = _TYPE
    for status in value.get("statuses", ()):
        status["status"] = _TYPE


def _extended(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _extended(each) for key, each in node.items()} | _EXTRA
    return [_extended(each) for each in node] if isinstance(node, list) else node
