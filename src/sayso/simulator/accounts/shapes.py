"""What may be said of accounts over the control API: shapes in which every key counts (docs/simulator-control.md)."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from sayso.simulator.config import Tier
from sayso.simulator.strict import Strict
from sayso.simulator.world.accounts import (
    CodeVerification,
    Holder,
    NameStatus,
    NumberStatus,
    Quality,
)

Words = Annotated[str, msgspec.Meta(min_length=1)]
#: A new id: digits, as all of Graph's are; left out, one is struck.
Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$")]
Review = Literal["APPROVED", "PENDING", "REJECTED", "DEFERRED"]
Kind = Literal["SYSTEM_USER", "USER"]


class Restrict(Strict, omit_defaults=True):
    """A restriction: the code that sends fail with, at once or ``late`` by webhook (5.3, 7.7).

    Without ``details`` the code's own words are told.

    ``countries`` limits it to people there, ``business_initiated`` to messages outside a window, ``for_s`` to so
    many simulated seconds. ``kind`` and ``remediation`` are told by the webhook ``account_update``.
    """

    code: Annotated[int, msgspec.Meta(gt=0)]
    details: str = ""
    late: bool = False
    countries: list[str] | None = None
    business_initiated: bool = False
    for_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    kind: Words = "RESTRICTED_BIZ_INITIATED_MESSAGING"
    remediation: str = ""


class Redirect(Strict):
    """An override of the callback; no handshake is done."""

    callback_url: Words
    verify_token: str = ""


class PortfolioChange(Strict):
    """What may change about a portfolio."""

    name: Words | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    verified: bool | UnsetType = UNSET
    contact_book_on: bool | UnsetType = UNSET


class NewPortfolio(PortfolioChange):
    """A portfolio."""

    id: Id | None = None


class WabaChange(Strict):
    """What may change about a WABA; ``apps`` are the ids of those that hear of it."""

    name: Words | UnsetType = UNSET
    currency: Words | UnsetType = UNSET
    country: Words | UnsetType = UNSET
    timezone_id: Words | UnsetType = UNSET
    account_review_status: Review | UnsetType = UNSET
    business_verification_status: Words | UnsetType = UNSET
    insights: bool | UnsetType = UNSET
    marketing_disabled: bool | UnsetType = UNSET
    restriction: Restrict | UnsetType | None = UNSET
    apps: list[str] | UnsetType = UNSET


class NewWaba(WabaChange):
    """A WABA, by default of the first portfolio; no app hears of it until it subscribes or is named."""

    id: Id | None = None
    portfolio_id: str | None = None


class NumberChange(Strict):
    """What may change about a number; ``allowed`` are at most five people a test number may write to (131030)."""

    verified_name: Words | UnsetType = UNSET
    status: NumberStatus | UnsetType = UNSET
    quality_rating: Quality | UnsetType = UNSET
    throughput: Literal["STANDARD", "HIGH"] | UnsetType = UNSET
    registered: bool | UnsetType = UNSET
    pin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")] | UnsetType | None = UNSET
    account_mode: Literal["LIVE", "SANDBOX"] | UnsetType = UNSET
    name_status: NameStatus | UnsetType = UNSET
    code_verification_status: CodeVerification | UnsetType = UNSET
    username: Words | UnsetType | None = UNSET
    official: bool | UnsetType = UNSET
    identity_check: bool | UnsetType = UNSET
    coexistence: bool | UnsetType = UNSET
    allowed: Annotated[list[str], msgspec.Meta(max_length=5)] | UnsetType | None = UNSET
    restriction: Restrict | UnsetType | None = UNSET
    override: Redirect | UnsetType | None = UNSET


class NewNumber(NumberChange, kw_only=True):
    """A phone number in international form, by default of the first WABA, registered and ready to send."""

    phone: Words
    id: Id | None = None
    waba_id: str | None = None


class AppChange(Strict):
    """What may change about an app; with ``callback_url`` it is subscribed there, no handshake is done."""

    name: Words | UnsetType = UNSET
    secret: Words | UnsetType = UNSET
    require_proof: bool | UnsetType = UNSET
    callback_url: Words | UnsetType | None = UNSET
    verify_token: str | UnsetType = UNSET
    fields: list[str] | UnsetType = UNSET


class NewApp(AppChange):
    """An app; its secret is struck when none is given."""

    id: Id | None = None


class TokenChange(Strict):
    """What may change about a token.

    ``expires_in_s`` counts from now (0 is expired, null never expires); ``subcode`` invalidates it (460 password
    changed, 467 invalid), null makes it valid again.
    """

    scopes: list[str] | UnsetType = UNSET
    waba_ids: list[str] | UnsetType | None = UNSET
    expires_in_s: Annotated[float, msgspec.Meta(ge=0)] | UnsetType | None = UNSET
    subcode: Literal[460, 467] | UnsetType | None = UNSET
    user_id: Id | UnsetType = UNSET


class NewToken(TokenChange):
    """A token, by default of the first app; its value is struck when none is given."""

    value: Words | None = None
    app_id: str | None = None
    kind: Kind = "SYSTEM_USER"


class HeldUsername(Strict):
    """A username that is not free: somebody else's, or that of an own Page or Instagram account (147001-4)."""

    username: Words
    by: Holder | None = "somebody"
