"""The business's side of the world: portfolio, WABAs, phone numbers, apps and tokens (cloud-api.md 1.3, 6, 8)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from sayso.simulator.config import Tier

MESSAGING = "whatsapp_business_messaging"
MANAGEMENT = "whatsapp_business_management"
#: Every webhook field of 4.1 that the simulator tells.
FIELDS = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_update",
        "business_capability_update",
        "business_username_updates",
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "messages",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
        "template_category_update",
        "user_preferences",
    }
)
#: Fields of 4.1 that can be subscribed to, though nothing here ever tells them.
QUIET_FIELDS = frozenset(
    {
        "automatic_events",
        "calls",
        "flows",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "history",
        "partner_solutions",
        "payment_configuration_update",
        "smb_app_state_sync",
        "smb_message_echoes",
        "standby",
    }
)

Quality = Literal["GREEN", "YELLOW", "RED", "UNKNOWN"]
NameStatus = Literal[
    "APPROVED", "AVAILABLE_WITHOUT_REVIEW", "DECLINED", "EXPIRED", "PENDING_REVIEW", "NONE"
]  # 8.1
NumberStatus = Literal[
    "CONNECTED",
    "PENDING",
    "FLAGGED",
    "RESTRICTED",
    "RATE_LIMITED",
    "DISCONNECTED",
    "BANNED",
    "MIGRATED",
    "DELETED",
    "UNVERIFIED",
]  # 8.1
#: Who has a username that is asked for: Page and Instagram account can be linked, somebody else's is gone (147001-4).
Holder = Literal["somebody", "facebook", "instagram"]
CodeVerification = Literal["VERIFIED", "NOT_VERIFIED", "EXPIRED"]


@dataclass(slots=True)
class Portfolio:
    """A business portfolio: BSUIDs and the messaging limit are scoped to it (4.7, 6)."""

    id: str
    name: str = "Sayso"
    tier: Tier = "TIER_UNLIMITED"
    verified: bool = True
    #: People (wa_ids) whose number the Meta-hosted contact book keeps visible, on by default (4.7).
    contact_book: set[str] = field(default_factory=set)
    contact_book_on: bool = True


@dataclass(slots=True)
class Override:
    """A callback of a WABA or a number that takes the place of the app's own (4.1)."""

    callback_url: str
    verify_token: str = ""


@dataclass(slots=True)
class Restriction:
    """Why sends of a WABA or a number fail: the code of 5.3 and words, at once or by webhook.

    ``countries`` (two letters each) limits it to people there, as 130497 does; ``business_initiated`` to messages
    outside a window (4.11, 7.7); ``until`` (simulated unix seconds) in time.
    """

    code: int
    details: str
    late: bool = False
    countries: list[str] | None = None
    business_initiated: bool = False
    until: float | None = None


@dataclass(slots=True)
class Waba:
    """A WhatsApp business account. ``subscribed`` holds, per app id, the override of its callback or None (8.2)."""

    id: str
    portfolio_id: str
    name: str = "Sayso"
    currency: str = "USD"
    timezone_id: str = "1"
    country: str = "US"
    message_template_namespace: str = "5f1b0f6e_0000_4000_8000_000000000001"
    account_review_status: str = "APPROVED"
    business_verification_status: str = "verified"
    ownership_type: str = "SELF"
    insights: bool = False
    template_creations: list[float] = field(default_factory=list)  # within the last hour (3.4)
    subscribed: dict[str, Override | None] = field(default_factory=dict)
    restriction: Restriction | None = None
    marketing_disabled: bool = False  # disable_marketing_messages_on_cloud_api, 131063


