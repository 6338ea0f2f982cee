"""``/{waba-id}/message_templates`` and ``/{template-id}`` (cloud-api.md 3.1)."""

from typing import Any

from aiohttp import web

from sayso.simulator.errors import GraphError
from sayso.simulator.graph.call import Call, Route, answer
from sayso.simulator.world.accounts import MANAGEMENT
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

PAGE_OF_TEMPLATES = 25


class TemplateCalls:
    """Everything the API does with templates."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [Route("GET", "waba", "message_templates", "message_templates", MANAGEMENT, self._list)]

    async def _list(self, call: Call) -> web.Response:
        """List templates, filtered and paged by cursor (3.1)."""
        query = call.query
        mine = [each for each in self._world.templates.values() if each.waba_id == call.node]
        found = [each for each in mine if _matches(each, query)]
        limit, start = _paging(query)
        page = [_only(listed(each), query.get("fields")) for each in found[start : start + limit]]
        told: dict[str, Any] = {"data": page}
        if page:
            end = start + len(page)
            told["paging"] = {"cursors": {"before": str(start), "after": str(end)}}
            if end < len(found):
                following = call.request.url.update_query(after=str(end), limit=str(limit))
                told["paging"]["next"] = str(following.without_query_params("access_token"))
        return answer(told)


def listed(template: Template) -> dict[str, Any]:
    """Describe a template as the API does (3.1)."""
    return {
        "name": template.name,
        "parameter_format": template.parameter_format,
        "components": list(template.components),
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "id": template.id,
        "quality_score": {"score": template.quality, "date": template.quality_at},
        "rejected_reason": template.rejected_reason,
    }


def _matches(template: Template, query: dict[str, str]) -> bool:
    name = query.get("name", "")
    exact = (("status", template.status), ("language", template.language), ("category", template.category))
    return name in template.name and all(query.get(key, value) == value for key, value in exact)


def _paging(query: dict[str, str]) -> tuple[int, int]:
    """Return limit and start; the cursors are the places in the list."""
    limit, after = query.get("limit", str(PAGE_OF_TEMPLATES)), query.get("after", "0")
    if not (limit.isdecimal() and after.isdecimal() and int(limit) > 0):
        raise GraphError(100, "Params limit and after must be a positive number and a cursor of an answer.")
    return int(limit), int(after)


def _only(found: dict[str, Any], fields: str | None) -> dict[str, Any]:
    """Keep the fields asked for; the id is always there."""
    if not fields:
        return found
    wanted = {*fields.split(","), "id"}
    return {key: value for key, value in found.items() if key in wanted}
