"""Whether a number may send at all, and to this person: registration, restrictions, lists (cloud-api.md 5.3, 7.7)."""

from sayso.simulator.rules.countries import country
from sayso.simulator.rules.refusal import Refusal
from sayso.simulator.world.accounts import BusinessNumber, Restriction, Waba
from sayso.simulator.world.people import Person

NOT_REGISTERED = Refusal(
    133010, "Account does not exist in Cloud API, please use /register API to create an account first."
)
#: The numbers that Meta itself hands out, and the states of a display name with which they may send (131037).
OF_META, NAMED = "1555", ("APPROVED", "AVAILABLE_WITHOUT_REVIEW")
NO_NAME = Refusal(
    131037, "The display name of this phone number must be approved before messages can be sent from it."
)
NOT_ALLOWED = Refusal(
    131030,
    "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.",
)
BLOCKED_BY_BUSINESS = Refusal(130403, "The recipient is on this phone number's list of blocked users.")
UNDELIVERABLE = Refusal(
    131026,
    "Message Undeliverable. The recipient may not be on WhatsApp, may not have accepted its terms, or may use an "
    "old version.",
)


def of_number(number: BusinessNumber) -> Refusal | None:
    """Refuse for a number that is not registered, or a +1 555 one whose display name is not approved."""
    if not number.registered:
        return NOT_REGISTERED
    named = number.name_status in NAMED or not number.digits.startswith(OF_META)
    return None if named else NO_NAME


def towards(number: BusinessNumber, wa_id: str) -> Refusal | None:
    """Refuse for a person beyond a test number's allowed recipients, or blocked by the business (8.4)."""
    if number.allowed is not None and wa_id not in number.allowed:
        return NOT_ALLOWED
    return BLOCKED_BY_BUSINESS if wa_id in number.blocked else None


def restricted(
    number: BusinessNumber, waba: Waba, wa_id: str, now: float, *, outside: bool, late: bool
) -> Refusal | None:
    """Refuse for a restriction on the number or its WABA; ``late`` picks those told by webhook, or the others."""
    for each in (number.restriction, waba.restriction):
        if each is not None and each.late is late and _applies(each, wa_id, now, outside=outside):
            return Refusal(each.code, each.details)
    return None


def of_person(number: BusinessNumber, person: Person) -> Refusal | None:
    """Refuse for a person who is not on WhatsApp, or who blocked the number, which looks the same."""
    reachable = person.on_whatsapp and number.phone_number_id not in person.blocked_by
    return None if reachable else UNDELIVERABLE


def _applies(restriction: Restriction, wa_id: str, now: float, *, outside: bool) -> bool:
    if restriction.until is not None and now >= restriction.until:
        return False
    if restriction.business_initiated and not outside:
        return False
    return restriction.countries is None or country(wa_id) in restriction.countries
