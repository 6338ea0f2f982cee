"""Templates as the platform keeps them, found by id and by name and language (cloud-api.md 3)."""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: Statuses in which a template's name and language are taken (3.3); a deleted one's stay blocked for a while (3.4).
GOING = ("PENDING_DELETION", "DELETED")


@dataclass(slots=True)
class Template:
    """One language of one template, its ``components`` as the API lists them (3.2); times are unix seconds.

    Everything that is going to happen to it is here as data (``review_due``, ``paused_until``, ``category_due``,
    ``delete_due``), so that a snapshot holds it all.
    """

    id: str
    name: str
    language: str
    category: str
    components: tuple[dict[str, Any], ...]
    waba_id: str = ""
    status: str = "APPROVED"
    parameter_format: str = "POSITIONAL"
    previous_category: str | None = None
    correct_category: str | None = None
    quality: str = "UNKNOWN"
    quality_at: int = 0
    rejected_reason: str = "NONE"
    message_send_ttl_seconds: int | None = None
    created_at: float = 0.0
    updated_at: float = 0.0
    #: When edits of the approved template were made: 1 a day, 10 in 30 days (3.4).
    edits: list[float] = field(default_factory=list)
    #: How often it was paused for its quality (3.5), until when it is, and for what.
    pauses: int = 0
    paused_until: float | None = None
    paused_at: float | None = None
    paused_by: Literal["quality", "pacing"] | None = None
    #: A review under way: when the verdict falls, None while a moderator is to decide.
    review_due: float | None = None
    #: Words on the last rejection (3.8): ``reason`` and ``recommendation``.
    rejection: dict[str, str] | None = None
    #: When the announced ``correct_category`` takes effect (3.6).
    category_due: float | None = None
    #: When a template scheduled for deletion, or archived, is gone (3.4).
    delete_due: float | None = None
    #: What it was before it was archived (3.3).
    status_before: str | None = None
    #: Paced: its messages are held for quality assessment (3.5).
    pacing: bool = False
    source: str | None = None
    sub_category: str | None = None
    #: Further parameters of the creation that are only kept and shown again (3.1).
    options: dict[str, Any] = field(default_factory=dict)
    #: Its place among all templates there ever were, in the order they were made.
    serial: int = 0

    def part(self, kind: str) -> dict[str, Any]:
        """Return the component of this kind, empty when the template has none."""
        return next((each for each in self.components if each["type"] == kind), {})

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """The buttons below it, in their order."""
        found: list[dict[str, Any]] = self.part("BUTTONS").get("buttons", [])
        return found


class Templates(MutableMapping[str, Template]):
    """All templates by id, in the order they were made, with a way to each by WABA, name and language."""

    def __init__(self) -> None:
        self._by_id: dict[str, Template] = {}
        self._last_serial = 0
        #: waba id -> name -> language -> template
        self._by_name: dict[str, dict[str, dict[str, Template]]] = {}

    def __getitem__(self, template_id: str) -> Template:
        return self._by_id[template_id]

    def __setitem__(self, template_id: str, template: Template) -> None:
        if template_id in self._by_id:
            del self[template_id]
        template.serial = self._last_serial = max(template.serial, self._last_serial + 1)
        self._by_id[template_id] = template
        self._by_name.setdefault(template.waba_id, {}).setdefault(template.name, {})[template.language] = (
            template
        )

    def __delitem__(self, template_id: str) -> None:
        template = self._by_id.pop(template_id)
        names = self._by_name[template.waba_id]
        languages = names[template.name]
        if languages.get(template.language) is template:
            del languages[template.language]
        if not languages:
            del names[template.name]

    def clear(self) -> None:
        """Forget all there ever were."""
        super().clear()
        self._last_serial = 0

    def __contains__(self, template_id: object) -> bool:
        return template_id in self._by_id

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, waba_id: str, name: str, language: str) -> Template | None:
        """Return one language of a template, at the cost of three look-ups (the send path takes this one)."""
        return self._by_name.get(waba_id, {}).get(name, {}).get(language)

    def named(self, waba_id: str, name: str) -> list[Template]:
        """List all languages of a template."""
        return list(self._by_name.get(waba_id, {}).get(name, {}).values())

    def names(self, waba_id: str) -> int:
        """Count a WABA's names; translations do not count (3.4)."""
        languages = self._by_name.get(waba_id, {}).values()
        return sum(1 for each in languages if any(one.status not in GOING for one in each.values()))

    def of(self, waba_id: str) -> list[Template]:
        """List a WABA's templates, oldest first."""
        return [each for each in self._by_id.values() if each.waba_id == waba_id]