@dataclass(slots=True)
class BusinessNumber:
    """One of the business's phone numbers (8.1). ``allowed`` limits a test number to these people (131030)."""

    phone_number_id: str
    waba_id: str
    digits: str
    verified_name: str
    status: NumberStatus = "CONNECTED"
    quality_rating: Quality = "GREEN"
    throughput: Literal["STANDARD", "HIGH"] = "STANDARD"
    registered: bool = True
    pin: str | None = None
    account_mode: Literal["LIVE", "SANDBOX"] = "LIVE"
    name_status: NameStatus = "APPROVED"
    code_verification_status: CodeVerification = "VERIFIED"
    verification_code: str | None = None  # the one last sent by request_code
    official: bool = False  # is_official_business_account
    onboarded_at: float = 0.0
    #: When it was registered or deregistered in the last 72 h: 10 at most (6).
    registrations: list[float] = field(default_factory=list)
    username: str | None = None
    identity_check: bool = False
    coexistence: bool = False  # also on the Business app: edits and deletions arrive as such (4.8)
    profile: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)  # wa_ids the business blocked
    allowed: set[str] | None = None
    override: Override | None = None
    restriction: Restriction | None = None

    @property
    def per_second(self) -> int:
        """Messages a second, in and out together (6); those also on the Business app have 20 for good."""
        if self.coexistence:
            return 20
        return 80 if self.throughput == "STANDARD" else 1_000


@dataclass(slots=True)
class Subscription:
    """An app's webhook subscription to ``whatsapp_business_account`` (4.1)."""

    callback_url: str
    verify_token: str
    fields: set[str] = field(default_factory=lambda: set(FIELDS))
    verification: str = "not yet tried"


@dataclass(slots=True)
class App:
    """A Meta app: its secret signs its webhooks (4.3) and proves its tokens (1.3)."""

    id: str
    secret: str
    name: str = "Sayso"
    require_proof: bool = False  # "Require app secret"
    subscription: Subscription | None = None


@dataclass(slots=True)
class Token:
    """An access token (1.3). ``waba_ids`` None reaches every WABA; ``expires_at`` None never expires."""

    value: str
    app_id: str
    scopes: tuple[str, ...] = (MANAGEMENT, MESSAGING)
    kind: Literal["SYSTEM_USER", "USER", "APP"] = "SYSTEM_USER"
    waba_ids: tuple[str, ...] | None = None
    issued_at: float = 0.0
    expires_at: float | None = None
    subcode: int | None = None  # set when invalidated: 460 password changed, 467 invalid
    user_id: str = "300000000000009"


@dataclass(slots=True)
class HourOfCalls:
    """How many calls were made in each minute of unix time, for an hour back, and in all of them."""

    minutes: dict[int, int] = field(default_factory=dict)
    total: int = 0


@dataclass(slots=True)
class Accounts:
    """Everything a business has at Meta, found by id."""

    portfolios: dict[str, Portfolio] = field(default_factory=dict)
    wabas: dict[str, Waba] = field(default_factory=dict)
    numbers: dict[str, BusinessNumber] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    held_usernames: dict[str, Holder] = field(default_factory=dict)
    #: Management calls of the last hour, by "app/waba": when they were made, oldest first (6).
    management_calls: dict[str, list[float]] = field(default_factory=dict)
    #: Other calls of the last hour, by "app/waba" (6).
    other_calls: dict[str, HourOfCalls] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        for kept in (self.portfolios, self.wabas, self.numbers, self.apps, self.tokens):
            kept.clear()
        self.held_usernames.clear()
        self.management_calls.clear()
        self.other_calls.clear()

    def numbers_of(self, waba_id: str) -> Iterator[BusinessNumber]:
        """Walk a WABA's numbers."""
        return (each for each in self.numbers.values() if each.waba_id == waba_id)

    def wabas_of(self, portfolio_id: str) -> Iterator[Waba]:
        """Walk a portfolio's WABAs."""
        return (each for each in self.wabas.values() if each.portfolio_id == portfolio_id)

    def is_user(self, node: str) -> bool:
        """Tell whether this is the id of a (system) user, which is whoever has a token."""
        return any(each.user_id == node for each in self.tokens.values())

    def portfolio_of(self, number: BusinessNumber) -> Portfolio:
        """Return the portfolio a number belongs to."""
        return self.portfolios[self.wabas[number.waba_id].portfolio_id]
