"""The fields of a template, as the API tells them (cloud-api.md 3.1)."""

from datetime import UTC, datetime
from typing import Any

from sayso.simulator.graph.health import health_of_template
from sayso.simulator.graph.selection import ABSENT, Field, Reader
from sayso.simulator.templates.definition import OPTIONS
from sayso.simulator.world.accounts import App
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

#: What is told when no fields are asked for.
DEFAULT = (
    "name,parameter_format,components,language,status,category,previous_category,correct_category,sub_category,"
    "message_send_ttl_seconds,quality_score,rejected_reason,id"
)
#: Fields that a template here never has anything in.
_EMPTY = (
    "ad_account_id",
    "ad_adset_id",
    "ad_campaign_id",
    "ad_id",
    "creation_time",
    "library_template_name",
    "specific_creation_type",
)


def readers(world: World, template: Template, app: App) -> dict[str, Reader]:
    """Give each field its reader; what a template does not have is left out, never null."""
    values: dict[str, Any] = {
        "id": template.id,
        "name": template.name,
        "parameter_format": template.parameter_format,
        "components": list(template.components),
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "previous_category": template.previous_category,
        "correct_category": template.correct_category,
        "sub_category": template.sub_category,
        "message_send_ttl_seconds": template.message_send_ttl_seconds,
        "quality_score": {"score": template.quality, "date": template.quality_at},
        "rejected_reason": template.rejected_reason,
        "last_updated_time": datetime.fromtimestamp(template.updated_at, UTC).strftime(
            "%Y-%m-%dT%H:%M:%S+0000"
        ),
        "source": template.source,
        **dict.fromkeys(_EMPTY),
        **{key: template.options.get(key) for key in OPTIONS},
    }
    found = {key: _constant(value) for key, value in values.items()}
    found["health_status"] = lambda _: health_of_template(world, template, app)
    return found


def _constant(value: Any) -> Reader:
    told = ABSENT if value is None else value

    def read(_: Field) -> Any:
        return told

    return read
