"""The list of a WABA's templates: filters, order, pages, summary (cloud-api.md 3.1)."""

from collections.abc import Callable
from typing import Any

from sayso.simulator.call import Call
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import json_in
from sayso.simulator.graph.paging import paged
from sayso.simulator.graph.selection import select
from sayso.simulator.graph.template_fields import DEFAULT, readers
from sayso.simulator.templates.definition import CATEGORIES
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

STATUSES = (
    "APPROVED",
    "ARCHIVED",
    "DELETED",
    "DISABLED",
    "IN_APPEAL",
    "LIMIT_EXCEEDED",
    "PAUSED",
    "PENDING",
    "PENDING_DELETION",
    "REJECTED",
)
SCORES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
ORDERS = ("ASC", "DESC")

#: Filters that compare a word, several of which may be asked for: what of a template, and what words there are.
_WORDS: dict[str, tuple[Callable[[Template], str | None], tuple[str, ...] | None]] = {
    "status": (lambda template: template.status, STATUSES),
    "category": (lambda template: template.category, (*CATEGORIES, "FREE_SERVICE")),
    "quality_score": (lambda template: template.quality, SCORES),
    "language": (lambda template: template.language, None),
    "source": (lambda template: template.source, None),
}
_SUMMARY = ("total_count", "message_template_count", "message_template_limit", "are_translations_complete")


def listed(world: World, call: Call, limit: int) -> dict[str, Any]:
    """Answer one page of templates; ``limit`` is how many names the WABA may have."""
    query = call.query
    mine = world.templates.of(call.node)
    wanted = _filter(query)
    found = [each for each in mine if wanted(each)]
    way = -1 if _order(query) == "DESC" else 1
    found.sort(key=lambda each: way * each.serial)
    fields = query.get("fields")

    def describe(template: Template) -> dict[str, Any]:
        return select("WhatsAppMessageTemplate", readers(world, template, call.app), fields, DEFAULT)

    told = paged(call, found, describe, rank=lambda each: way * each.serial)
    if "summary" in query:
        told["summary"] = _summary(
            query["summary"], mine, len(found), world.templates.names(call.node), limit
        )
    return told


def _filter(query: dict[str, str]) -> Callable[[Template], bool]:
    """Compose the filter; a word that does not exist is refused, a name or content is any that holds it."""
    sets = {key: wanted for key in _WORDS if (wanted := _several(query, key)) is not None}
    name, content, either = (query.get(key, "").lower() for key in ("name", "content", "name_or_content"))

    def matches(template: Template) -> bool:
        words = f"{template.part('HEADER').get('text', '')} {template.part('BODY').get('text', '')}".lower()
        return (
            all(_WORDS[key][0](template) in wanted for key, wanted in sets.items())
            and name in template.name
            and content in words
            and (either in template.name or either in words)
        )

    return matches


def _several(query: dict[str, str], key: str) -> set[str] | None:
    """Read a word, a comma list or a JSON array of words."""
    raw = query.get(key, "").strip()
    if not raw:
        return None
    given = json_in(raw, key) if raw.startswith("[") else raw.split(",")
    if not isinstance(given, list):
        raise GraphError(100, f"Param {key} must be a word, a comma list or an array.")
    words = {str(each).strip() for each in given}
    known = _WORDS[key][1]
    if known is None:
        return words
    words = {each.upper() for each in words}
    for word in sorted(words - {*known}):
        raise GraphError(100, f"Param {key} must be one of {{{', '.join(known)}}}; it is {word!r}.")
    return words


def _order(query: dict[str, str]) -> str:
    order = query.get("order", "ASC").upper()
    if order not in ORDERS:
        raise GraphError(100, f"Param order must be ASC or DESC; it is {order!r}.")
    return order


def _summary(asked: str, mine: list[Template], total: int, names: int, limit: int) -> dict[str, Any]:
    """Tell the figures asked for, all of them for ``true``."""
    told = {
        "total_count": total,
        "message_template_count": names,
        "message_template_limit": limit,
        "are_translations_complete": _translated(mine),
    }
    wanted = (
        _SUMMARY if asked.strip().lower() in ("true", "1") else [each.strip() for each in asked.split(",")]
    )
    return {key: told[key] for key in wanted if key in told}


def _translated(mine: list[Template]) -> bool:
    """Tell whether every template is there in the same languages."""
    languages: dict[str, set[str]] = {}
    for each in mine:
        languages.setdefault(each.name, set()).add(each.language)
    return len({frozenset(each) for each in languages.values()}) <= 1
