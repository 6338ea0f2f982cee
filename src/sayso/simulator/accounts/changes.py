"""Opening accounts and changing them from outside, as Meta would; the webhooks of 4.11 tell of it."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from sayso.simulator.accounts.announcements import Announcements
from sayso.simulator.accounts.shapes import (
    AppChange,
    NewApp,
    NewNumber,
    NewPortfolio,
    NewToken,
    NewWaba,
    NumberChange,
    PortfolioChange,
    Redirect,
    Restrict,
    TokenChange,
    WabaChange,
)
from sayso.simulator.accounts.views import everything
from sayso.simulator.error_codes import row_of
from sayso.simulator.live import Live
from sayso.simulator.mistakes import wrong_callback
from sayso.simulator.rules.reach import LIMITS
from sayso.simulator.strict import ControlError, Strict, converted
from sayso.simulator.world.accounts import (
    FIELDS,
    App,
    BusinessNumber,
    Holder,
    Override,
    Portfolio,
    Restriction,
    Subscription,
    Token,
    Waba,
)
from sayso.simulator.world.numbers import international
from sayso.simulator.world.world import World

T = TypeVar("T")
_LOCKED = 131031  # the restriction that disables the whole account
_UNLIMITED = float("inf")
_PORTFOLIO_PLAIN = ("name", "tier", "verified", "contact_book_on")
_WABA_PLAIN = (
    "name",
    "currency",
    "country",
    "timezone_id",
    "business_verification_status",
    "insights",
    "marketing_disabled",
)
_NUMBER_PLAIN = (
    "account_mode",
    "code_verification_status",
    "coexistence",
    "identity_check",
    "pin",
    "registered",
    "status",
    "username",
)


class AccountChanges:
    """Accounts as Python has them: ``sim.accounts.change_number(id, quality_rating="RED")``.

    Keyword arguments are the keys of the control API; an unknown one or a value that cannot be is a ControlError.
    """

    def __init__(self, world: World, announcements: Announcements, live: Live) -> None:
        self._world = world
        self._accounts = world.accounts
        self._tell = announcements
        self._live = live

    def listed(self) -> dict[str, Any]:
        """Describe everything there is, tokens with their values."""
        return everything(self._world)

    # --- opening ------------------------------------------------------------------------------------------

    def add_portfolio(self, /, **said: Any) -> Portfolio:
        """Open a portfolio."""
        wanted = converted(said, NewPortfolio)
        portfolio = Portfolio(self._new_id(wanted.id))
        self._accounts.portfolios[portfolio.id] = portfolio
        _set(portfolio, wanted, _PORTFOLIO_PLAIN)
        self._changed()
        return portfolio

    def add_waba(self, /, **said: Any) -> Waba:
        """Open a WABA, with the templates that are there from the start; it tells nobody yet."""
        wanted = converted(said, NewWaba)
        portfolio = _found(self._accounts.portfolios, wanted.portfolio_id, "portfolio")
        self._check_apps(wanted)
        waba = Waba(self._new_id(wanted.id), portfolio.id)
        self._world.add_waba(waba)
        self._apply_waba(waba, wanted)
        return waba

    def add_number(self, /, **said: Any) -> BusinessNumber:
        """Open a phone number, registered."""
        wanted = converted(said, NewNumber)
        waba = _found(self._accounts.wabas, wanted.waba_id, "WABA")
        digits = self._digits(wanted.phone)
        if any(each.digits == digits for each in self._accounts.numbers.values()):
            raise ControlError(f"{wanted.phone} is a business number already")
        number = BusinessNumber(self._new_id(wanted.id), waba.id, digits, waba.name)
        number.onboarded_at = self._world.clock.now()
        self._apply_number(number, wanted)
        self._accounts.numbers[number.phone_number_id] = number
        self._changed()
        return number

    def add_app(self, /, **said: Any) -> App:
        """Open an app."""
        wanted = converted(said, NewApp)
        app = App(self._new_id(wanted.id), self._world.mint.opaque(24))
        self._apply_app(app, wanted)
        self._accounts.apps[app.id] = app
        self._changed()
        return app

    def add_token(self, /, **said: Any) -> Token:
        """Issue a token."""
        wanted = converted(said, NewToken)
        app = _found(self._accounts.apps, wanted.app_id, "app")
        value = wanted.value or f"EAA{self._world.mint.opaque(96)}"
        if value in self._accounts.tokens:
            raise ControlError("there is such a token already; POST /_sim/tokens/{value} changes it")
        token = Token(value, app.id, kind=wanted.kind, issued_at=self._world.clock.now())
        self._apply_token(token, wanted)
        self._accounts.tokens[value] = token
        self._changed()
        return token

    # --- changing -----------------------------------------------------------------------------------------

    def change_portfolio(self, portfolio_id: str, /, **said: Any) -> Portfolio:
        """Change a portfolio; a new tier is told of every number and WABA of it."""
        wanted = converted(said, PortfolioChange)
        portfolio = _found(self._accounts.portfolios, portfolio_id, "portfolio")
        before, verified = portfolio.tier, portfolio.verified
        _set(portfolio, wanted, _PORTFOLIO_PLAIN)
        if portfolio.tier != before:
            self._tier_changed(portfolio, before)
        elif portfolio.verified != verified:
            self._tell.capability(portfolio)
        self._changed()
        return portfolio

    def change_waba(self, waba_id: str, /, **said: Any) -> Waba:
        """Change a WABA; a restriction or a verdict of the review is told."""
        waba = _found(self._accounts.wabas, waba_id, "WABA")
        self._apply_waba(waba, converted(said, WabaChange))
        return waba

    def change_number(self, phone_number_id: str, /, **said: Any) -> BusinessNumber:
        """Change a number; what Meta tells of, is told."""
        number = _found(self._accounts.numbers, phone_number_id, "phone number")
        self._apply_number(number, converted(said, NumberChange))
        return number

    def change_app(self, app_id: str, /, **said: Any) -> App:
        """Change an app."""
        app = _found(self._accounts.apps, app_id, "app")
        self._apply_app(app, converted(said, AppChange))
        self._changed()
        return app

    def change_token(self, value: str, /, **said: Any) -> Token:
        """Change a token: let it expire, invalidate it, take a permission away."""
        token = _found(self._accounts.tokens, value, "token")
        self._apply_token(token, converted(said, TokenChange))
        self._changed()
        return token

    def hold_username(self, username: str, by: Holder | None = "somebody") -> None:
        """Let a username be somebody's, so that it cannot be adopted; None frees it."""
        if by is None:
            self._accounts.held_usernames.pop(username.lower(), None)
        else:
            self._accounts.held_usernames[username.lower()] = by

    # --- what a change does -------------------------------------------------------------------------------

    def _check_apps(self, wanted: WabaChange) -> None:
        for app_id in [] if isinstance(wanted.apps, UnsetType) else wanted.apps:
            _found(self._accounts.apps, app_id, "app")

    def _apply_waba(self, waba: Waba, wanted: WabaChange) -> None:
        self._check_apps(wanted)
        _set(waba, wanted, _WABA_PLAIN)
        if not isinstance(wanted.apps, UnsetType):
            waba.subscribed = {app_id: waba.subscribed.get(app_id) for app_id in wanted.apps}
        before = waba.account_review_status
        _set(waba, wanted, ("account_review_status",))
        if waba.account_review_status != before:
            self._tell.review(waba)
        if not isinstance(wanted.restriction, UnsetType):
            self._restrict(waba, None, wanted.restriction)
        self._changed()

    def _apply_number(self, number: BusinessNumber, wanted: NumberChange) -> None:
        allowed = wanted.allowed
        if not isinstance(allowed, UnsetType):
            number.allowed = None if allowed is None else {self._digits(phone) for phone in allowed}
        _set(number, wanted, _NUMBER_PLAIN)
        if not isinstance(wanted.override, UnsetType):
            number.override = _override(wanted.override)
        if not isinstance(wanted.restriction, UnsetType):
            self._restrict(self._accounts.wabas[number.waba_id], number, wanted.restriction)
        self._apply_name(number, wanted)
        self._apply_quality(number, wanted)
        if wanted.official is True and not number.official:
            self._tell.alert(number, "OBA_APPROVED", "The phone number is an official business account now.")
        _set(number, wanted, ("official",))
        self._changed()

    def _apply_name(self, number: BusinessNumber, wanted: NumberChange) -> None:
        """Change the display name; a verdict on it is told."""
        before = number.name_status
        _set(number, wanted, ("verified_name", "name_status"))
        if number.name_status == before or number.name_status not in ("APPROVED", "DECLINED"):
            return
        declined = number.name_status == "DECLINED"
        self._tell.name(number, number.name_status, "NAME_DOES_NOT_MATCH_BUSINESS" if declined else None)

    def _apply_quality(self, number: BusinessNumber, wanted: NumberChange) -> None:
        """Change quality and throughput; Meta tells when a number is flagged, no longer is, or gets faster."""
        quality, throughput = number.quality_rating, number.throughput
        _set(number, wanted, ("quality_rating", "throughput"))
        if number.quality_rating == "RED" != quality:
            number.status = "FLAGGED"
            self._tell.quality(number, "FLAGGED")
        elif quality == "RED" != number.quality_rating:
            number.status = "CONNECTED"
            self._tell.quality(number, "UNFLAGGED")
        if number.throughput == "HIGH" != throughput:
            self._tell.quality(number, "THROUGHPUT_UPGRADE")

    def _restrict(self, waba: Waba, number: BusinessNumber | None, wanted: Restrict | None) -> None:
        """Restrict a number or a whole WABA, or lift it; a locked account is told as disabled (4.11)."""
        owner = number or waba
        before, now = owner.restriction, self._world.clock.now()
        if wanted is None:
            owner.restriction = None
            if before is not None and before.code == _LOCKED:
                self._tell.ban(waba, "REINSTATE", _day(now))
            return
        owner.restriction = Restriction(
            wanted.code,
            wanted.details or row_of(wanted.code).title,
            wanted.late,
            wanted.countries,
            wanted.business_initiated,
            None if wanted.for_s is None else now + wanted.for_s,
        )
        if wanted.code == _LOCKED:
            self._tell.ban(waba, "DISABLE", _day(now))
        else:
            self._tell.restricted(
                waba, wanted.kind, wanted.remediation, number, until=owner.restriction.until
            )

    def _tier_changed(self, portfolio: Portfolio, before: str) -> None:
        up = _size(portfolio.tier) > _size(before)
        for waba in self._accounts.wabas_of(portfolio.id):
            for number in self._accounts.numbers_of(waba.id):
                self._tell.quality(number, "UPGRADE" if up else "DOWNGRADE", before)
        self._tell.capability(portfolio)

    def _apply_app(self, app: App, wanted: AppChange) -> None:
        unknown = set() if isinstance(wanted.fields, UnsetType) else set(wanted.fields) - FIELDS
        if unknown:
            raise ControlError(f"`fields`: {', '.join(sorted(unknown))} is told by no webhook here")
        _check_callback(wanted.callback_url)
        _set(app, wanted, ("name", "secret", "require_proof"))
        if wanted.callback_url is None:
            app.subscription = None
        elif not isinstance(wanted.callback_url, UnsetType):
            app.subscription = Subscription(wanted.callback_url, "", verification="given by the control API")
        if app.subscription is None:
            return
        _set(app.subscription, wanted, ("verify_token",))
        if not isinstance(wanted.fields, UnsetType):
            app.subscription.fields = set(wanted.fields)

    def _apply_token(self, token: Token, wanted: TokenChange) -> None:
        _set(token, wanted, ("subcode", "user_id"))
        if not isinstance(wanted.scopes, UnsetType):
            token.scopes = tuple(wanted.scopes)
        if not isinstance(wanted.waba_ids, UnsetType):
            token.waba_ids = None if wanted.waba_ids is None else tuple(wanted.waba_ids)
        if not isinstance(wanted.expires_in_s, UnsetType):
            left = wanted.expires_in_s
            token.expires_at = None if left is None else self._world.clock.now() + left

    def _new_id(self, wanted: str | None) -> str:
        accounts = self._accounts
        taken = (
            accounts.portfolios.keys()
            | accounts.wabas.keys()
            | accounts.numbers.keys()
            | accounts.apps.keys()
        )
        if wanted in taken:
            raise ControlError(f"the id {wanted} is taken")
        return wanted or self._world.mint.node_id()

    def _digits(self, phone: str) -> str:
        try:
            return international(phone)
        except ValueError as problem:
            raise ControlError(str(problem)) from problem

    def _changed(self) -> None:
        self._live.publish("accounts", dict)


def _set(target: object, wanted: Strict, names: tuple[str, ...]) -> None:
    """Set what is given; the names are the same on both sides."""
    for name in names:
        value = getattr(wanted, name)
        if value is not UNSET:
            setattr(target, name, value)


def _found(home: dict[str, T], node: str | None, what: str) -> T:
    """Return the one with this id, or the first when none is named."""
    found = next(iter(home.values()), None) if node is None else home.get(node)
    if found is None:
        raise LookupError(f"there is no {what} {node or 'yet'}")
    return found


def _override(wanted: Redirect | None) -> Override | None:
    if wanted is None:
        return None
    _check_callback(wanted.callback_url)
    return Override(wanted.callback_url, wanted.verify_token)


def _check_callback(url: str | UnsetType | None) -> None:
    if isinstance(url, str) and (words := wrong_callback(url)):
        raise ControlError(f"`callback_url` {words}")


def _size(tier: str) -> float:
    limit = LIMITS[tier]
    return _UNLIMITED if limit is None else limit


def _day(now: float) -> str:
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%B} {moment.day}, {moment.year}"
