"""Webhooks about accounts and numbers: the fields of cloud-api.md 4.11 besides ``messages``."""

from typing import Any

from sayso.simulator.rules.reach import LIMITS
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.webhooks.versions import since_v24
from sayso.simulator.world.accounts import BusinessNumber, Portfolio, Waba
from sayso.simulator.world.world import World

_UNLIMITED = -1  # how the webhook writes it (4.11)
NUMBERS_PER_WABA = 25
NUMBERS_UNVERIFIED, NUMBERS_VERIFIED = 2, 20  # per portfolio; the sheet's example has 2
_WEEK_S = 7 * 24 * 3600


class Announcements:
    """Tells the subscribed apps what happened to the business's side."""

    def __init__(self, world: World, outbox: Outbox) -> None:
        self._world = world
        self._outbox = outbox

    def tell(
        self, field: str, waba: Waba, value: dict[str, Any], number: BusinessNumber | None = None
    ) -> None:
        """Tell a value of any field."""
        self._outbox.change(field, waba, value, number)

    def quality(self, number: BusinessNumber, event: str, old: str | None = None) -> None:
        """Tell ``phone_number_quality_update``; ``old`` is the tier before, when it changed."""
        tier = self._world.accounts.portfolio_of(number).tier
        value = {
            "display_phone_number": number.digits,
            "event": event,
            "old_limit": old or tier,
            "current_limit": tier,
        }
        if self._per_business:
            value["max_daily_conversations_per_business"] = tier
        self._of(number, "phone_number_quality_update", value)

    def capability(self, portfolio: Portfolio) -> None:
        """Tell every WABA of a portfolio ``business_capability_update``."""
        key = (
            "max_daily_conversations_per_business"
            if self._per_business
            else "max_daily_conversation_per_phone"
        )
        limit = LIMITS[portfolio.tier]
        value = {
            key: _UNLIMITED if limit is None else limit,
            "max_phone_numbers_per_business": NUMBERS_VERIFIED if portfolio.verified else NUMBERS_UNVERIFIED,
            "max_phone_numbers_per_waba": NUMBERS_PER_WABA,
        }
        for waba in self._world.accounts.wabas_of(portfolio.id):
            self.tell("business_capability_update", waba, value)

    def name(self, number: BusinessNumber, decision: str, reason: str | None = None) -> None:
        """Tell ``phone_number_name_update``: the verdict on the display name."""
        value = {
            "display_phone_number": number.digits,
            "decision": decision,
            "requested_verified_name": number.verified_name,
            "rejection_reason": reason,
        }
        self._of(number, "phone_number_name_update", value)

    def restricted(
        self,
        waba: Waba,
        kind: str,
        remediation: str,
        number: BusinessNumber | None,
        *,
        until: float | None,
    ) -> None:
        """Tell ``account_update`` of a restriction, which lasts seven days unless ``until`` says otherwise."""
        info = {
            "restriction_type": kind,
            "expiration": int(until or self._world.clock.now() + _WEEK_S),
            "remediation": remediation,
        }
        value = {"event": "ACCOUNT_RESTRICTION", "restriction_info": [info]}
        self.tell("account_update", waba, value, number)

    def ban(self, waba: Waba, state: str, date: str) -> None:
        """Tell ``account_update`` of an account disabled or reinstated; ``date`` as in ``April 17, 2027``."""
        value = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state, "waba_ban_date": date}}
        self.tell("account_update", waba, value)

    def review(self, waba: Waba) -> None:
        """Tell ``account_review_update``."""
        self.tell("account_review_update", waba, {"decision": waba.account_review_status})

    def alert(self, number: BusinessNumber, kind: str, description: str) -> None:
        """Tell ``account_alerts`` about a number, in the flat form (10, row 9)."""
        value = {
            "entity_type": "PHONE_NUMBER",
            "entity_id": number.phone_number_id,
            "alert_severity": "INFORMATIONAL",
            "alert_status": "NONE",
            "alert_type": kind,
            "alert_description": description,
        }
        self._of(number, "account_alerts", value)

    def security(self, number: BusinessNumber, event: str, requester: str) -> None:
        """Tell ``security``, such as PIN_CHANGED by a user."""
        value = {"display_phone_number": number.digits, "event": event, "requester": requester}
        self._of(number, "security", value)

    def username(self, number: BusinessNumber, username: str, status: str) -> None:
        """Tell ``business_username_updates``."""
        value = {"display_phone_number": number.digits, "username": username, "status": status}
        self._of(number, "business_username_updates", value)

    def _of(self, number: BusinessNumber, field: str, value: dict[str, Any]) -> None:
        self.tell(field, self._world.accounts.wabas[number.waba_id], value, number)

    @property
    def _per_business(self) -> bool:
        return since_v24(self._world.config.webhook_version)
