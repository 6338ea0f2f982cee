"""What becomes of a template: review, quality, pauses, category, pacing, archive, deletion (cloud-api.md 3.3 to 3.8).

Each change is told by webhook. What happens later stands on the template as data; one timer each is derived from it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from sayso.simulator.journey import Journey
from sayso.simulator.live import Live
from sayso.simulator.templates import webhook_values as values
from sayso.simulator.templates.review import APPROVED, Verdict, verdict
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.world.clock import Timer
from sayso.simulator.world.templates import Template
from sayso.simulator.world.world import World

HOUR_S, DAY_S = 3600.0, 24 * 3600.0
#: The ladder of pauses (3.5): the first for 3 h, the second for 6 h; the third is for good.
PAUSES_H = (3.0, 6.0)
_PAUSE_DESCRIPTIONS = ("FIRST_PAUSE", "SECOND_PAUSE")
NOTICE_S = DAY_S  # a category change is announced one day ahead (3.6)
NAME_BLOCKED_S = 30 * DAY_S  # after deleting an approved template (3.4)
#: Statuses of a template that passed its review and is not given up.
SENT = ("APPROVED", "PAUSED")
ARCHIVED_S = 28 * DAY_S  # then an archived template is deleted (3.4)
DROPPED = (132015, "The template was paused after quality assessment; its held messages are not sent.")

_DESCRIPTION: dict[str, str] = {
    "FIRST_PAUSE": "Your template has been paused for 3 hours because it had issues with its quality.",
    "SECOND_PAUSE": "Your template has been paused for 6 hours because it had issues with its quality.",
    "RATE_LIMITING_PAUSE": "Your template has been paused because its first messages had issues with their quality.",
    "UNPAUSE": "Your template is no longer paused and can be sent again.",
    "DISABLED": "Your template has been disabled because it had recurring issues with its quality.",
}


class Life:
    """Takes every template through its life."""

    def __init__(self, world: World, outbox: Outbox, live: Live, journey: Journey) -> None:
        self._world = world
        self._config = world.config
        self._outbox = outbox
        self._live = live
        self._journey = journey
        self._timers: dict[str, Timer] = {}

    # --- review (3.3) -----------------------------------------------------------------------------------

    def submit(self, template: Template) -> None:
        """Begin a review: its verdict falls at once, after a while, or by the moderator's hand."""
        template.status, template.rejected_reason, template.rejection = "PENDING", "NONE", None
        template.paused_until = template.paused_at = template.paused_by = None
        if self._world.review == "instant":
            self._judge(template)
            return
        delayed = self._world.review == "delayed"
        template.review_due = self._now() + self._config.review_after_s if delayed else None
        self.changed(template)

    def approve(self, template: Template) -> None:
        """Let it be sent from now on."""
        template.status, template.rejected_reason, template.rejection = "APPROVED", "NONE", None
        template.review_due = None
        self._tell_status(template, "APPROVED")

    def reject(self, template: Template, found: Verdict) -> None:
        """Refuse it, for a reason of 3.3."""
        template.status, template.rejected_reason = "REJECTED", found.reason
        template.review_due = None
        template.rejection = {"reason": found.explanation, "recommendation": found.recommendation}
        self._tell_status(template, "REJECTED", rejection_info=template.rejection)

    def appeal(self, template: Template) -> None:
        """Have a rejection or disabling looked at again."""
        template.status = "IN_APPEAL"
        self._tell_status(template, "IN_APPEAL")

    # --- quality and pauses (3.5) -----------------------------------------------------------------------

    def set_quality(self, template: Template, score: str) -> None:
        """Give it a quality score; RED pauses it, the third time for good."""
        previous, template.quality = template.quality, score
        template.quality_at = int(self._now())
        if score != previous:
            self._tell(values.QUALITY, template, values.quality_told(template, previous))
        if score == "RED" and template.status == "APPROVED":
            self.pause(template)
        self.changed(template)

    def pause(self, template: Template, hours: float | None = None) -> None:
        """Take the next step of the ladder: 3 h, 6 h, disabled; ``hours`` overrides how long."""
        template.pauses += 1
        step = template.pauses - 1
        if step >= len(PAUSES_H):
            self.disable(template)
            return
        length_h = PAUSES_H[step] if hours is None else hours
        self._pause(template, "quality", self._now() + length_h * HOUR_S, _PAUSE_DESCRIPTIONS[step])

    def unpause(self, template: Template) -> None:
        """Let a paused template be sent again."""
        template.status = "APPROVED"
        template.paused_until = template.paused_at = template.paused_by = None
        self._tell_status(template, "APPROVED", other_info=_other("UNPAUSE"))

    def disable(self, template: Template) -> None:
        """Take it away for good (132016)."""
        template.status = "DISABLED"
        template.paused_until = template.paused_at = template.paused_by = None
        self._drop(template)
        date = {"disable_date": int(self._now())}
        self._tell_status(template, "DISABLED", disable_info=date, other_info=_other("DISABLED"))

    def reinstate(self, template: Template) -> None:
        """Give a disabled template back."""
        template.status, template.pauses = "APPROVED", 0
        self._tell_status(template, "REINSTATED")

    def flag(self, template: Template) -> None:
        """Warn that it had bad feedback and may be disabled; its status stays."""
        self._tell_status(template, "FLAGGED")

    # --- pacing (3.5) -----------------------------------------------------------------------------------

    def hold(self, template: Template) -> None:
        """Hold its messages from now on for quality assessment."""
        template.pacing = True
        self.changed(template)

    def release(self, template: Template) -> None:
        """Good feedback: what is held goes out, and nothing more is held."""
        template.pacing = False
        self._journey.release_held(template.id)
        self.changed(template)

    def drop(self, template: Template) -> None:
        """Bad feedback: what is held fails with 132015, and the template is paused until it is unpaused by a call."""
        self._drop(template)
        self._pause(template, "pacing", None, "RATE_LIMITING_PAUSE")

    def held(self, template: Template) -> int:
        """Tell how many messages of it are held."""
        return self._journey.held(template.id)

    # --- category (3.6) ---------------------------------------------------------------------------------

    def announce(self, template: Template, category: str) -> None:
        """Announce the right category a day ahead; one that should be AUTHENTICATION is rejected next month."""
        now = self._now()
        template.correct_category = category
        template.category_due = _next_month(now) if category == "AUTHENTICATION" else now + NOTICE_S
        self._tell(values.CATEGORY, template, values.category_announced(template, template.category_due))
        self.changed(template)

    def recategorise(self, template: Template, category: str) -> None:
        """Switch the category now, as for businesses that get no notice; its own lifetime is cleared."""
        template.previous_category, template.category = template.category, category
        template.correct_category = template.category_due = template.message_send_ttl_seconds = None
        template.updated_at = self._now()
        self._tell(values.CATEGORY, template, values.category_changed(template))
        self.changed(template)

    # --- edits, archive, deletion (3.1, 3.4) ------------------------------------------------------------

    def edited(self, template: Template) -> None:
        """Tell of new components, and review them."""
        self._tell(values.COMPONENTS, template, values.components_told(template))
        self._tell_status(template, "PENDING")
        self.submit(template)

    def archive(self, template: Template) -> None:
        """Put it away; after 28 days it is deleted."""
        template.status_before, template.status = template.status, "ARCHIVED"
        template.delete_due = self._now() + ARCHIVED_S
        self._tell_status(template, "ARCHIVED")

    def unarchive(self, template: Template) -> None:
        """Bring it back as it was."""
        template.status, template.status_before = template.status_before or "APPROVED", None
        template.delete_due = None
        self._tell_status(template, "UNARCHIVED")

    def delete(self, template: Template) -> None:
        """Delete it: an approved one is pending deletion, its name blocked, for 30 days; another is gone at once."""
        if (template.status_before or template.status) not in SENT:
            self._gone(template)
            return
        self._drop(template)
        template.status = "PENDING_DELETION"
        template.review_due = template.paused_until = template.category_due = None
        template.delete_due = self._now() + NAME_BLOCKED_S
        self._tell_status(template, "PENDING_DELETION")

    # --- later ------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Set the timers again from what the templates say, as after a snapshot."""
        self.reset()
        for template in self._world.templates.values():
            self._set_timer(template)

    def reset(self) -> None:
        """Forget every timer."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def changed(self, template: Template) -> None:
        """Take note of a change made to a template: its timer, and the pages."""
        self._set_timer(template)
        self._live.publish("templates", dict)

    def _now(self) -> float:
        return self._world.clock.now()

    def _judge(self, template: Template) -> None:
        found = verdict(template)
        if found == APPROVED:
            self.approve(template)
        else:
            self.reject(template, found)

    def _pause(
        self, template: Template, by: Literal["quality", "pacing"], until: float | None, title: str
    ) -> None:
        template.status, template.paused_by = "PAUSED", by
        template.paused_at, template.paused_until = self._now(), until
        self._drop(template)
        self._tell_status(template, "PAUSED", other_info=_other(title))

    def _drop(self, template: Template) -> None:
        template.pacing = False
        self._journey.drop_held(template.id, *DROPPED)

    def _take_effect(self, template: Template) -> None:
        """Do what was announced: switch the category, or reject what should be an authentication template."""
        if template.correct_category == "AUTHENTICATION":
            template.category_due = None
            self.reject(
                template,
                Verdict(
                    "INCORRECT_CATEGORY",
                    "The template sends one-time codes.",
                    "Create an authentication template.",
                ),
            )
        else:
            self.recategorise(template, template.correct_category or template.category)

    def _gone(self, template: Template) -> None:
        self._drop(template)
        template.status = "DELETED"
        self._tell_status(template, "DELETED")
        self._stop(template)
        self._world.templates.pop(template.id, None)

    def _tell_status(self, template: Template, event: str, **case: Any) -> None:
        self._tell(values.STATUS, template, values.status_told(template, event, **case))
        self.changed(template)

    def _tell(self, field: str, template: Template, value: dict[str, Any]) -> None:
        if self._config.hyphens_in_webhooks:
            value["message_template_language"] = template.language.replace("_", "-")
        self._outbox.change(field, self._world.accounts.wabas[template.waba_id], value)

    def _set_timer(self, template: Template) -> None:
        """Set the one timer for what happens to it first; what its status does not let happen waits."""
        self._stop(template)
        can_come: tuple[tuple[float | None, tuple[str, ...], Callable[[Template], None]], ...] = (
            (template.review_due, ("PENDING",), self._judge),
            (template.paused_until, ("PAUSED",), self.unpause),
            (template.category_due, SENT, self._take_effect),
            (template.delete_due, ("PENDING_DELETION", "ARCHIVED"), self._gone),
        )
        coming = [
            (due, happen)
            for due, statuses, happen in can_come
            if due is not None and template.status in statuses
        ]
        if coming:
            due, happen = min(coming, key=lambda each: each[0])
            self._timers[template.id] = self._world.clock.at(due, lambda: happen(template))

    def _stop(self, template: Template) -> None:
        timer = self._timers.pop(template.id, None)
        if timer is not None:
            timer.cancel()


def _other(title: str) -> dict[str, str]:
    return {"title": title, "description": _DESCRIPTION[title]}


def _next_month(now: float) -> float:
    """Tell when the next month begins, in UTC (3.6)."""
    today = datetime.fromtimestamp(now, UTC)
    year, months = divmod(12 * today.year + today.month, 12)
    return datetime(year, months + 1, 1, tzinfo=UTC).timestamp()
