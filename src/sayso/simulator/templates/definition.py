"""A template as a business defines it: name, language, category, format, lifetime and components (cloud-api.md 3.2)."""

import re
from dataclasses import dataclass, field
from typing import Any

from sayso.simulator.fields import json_in, whole_number
from sayso.simulator.templates.components import Known, read_components
from sayso.simulator.templates.languages import LANGUAGES
from sayso.simulator.templates.refusals import refused, too_long
from sayso.simulator.world.templates import Template

NAME = 512
_NAME = re.compile(r"[a-z0-9_]+")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
FORMATS = ("POSITIONAL", "NAMED")
#: Shortest and longest ``message_send_ttl_seconds`` of each category (3.7).
TTL_BOUNDS = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}
THIRTY_DAYS = -1  # as a TTL, for authentication and utility
#: Parameters that are only kept and listed again (3.1).
OPTIONS = (
    "bid_spec",
    "cta_url_link_tracking_opted_out",
    "degrees_of_freedom_spec",
    "display_format",
    "is_primary_device_delivery_only",
    "is_sms_fallback_enabled",
)


@dataclass(slots=True)
class Definition:
    """What was given, checked, in either case and from JSON or a form alike."""

    name: str
    language: str
    category: str
    parameter_format: str
    ttl: int | None
    components: tuple[dict[str, Any], ...]
    sub_category: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


def read_definition(given: dict[str, Any], known: Known) -> Definition:
    """Read the body of a creation; raise 100 with the subcode of 3.2 that tells what is wrong."""
    given = {key: value for key, value in given.items() if value is not None}
    if given.get("library_template_name"):
        raise refused("library_template_name: the template library is not simulated; give components.")
    name, language = _name(given.get("name")), _language(given.get("language"))
    category = _choice(given, "category", CATEGORIES)
    form = _choice(given, "parameter_format", FORMATS, "POSITIONAL")
    components = json_in(given.get("components"), "components")
    return Definition(
        name,
        language,
        category,
        form,
        read_ttl(given.get("message_send_ttl_seconds"), category),
        read_components(components, category=category, form=form, known=known),
        sub_category=str(given["sub_category"]).upper() if "sub_category" in given else None,
        options=_options(given),
    )


def read_edit(given: dict[str, Any], template: Template, known: Known) -> Definition:
    """Read the body of an edit: what is given takes the place of what was, components as a whole (3.1)."""
    given = {key: value for key, value in given.items() if value is not None}
    for key, now in (("name", template.name), ("language", template.language)):
        if given.get(key, now) != now:
            raise refused(f"{key} cannot be edited; it is {now}.")
    category = _choice(given, "category", CATEGORIES, template.category)
    form = _choice(given, "parameter_format", FORMATS, template.parameter_format)
    components, ttl = template.components, template.message_send_ttl_seconds
    if category != template.category:
        ttl = None  # the bounds are the category's (3.7)
    if "components" in given or form != template.parameter_format or category != template.category:
        raw = json_in(given.get("components", list(components)), "components")
        components = read_components(raw, category=category, form=form, known=known)
    if "message_send_ttl_seconds" in given:
        ttl = read_ttl(given["message_send_ttl_seconds"], category)
    options = template.options | _options(given)
    if not (
        given.keys() & {"components", "category", "parameter_format", "message_send_ttl_seconds", *OPTIONS}
    ):
        raise refused("An edit needs at least one of components, category and message_send_ttl_seconds.")
    return Definition(
        template.name, template.language, category, form, ttl, components, template.sub_category, options
    )


def read_ttl(given: Any, category: str) -> int | None:
    """Read ``message_send_ttl_seconds`` within the bounds of its category (3.7)."""
    if given is None:
        return None
    seconds = whole_number(given)
    if seconds is None:
        raise refused(f"message_send_ttl_seconds must be a number of seconds; it is {given!r}.")
    shortest, longest = TTL_BOUNDS[category]
    if seconds == THIRTY_DAYS and category != "MARKETING":
        return seconds
    if not shortest <= seconds <= longest:
        raise refused(
            f"message_send_ttl_seconds of a template of category {category} must be between {shortest} and "
            f"{longest}; it is {seconds}."
        )
    return seconds


def _name(given: Any) -> str:
    if given is None or given == "":
        raise refused("name is required.")
    if not isinstance(given, str):
        raise refused("name must be a string.")
    if len(given) > NAME:
        raise too_long("name", len(given), NAME)
    if not _NAME.fullmatch(given):
        raise refused(f"name must be made of lower-case letters, digits and underscores; it is {given!r}.")
    return given


def _language(given: Any) -> str:
    if isinstance(given, dict):  # {"code":"en_US"}, as in sending
        given = given.get("code")
    if not isinstance(given, str) or not given:
        raise refused("language is required.")
    if given not in LANGUAGES:
        raise refused(f"language must be one of the supported codes, such as en or pt_BR; it is {given!r}.")
    return given


def _choice(given: dict[str, Any], key: str, known: tuple[str, ...], default: str | None = None) -> str:
    """Return one of ``known``, whatever its case."""
    raw = given.get(key, default)
    if raw is None:
        raise refused(f"{key} is required: one of {{{', '.join(known)}}}.")
    if str(raw).upper() not in known:
        raise refused(f"{key} must be one of {{{', '.join(known)}}}; it is {raw!r}.")
    return str(raw).upper()


def _options(given: dict[str, Any]) -> dict[str, Any]:
    return {key: _plain(given[key]) for key in OPTIONS if key in given}


def _plain(value: Any) -> Any:
    """Return what a parameter of a form stands for; other values as they are."""
    words: dict[str, Any] = {"true": True, "false": False}
    return words.get(value, value) if isinstance(value, str) else value
