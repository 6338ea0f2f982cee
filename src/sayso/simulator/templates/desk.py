"""The moderator's desk: what a person at Meta's side can do to a template, and when (cloud-api.md 3.3 to 3.6)."""

from collections.abc import Callable
from typing import Any

from sayso.simulator.templates.definition import CATEGORIES
from sayso.simulator.templates.life import SENT, Life
from sayso.simulator.templates.review import REASONS, Verdict
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

SCORES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
#: What may be done in which statuses (3.3).
ACTIONS: dict[str, tuple[str, ...]] = {
    "approve": ("PENDING", "IN_APPEAL", "REJECTED"),
    "reject": ("PENDING", "IN_APPEAL"),
    "pause": ("APPROVED",),
    "unpause": ("PAUSED",),
    "disable": SENT,
    "quality": SENT,
    "announce_category": SENT,
    "recategorise": SENT,
    "appeal": ("REJECTED", "DISABLED"),
    "flag": ("APPROVED",),
    "reinstate": ("DISABLED",),
    "hold": ("APPROVED",),
    "release": ("APPROVED",),
    "drop": ("APPROVED",),
    "archive": (*SENT, "REJECTED"),
    "unarchive": ("ARCHIVED",),
    "delete": (*SENT, "PENDING", "REJECTED", "IN_APPEAL", "ARCHIVED"),
}


class DeskError(ValueError):
    """Something that cannot be done to this template now; the words say why."""


class Desk:
    """The moderator. Templates are named by id; an unknown one raises LookupError, a wrong moment DeskError."""

    def __init__(self, world: World, life: Life) -> None:
        self._world = world
        self._life = life

    def template(self, template_id: str) -> Template:
        """Return a template by its id."""
        found = self._world.templates.get(template_id)
        if found is None:
            raise LookupError(f"there is no template with the id {template_id}")
        return found

    def listed(self, waba_id: str | None = None) -> list[dict[str, Any]]:
        """Describe every template, of one WABA or all, oldest first."""
        return [
            self.described(each) for each in self._world.templates.values() if waba_id in (None, each.waba_id)
        ]

    def described(self, template: Template) -> dict[str, Any]:
        """Describe a template with what is going to happen to it and what may be done to it now."""
        return {
            "id": template.id,
            "waba_id": template.waba_id,
            "name": template.name,
            "language": template.language,
            "status": template.status,
            "category": template.category,
            "previous_category": template.previous_category,
            "correct_category": template.correct_category,
            "parameter_format": template.parameter_format,
            "components": list(template.components),
            "quality": template.quality,
            "rejected_reason": template.rejected_reason,
            "rejection": template.rejection,
            "ttl_s": template.message_send_ttl_seconds,
            "created_at": template.created_at,
            "updated_at": template.updated_at,
            "review_due": template.review_due,
            "pauses": template.pauses,
            "paused_until": template.paused_until,
            "paused_by": template.paused_by,
            "category_due": template.category_due,
            "delete_due": template.delete_due,
            "pacing": template.pacing,
            "held": self._life.held(template),
            "actions": [each for each in ACTIONS if self._why_not(template, each) is None],
        }

    def approve(self, template_id: str) -> Template:
        """Let it be sent from now on."""
        return self._do("approve", template_id, self._life.approve)

    def reject(
        self, template_id: str, reason: str, explanation: str = "", recommendation: str = ""
    ) -> Template:
        """Refuse it for a reason of 3.3, with words for ``rejection_info`` (3.8)."""
        reasons = [each for each in REASONS if each != "NONE"]
        _one_of("reason", reason, reasons)
        found = Verdict(reason, explanation or "Rejected by the moderator.", recommendation)
        return self._do("reject", template_id, lambda template: self._life.reject(template, found))

    def pause(self, template_id: str, hours: float | None = None) -> Template:
        """Take the next step of the ladder (3.5): 3 h, 6 h, disabled; ``hours`` overrides how long."""
        if hours is not None and hours <= 0:
            raise DeskError(f"`hours` must be more than 0; it is {hours:g}.")
        return self._do("pause", template_id, lambda template: self._life.pause(template, hours))

    def unpause(self, template_id: str) -> Template:
        """Let it be sent again before its time."""
        return self._do("unpause", template_id, self._life.unpause)

    def disable(self, template_id: str) -> Template:
        """Take it away for good."""
        return self._do("disable", template_id, self._life.disable)

    def set_quality(self, template_id: str, score: str) -> Template:
        """Give it a score; RED pauses it (3.5)."""
        _one_of("score", score, SCORES)
        return self._do("quality", template_id, lambda template: self._life.set_quality(template, score))

    def announce_category(self, template_id: str, category: str) -> Template:
        """Announce another category, which takes effect in a day (3.6)."""
        self._check_category(template_id, category)
        return self._do(
            "announce_category", template_id, lambda template: self._life.announce(template, category)
        )

    def recategorise(self, template_id: str, category: str) -> Template:
        """Switch the category now, without notice (3.6)."""
        self._check_category(template_id, category)
        return self._do(
            "recategorise", template_id, lambda template: self._life.recategorise(template, category)
        )

    def appeal(self, template_id: str) -> Template:
        """Have a rejection or disabling looked at again."""
        return self._do("appeal", template_id, self._life.appeal)

    def flag(self, template_id: str) -> Template:
        """Warn of bad feedback."""
        return self._do("flag", template_id, self._life.flag)

    def reinstate(self, template_id: str) -> Template:
        """Give a disabled one back."""
        return self._do("reinstate", template_id, self._life.reinstate)

    def hold(self, template_id: str) -> Template:
        """Hold its messages from now on (pacing, 3.5)."""
        return self._do("hold", template_id, self._life.hold)

    def release(self, template_id: str) -> Template:
        """Send what is held."""
        return self._do("release", template_id, self._life.release)

    def drop(self, template_id: str) -> Template:
        """Let what is held fail with 132015 and pause the template."""
        return self._do("drop", template_id, self._life.drop)

    def archive(self, template_id: str) -> Template:
        """Put it away (3.4)."""
        return self._do("archive", template_id, self._life.archive)

    def unarchive(self, template_id: str) -> Template:
        """Bring it back as it was."""
        return self._do("unarchive", template_id, self._life.unarchive)

    def delete(self, template_id: str) -> Template:
        """Delete it (3.4)."""
        return self._do("delete", template_id, self._life.delete)

    def _do(self, action: str, template_id: str, happen: Callable[[Template], None]) -> Template:
        template = self.template(template_id)
        why = self._why_not(template, action)
        if why is not None:
            raise DeskError(why)
        happen(template)
        return template

    def _why_not(self, template: Template, action: str) -> str | None:
        """Tell why something cannot be done to a template now; None when it can."""
        allowed = ACTIONS[action]
        if template.status not in allowed:
            return (
                f"`{action}` needs the status {' or '.join(allowed)}; {template.name} is {template.status}."
            )
        if action in ("release", "drop") and not template.pacing:
            return f"`{action}` needs messages held by `hold` first; those of {template.name} are not."
        if action == "hold" and template.pacing:
            return f"the messages of {template.name} are held already."
        return None

    def _check_category(self, template_id: str, category: str) -> None:
        _one_of("category", category, CATEGORIES)
        template = self.template(template_id)
        if template.category == category:
            raise DeskError(f"{template.name} is of category {category} already.")


def _one_of(key: str, given: str, known: Any) -> None:
    if given not in known:
        raise DeskError(f"`{key}` must be one of {', '.join(known)}; it is {given!r}.")
