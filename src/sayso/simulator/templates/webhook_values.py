"""What the webhooks about templates say (cloud-api.md 3.8). Ids are JSON integers here, strings in API answers."""

from typing import Any

from sayso.simulator.world.templates import Template

STATUS = "message_template_status_update"
QUALITY = "message_template_quality_update"
COMPONENTS = "message_template_components_update"
CATEGORY = "template_category_update"


def status_told(template: Template, event: str, **case: Any) -> dict[str, Any]:
    """Tell of an event; ``case`` holds the sub-objects that appear only in their case.

    ``reason`` is null when scheduled for deletion, the reason when rejected, else NONE.
    """
    reason: str | None = template.rejected_reason if event == "REJECTED" else "NONE"
    return {
        "event": event,
        **_which(template),
        "reason": None if event == "PENDING_DELETION" else reason,
        "message_template_category": template.category,
        **case,
    }


def quality_told(template: Template, previous: str) -> dict[str, Any]:
    """Tell of a new quality score."""
    return {
        "previous_quality_score": previous,
        "new_quality_score": template.quality,
        **_which(template),
    }


def components_told(template: Template) -> dict[str, Any]:
    """Tell of edited components: body, and title, footer and buttons when there are any."""
    told = {**_which(template), "message_template_element": template.part("BODY").get("text", "")}
    header, footer = template.part("HEADER").get("text"), template.part("FOOTER").get("text")
    if header:
        told["message_template_title"] = header
    if footer:
        told["message_template_footer"] = footer
    if template.buttons:
        told["message_template_buttons"] = [_button(each) for each in template.buttons]
    return told


def category_announced(template: Template, at: float) -> dict[str, Any]:
    """Tell a day ahead that the category will be another: ``new_category`` is still the one it has."""
    return {
        **_which(template),
        "new_category": template.category,
        "correct_category": template.correct_category,
        "category_update_timestamp": int(at),
    }


def category_changed(template: Template) -> dict[str, Any]:
    """Tell that the category is another now."""
    return {
        **_which(template),
        "previous_category": template.previous_category,
        "new_category": template.category,
    }


def _which(template: Template) -> dict[str, Any]:
    return {
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }


def _button(button: dict[str, Any]) -> dict[str, Any]:
    told = {
        "message_template_button_type": button["type"],
        "message_template_button_text": button.get("text", ""),
    }
    for key in ("url", "phone_number"):
        if key in button:
            told[f"message_template_button_{key}"] = button[key]
    return told
