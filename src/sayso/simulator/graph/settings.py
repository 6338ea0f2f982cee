"""Settings of a number: calling, storage, payload encryption, the identity check (cloud-api.md 8.1)."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, success
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import json_in
from sayso.simulator.graph.selection import plain_readers, select
from sayso.simulator.world.accounts import MANAGEMENT, BusinessNumber
from sayso.simulator.world.world import World

TYPE = "WhatsAppBusinessPhoneNumberSettings"
STORAGE = ("DEFAULT", "IN_COUNTRY_STORAGE_ENABLED", "NO_STORAGE_ENABLED")
_DEFAULTS: dict[str, dict[str, Any]] = {
    "calling": {"status": "DISABLED"},
    "payload_encryption": {"status": "DISABLED"},
    "storage_configuration": {"status": "DEFAULT"},
}


class SettingsCalls:
    """Reads and writes the settings; what nothing here acts on is kept and told back."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("GET", "number", "settings", "settings", MANAGEMENT, self._read),
            Route("POST", "number", "settings", "settings", MANAGEMENT, self._write),
        ]

    async def _read(self, call: Call) -> web.Response:
        number = self._number(call)
        told = {
            **_DEFAULTS,
            **number.settings,
            "user_identity_change": {"enable_identity_key_check": number.identity_check},
        }
        readers = plain_readers(told)
        return answer(select(TYPE, readers, call.query.get("fields"), ",".join(told)))

    async def _write(self, call: Call) -> web.Response:
        """Change the settings given, each as a whole; all of them or none."""
        given, number = await call.given(), self._number(call)
        given.pop("messaging_product", None)
        if not given:
            raise GraphError(100, f"One of the params {', '.join(_CHECKS)} is required.")
        checked = {}
        for name, value in given.items():
            check = _CHECKS.get(name)
            if check is None:
                raise GraphError(100, f'Unexpected key "{name}" on the settings of a phone number.')
            found = json_in(value, name)
            if not isinstance(found, dict):
                raise GraphError(100, f"Param {name} must be an object.")
            check(found)
            checked[name] = found
        identity = checked.pop("user_identity_change", None)
        if identity is not None:
            number.identity_check = identity["enable_identity_key_check"]
        number.settings.update(checked)
        return success()

    def _number(self, call: Call) -> BusinessNumber:
        return self._world.accounts.numbers[call.node]


def _check_identity(given: dict[str, Any]) -> None:
    if given.keys() != {"enable_identity_key_check"} or not isinstance(
        given["enable_identity_key_check"], bool
    ):
        raise GraphError(
            100, 'Param user_identity_change must be {"enable_identity_key_check": true or false}.'
        )


def _check_storage(given: dict[str, Any]) -> None:
    status = str(given.get("status", "")).upper()
    if status not in STORAGE:
        raise GraphError(100, f"Param storage_configuration['status'] must be one of {', '.join(STORAGE)}.")
    if status == "IN_COUNTRY_STORAGE_ENABLED" and not given.get("data_localization_region"):
        raise GraphError(100, "Param storage_configuration['data_localization_region'] is required.")
    if status == "NO_STORAGE_ENABLED" and not isinstance(given.get("retention_minutes"), int):
        raise GraphError(100, "Param storage_configuration['retention_minutes'] is required.")


def _check_encryption(given: dict[str, Any]) -> None:
    """Refuse to switch encryption on: the payloads of this simulator are plain."""
    if str(given.get("status", "")).upper() != "DISABLED":
        raise GraphError(100, "Param payload_encryption: encrypted payloads are not simulated.")


def _check_calling(given: dict[str, Any]) -> None:
    if str(given.get("status", "DISABLED")).upper() not in ("ENABLED", "DISABLED"):
        raise GraphError(100, "Param calling['status'] must be ENABLED or DISABLED.")


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "calling": _check_calling,
    "payload_encryption": _check_encryption,
    "storage_configuration": _check_storage,
    "user_identity_change": _check_identity,
}
