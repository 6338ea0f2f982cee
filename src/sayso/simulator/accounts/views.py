"""Accounts as the control API tells them, secrets and all (docs/simulator-control.md)."""

from dataclasses import asdict
from typing import Any

from sayso.simulator.world.accounts import App, BusinessNumber, Portfolio, Token, Waba
from sayso.simulator.world.world import World


def everything(world: World) -> dict[str, Any]:
    """Describe all accounts, each kind in the order of its opening."""
    accounts, now = world.accounts, world.clock.now()
    return {
        "portfolios": [portfolio_told(each) for each in accounts.portfolios.values()],
        "wabas": [waba_told(each) for each in accounts.wabas.values()],
        "numbers": [number_told(each, world) for each in accounts.numbers.values()],
        "apps": [app_told(each) for each in accounts.apps.values()],
        "tokens": [token_told(each, now) for each in accounts.tokens.values()],
    }


def portfolio_told(portfolio: Portfolio) -> dict[str, Any]:
    """Describe a portfolio."""
    return {
        "id": portfolio.id,
        "name": portfolio.name,
        "tier": portfolio.tier,
        "verified": portfolio.verified,
        "contact_book_on": portfolio.contact_book_on,
    }


def waba_told(waba: Waba) -> dict[str, Any]:
    """Describe a WABA and who hears of it."""
    return {
        "id": waba.id,
        "portfolio_id": waba.portfolio_id,
        "name": waba.name,
        "currency": waba.currency,
        "country": waba.country,
        "timezone_id": waba.timezone_id,
        "account_review_status": waba.account_review_status,
        "business_verification_status": waba.business_verification_status,
        "insights": waba.insights,
        "marketing_disabled": waba.marketing_disabled,
        "restriction": waba.restriction and asdict(waba.restriction),
        "subscribed": [
            {"app_id": app_id, "override_callback_uri": override and override.callback_url}
            for app_id, override in waba.subscribed.items()
        ],
    }


def number_told(number: BusinessNumber, world: World) -> dict[str, Any]:
    """Describe a number, with the tier of its portfolio and the code it was last sent."""
    portfolio = world.accounts.portfolio_of(number)
    return {
        "id": number.phone_number_id,
        "waba_id": number.waba_id,
        "portfolio_id": portfolio.id,
        "display_phone_number": number.digits,
        "verified_name": number.verified_name,
        "status": number.status,
        "quality_rating": number.quality_rating,
        "throughput": number.throughput,
        "tier": portfolio.tier,
        "registered": number.registered,
        "pin": number.pin,
        "account_mode": number.account_mode,
        "name_status": number.name_status,
        "code_verification_status": number.code_verification_status,
        "verification_code": number.verification_code,
        "username": number.username,
        "official": number.official,
        "identity_check": number.identity_check,
        "coexistence": number.coexistence,
        "allowed": None if number.allowed is None else sorted(number.allowed),
        "blocked": sorted(number.blocked),
        "override_callback_uri": number.override and number.override.callback_url,
        "restriction": number.restriction and asdict(number.restriction),
    }


def app_told(app: App) -> dict[str, Any]:
    """Describe an app and its subscription."""
    subscription = app.subscription and {
        "callback_url": app.subscription.callback_url,
        "verify_token": app.subscription.verify_token,
        "fields": sorted(app.subscription.fields),
        "verification": app.subscription.verification,
    }
    return {
        "id": app.id,
        "name": app.name,
        "secret": app.secret,
        "require_proof": app.require_proof,
        "subscription": subscription,
    }


def token_told(token: Token, now: float) -> dict[str, Any]:
    """Describe a token, value and all, and whether it is still good."""
    over = token.expires_at is not None and token.expires_at <= now
    return {
        "value": token.value,
        "app_id": token.app_id,
        "kind": token.kind,
        "scopes": list(token.scopes),
        "waba_ids": None if token.waba_ids is None else list(token.waba_ids),
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "subcode": token.subcode,
        "user_id": token.user_id,
        "state": "invalidated" if token.subcode is not None else "expired" if over else "valid",
    }
