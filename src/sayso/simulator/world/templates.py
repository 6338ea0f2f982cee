"""A template as the platform keeps it (cloud-api.md 3)."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Template:
    """One language of one template, its ``components`` as the API lists them (3.2)."""

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
    #: How often it was paused (3.5), and until when it is.
    pauses: int = 0
    paused_until: float | None = None
    #: A review under way: when the verdict falls, None while a moderator is to decide.
    review_due: float | None = None

    def part(self, kind: str) -> dict[str, Any]:
        """Return the component of this kind, empty when the template has none."""
        return next((each for each in self.components if each["type"] == kind), {})
