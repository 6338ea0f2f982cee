"""``/{waba-id}/message_templates`` and ``/{template-id}`` (cloud-api.md 3.1)."""

from typing import Any

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, success
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import json_in, whole_number
from sayso.simulator.graph.selection import select
from sayso.simulator.graph.template_fields import DEFAULT, readers
from sayso.simulator.graph.template_lists import listed
from sayso.simulator.templates.management import DELETED_AT_ONCE, Management
from sayso.simulator.templates.refusals import refused
from sayso.simulator.world.accounts import MANAGEMENT
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

EDGE = "message_templates"


class TemplateCalls:
    """Everything the API does with templates."""

    def __init__(self, world: World, management: Management) -> None:
        self._world = world
        self._management = management

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("GET", "waba", EDGE, EDGE, MANAGEMENT, self._list),
            Route("POST", "waba", EDGE, EDGE, MANAGEMENT, self._create),
            Route("DELETE", "waba", EDGE, EDGE, MANAGEMENT, self._delete),
            Route("POST", "waba", f"{EDGE}/archive", EDGE, MANAGEMENT, self._archive),
            Route("POST", "waba", f"{EDGE}/unarchive", EDGE, MANAGEMENT, self._archive),
            Route("GET", "template", "", EDGE, MANAGEMENT, self._read),
            Route("POST", "template", "", EDGE, MANAGEMENT, self._edit),
            Route("POST", "template", "unpause", EDGE, MANAGEMENT, self._unpause),
            Route("GET", "template", "compare", EDGE, MANAGEMENT, self._compare),
        ]

    async def _list(self, call: Call) -> web.Response:
        return answer(listed(self._world, call, self._management.limit(call.node)))

    async def _create(self, call: Call) -> web.Response:
        """Create; the category may come back changed (3.2)."""
        made = self._management.create(call.node, await call.given())
        return answer({"id": made.id, "status": made.status, "category": made.category})

    async def _read(self, call: Call) -> web.Response:
        template = self._template(call)
        fields = readers(self._world, template, call.app)
        return answer(select("WhatsAppMessageTemplate", fields, call.query.get("fields"), DEFAULT))

    async def _edit(self, call: Call) -> web.Response:
        """Edit; clients read more than ``success`` out of the answer."""
        template = self._template(call)
        self._management.edit(template, await call.given())
        told = {"success": True, "id": template.id, "name": template.name, "category": template.category}
        return answer(told)

    async def _delete(self, call: Call) -> web.Response:
        given = await call.given()
        ids = given.get("hsm_ids")
        self._management.delete(
            call.node,
            name=given.get("name"),
            hsm_id=None if given.get("hsm_id") is None else str(given["hsm_id"]),
            hsm_ids=None if ids is None else _ids(ids, "hsm_ids"),
        )
        return success()

    async def _archive(self, call: Call) -> web.Response:
        """Archive or bring back a comma list of templates; each that cannot be is told with why not."""
        ids = _ids((await call.given()).get("hsm_ids") or "", "hsm_ids")
        if not 1 <= len(ids) <= DELETED_AT_ONCE:
            raise refused(f"hsm_ids must hold 1 to {DELETED_AT_ONCE} ids; it has {len(ids)}.")
        away = call.edge.endswith("/archive")
        failed: dict[str, str] = {}
        for each in ids:
            why = self._management.archive(call.node, each, away=away)
            if why is not None:
                failed[each] = why
        done = [each for each in ids if each not in failed]
        return answer({f"{'archived' if away else 'unarchived'}_templates": done, "failed_templates": failed})

    async def _unpause(self, call: Call) -> web.Response:
        why = self._management.unpause(self._template(call))
        return success() if why is None else answer({"success": False, "reason": why})

    async def _compare(self, call: Call) -> web.Response:
        """Compare how often templates were sent; nobody's blocking is counted, so every block rate is alike."""
        query = call.query
        others = _ids(query.get("template_ids") or "", "template_ids")
        start, end = whole_number(query.get("start")), whole_number(query.get("end"))
        if not others or start is None or end is None:
            raise GraphError(100, "Params template_ids, start and end (unix seconds) are required.")
        mine = self._template(call)
        ids = [mine.id, *(self._management.of_waba(mine.waba_id, each).id for each in others)]
        sends = self._sends(ids, start, end)
        reasons = [{"key": each, "value": "UNKNOWN_BLOCK_REASON"} for each in ids]
        return answer(
            {
                "data": [
                    {"metric": "BLOCK_RATE", "type": "RELATIVE", "order_by_relative_metric": ids},
                    {
                        "metric": "MESSAGE_SENDS",
                        "type": "NUMBER_VALUES",
                        "number_values": [{"key": each, "value": sends[each]} for each in ids],
                    },
                    {"metric": "TOP_BLOCK_REASON", "type": "STRING_VALUES", "string_values": reasons},
                ]
            }
        )

    def _sends(self, ids: list[str], start: int, end: int) -> dict[str, int]:
        sends = dict.fromkeys(ids, 0)
        for message in self._world.outbound():
            template_id = message.content.template_id
            if template_id in sends and start <= message.at <= end:
                sends[template_id] += 1
        return sends

    def _template(self, call: Call) -> Template:
        return self._world.templates[call.node]


def _ids(given: Any, where: str) -> list[str]:
    """Read the ids of the parameter ``where`` from a JSON array, a string of one, or a comma list."""
    if isinstance(given, str) and given.lstrip().startswith("["):
        given = json_in(given, where)
    if isinstance(given, str):
        given = [each.strip() for each in given.split(",") if each.strip()]
    if not isinstance(given, list):
        raise refused(f"{where} must be an array or a comma list of ids.")
    return [str(each) for each in given]
