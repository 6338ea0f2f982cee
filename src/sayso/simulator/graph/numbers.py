"""Phone numbers: what they are, their registration, PIN, verification and callback (cloud-api.md 8.1)."""

from datetime import UTC, datetime
from typing import Any

import phonenumbers
from aiohttp import web

from sayso.simulator.accounts.announcements import Announcements
from sayso.simulator.call import Call, Route, answer, check_product, required, success
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import json_in
from sayso.simulator.graph.health import health_of_number
from sayso.simulator.graph.paging import paged
from sayso.simulator.graph.selection import ABSENT, Field, Reader, plain_readers, select
from sayso.simulator.graph.verification import Verification
from sayso.simulator.live import Live
from sayso.simulator.world.accounts import MANAGEMENT, App, BusinessNumber
from sayso.simulator.world.ids import calling_code, region
from sayso.simulator.world.world import World

TYPE = "WhatsAppBusinessPhoneNumber"
DEFAULT = (
    "verified_name,code_verification_status,display_phone_number,quality_rating,platform_type,throughput,"
    "webhook_configuration,id"
)
PIN_DIGITS = 6
REGISTRATIONS_AT_MOST, REGISTRATIONS_WITHIN_S = 10, 72 * 3600  # 6
#: Where data can be kept; Meta's list, the sheet names only the parameter (8.1).
LOCAL_REGIONS = ("AE", "AU", "BH", "BR", "CA", "CH", "DE", "GB", "ID", "IN", "JP", "KR", "SG", "ZA")
_CODE_METHODS = ("SMS", "VOICE")
#: Fields the type has, of which nothing is simulated: they are left out, as empty ones are.
_EMPTY = (
    "certificate",
    "conversational_automation",
    "eligibility_for_api_business_global_search",
    "new_certificate",
    "new_display_name",
    "new_name_status",
    "search_visibility",
)


class NumberCalls:
    """The node of a number, a WABA's list of them, registration and verification."""

    def __init__(
        self, world: World, announcements: Announcements, verification: Verification, live: Live
    ) -> None:
        self._world = world
        self._announcements = announcements
        self._verification = verification
        self._live = live

    def routes(self) -> list[Route]:
        """List what is answered here."""
        return [
            Route("GET", "number", "", "number", MANAGEMENT, self._describe),
            Route("POST", "number", "", "number", MANAGEMENT, self._change),
            Route("GET", "waba", "phone_numbers", "phone_numbers", MANAGEMENT, self._list),
            Route("POST", "number", "register", "register", MANAGEMENT, self._register),
            Route("POST", "number", "deregister", "register", MANAGEMENT, self._deregister),
            Route("POST", "number", "request_code", "request_code", MANAGEMENT, self._request_code),
            Route("POST", "number", "verify_code", "verify_code", MANAGEMENT, self._verify_code),
        ]

    async def _describe(self, call: Call) -> web.Response:
        return answer(described(self._world, self._number(call), call.app, call.query.get("fields")))

    async def _list(self, call: Call) -> web.Response:
        """List a WABA's numbers, in the order of their opening."""
        world, fields = self._world, call.query.get("fields")
        numbers = list(world.accounts.numbers_of(call.node))
        places = {each: place for place, each in enumerate(world.accounts.numbers)}
        return answer(
            paged(
                call,
                numbers,
                lambda each: described(world, each, call.app, fields),
                rank=lambda each: places[each.phone_number_id],
            )
        )

    async def _change(self, call: Call) -> web.Response:
        """Set the two-step PIN, or the number's own callback; an empty URI takes it away."""
        given, number = await call.given(), self._number(call)
        unknown = given.keys() - {"pin", "webhook_configuration", "messaging_product"}
        if unknown:
            raise GraphError(100, f"Unexpected param {', '.join(sorted(unknown))}: it is not simulated.")
        if given.keys().isdisjoint({"pin", "webhook_configuration"}):
            raise GraphError(100, "One of the params pin and webhook_configuration is required.")
        pin = _pin(given) if "pin" in given else None
        if "webhook_configuration" in given:
            wanted = json_in(given["webhook_configuration"], "webhook_configuration")
            if not isinstance(wanted, dict):
                raise GraphError(100, "Param webhook_configuration must be an object.")
            number.override = await self._verification.override(wanted)
        if pin is not None:
            number.pin = pin
            self._announcements.security(number, "PIN_CHANGED", call.token.user_id)
        self._changed()
        return success()

    async def _register(self, call: Call) -> web.Response:
        """Register a number with its PIN; the first PIN becomes the number's own."""
        given, number = await call.given(), self._number(call)
        check_product(given)
        pin = _pin(given)
        region_wanted = given.get("data_localization_region")
        if region_wanted is not None and str(region_wanted).upper() not in LOCAL_REGIONS:
            raise GraphError(
                100, f"Param data_localization_region must be one of {{{', '.join(LOCAL_REGIONS)}}}."
            )
        self._count_registration(number)
        if number.code_verification_status != "VERIFIED":
            raise GraphError(133006, "The phone number must be verified before it is registered.")
        if number.pin not in (None, pin):
            raise GraphError(133005, "The PIN is not the one two-step verification was set up with.")
        first = not number.registered
        number.pin, number.registered, number.status = pin, True, "CONNECTED"
        if first:
            number.onboarded_at = self._world.clock.now()
            self._announcements.quality(number, "ONBOARDING", "TIER_NOT_SET")
        self._changed()
        return success()

    async def _deregister(self, call: Call) -> web.Response:
        number = self._number(call)
        self._count_registration(number)
        if not number.registered:
            raise GraphError(133010, "The phone number is not registered.")
        number.registered, number.status = False, "DISCONNECTED"
        self._changed()
        return success()

    async def _request_code(self, call: Call) -> web.Response:
        """Send a verification code, which the control API tells (``verification_code``)."""
        given, number = await call.given(), self._number(call)
        if str(required(given, "code_method")).upper() not in _CODE_METHODS:
            raise GraphError(100, f"Param code_method must be one of {{{', '.join(_CODE_METHODS)}}}.")
        required(given, "language")
        number.verification_code = self._world.mint.node_id()[-PIN_DIGITS:]
        self._changed()
        return success()

    async def _verify_code(self, call: Call) -> web.Response:
        given, number = await call.given(), self._number(call)
        code = str(required(given, "code")).replace("-", "")
        if code != number.verification_code:
            raise GraphError(100, "Param code is not the code that was sent to the phone number last.")
        number.code_verification_status, number.verification_code = "VERIFIED", None
        self._changed()
        return success()

    def _count_registration(self, number: BusinessNumber) -> None:
        """Count a (de)registration; raise 133016 beyond 10 in 72 hours (5.3, 6)."""
        now = self._world.clock.now()
        number.registrations = [at for at in number.registrations if at > now - REGISTRATIONS_WITHIN_S]
        if len(number.registrations) >= REGISTRATIONS_AT_MOST:
            raise GraphError(
                133016,
                f"The phone number was registered and deregistered {REGISTRATIONS_AT_MOST} times in 72 hours.",
            )
        number.registrations.append(now)

    def _number(self, call: Call) -> BusinessNumber:
        return self._world.accounts.numbers[call.node]

    def _changed(self) -> None:
        self._live.publish("accounts", dict)


def described(
    world: World, number: BusinessNumber, app: App, fields: str | tuple[Field, ...] | None
) -> dict[str, Any]:
    """Describe a number by the fields asked for, or the usual ones (8.1)."""
    return select(TYPE, _readers(world, number, app), fields, DEFAULT)


def display(digits: str) -> str:
    """Write a number as the API shows it, such as ``+1 555-010-0000``."""
    parsed = phonenumbers.parse(f"+{digits}")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _readers(world: World, number: BusinessNumber, app: App) -> dict[str, Reader]:
    portfolio = world.accounts.portfolio_of(number)
    plain = {
        "id": number.phone_number_id,
        "account_mode": number.account_mode,
        "code_verification_status": number.code_verification_status,
        "country_code": region(number.digits),
        "country_dial_code": str(calling_code(number.digits)),
        "display_phone_number": display(number.digits),
        "is_official_business_account": number.official,
        "is_on_biz_app": number.coexistence,
        "is_pin_enabled": number.pin is not None,
        "is_preverified_number": False,
        "last_onboarded_time": _moment(number.onboarded_at),
        "messaging_limit_tier": portfolio.tier,  # deprecated (6)
        "name_status": number.name_status,
        "platform_type": "CLOUD_API" if number.registered else "NOT_APPLICABLE",
        "quality_rating": number.quality_rating,
        "quality_score": {"score": number.quality_rating},
        "status": number.status,
        "throughput": {"level": number.throughput if number.registered else "NOT_APPLICABLE"},
        "username": number.username or ABSENT,
        "verified_name": number.verified_name,
        "whatsapp_business_manager_messaging_limit": portfolio.tier,
        **dict.fromkeys(_EMPTY, ABSENT),
    }
    readers = plain_readers(plain)
    readers["webhook_configuration"] = lambda _: _callbacks(world, number, app)
    readers["health_status"] = lambda _: health_of_number(world, number, app)
    return readers


def _callbacks(world: World, number: BusinessNumber, app: App) -> dict[str, str]:
    """Tell the callbacks in force for an app: the number's own, the WABA's, the app's (4.1)."""
    of_waba = world.accounts.wabas[number.waba_id].subscribed.get(app.id)
    told = {
        "phone_number": number.override and number.override.callback_url,
        "whatsapp_business_account": of_waba and of_waba.callback_url,
        "application": app.subscription and app.subscription.callback_url,
    }
    return {key: url for key, url in told.items() if url}


def _pin(given: dict[str, Any]) -> str:
    pin = str(required(given, "pin"))
    if len(pin) != PIN_DIGITS or not (pin.isascii() and pin.isdigit()):
        raise GraphError(100, f"Param pin must be {PIN_DIGITS} digits long.")
    return pin


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
