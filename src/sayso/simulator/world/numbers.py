"""Phone numbers as people write them, and as WhatsApp knows them (cloud-api.md 2.1).

In some countries a number has two spellings, of which WhatsApp knows people by one. ``to`` may hold either;
``contacts[].wa_id`` of the answer tells the one that Meta uses. Which one that is for a number nobody has seen yet
follows the habits of each country: Brazil's ninth digit in the areas 11 to 28 and not in the others, Mexico's 1 behind
the country code, Argentina's 9.
"""

from functools import lru_cache

from sayso.simulator.errors import GraphError
from sayso.simulator.world.ids import calling_code

_PUNCTUATION = str.maketrans("", "", "+-() ")
_DIGITS_AT_LEAST, _DIGITS_AT_MOST = 7, 15  # E.164
_BRAZIL, _MEXICO, _ARGENTINA = "55", "52", "54"
_WITH_NINTH_UP_TO = 28  # area codes


def digits_of(written: str) -> str:
    """Leave out what may stand between the digits of a phone number: ``+ - ( )`` and spaces."""
    return written.translate(_PUNCTUATION)


def international(written: str) -> str:
    """Return the digits of a number in international form with its plus; raise ValueError for any other."""
    plus, digits = written.lstrip(" (")[:1], digits_of(written)
    fits = digits.isascii() and digits.isdigit() and _DIGITS_AT_LEAST <= len(digits) <= _DIGITS_AT_MOST
    if not (fits and plus == "+" and written.count("+") == 1):
        raise ValueError(f"{written!r} is not a number in international form, such as +15550001111")
    return digits


@lru_cache(maxsize=10_000)
def dialled(raw: str, business_digits: str) -> str:
    """Tell the ``wa_id`` that a ``to`` reaches: ``+ - ( )`` and spaces are allowed (cloud-api.md 2.1).

    A number without a leading plus gets the business number's country calling code prepended.
    """
    digits = digits_of(raw)
    if not (digits.isascii() and digits.isdigit()):
        raise GraphError(131009, f"Parameter to is not a phone number: {raw!r}.")
    if not raw.strip().startswith("+"):
        digits = f"{calling_code(business_digits)}{digits}"
    if not _DIGITS_AT_LEAST <= len(digits) <= _DIGITS_AT_MOST:
        raise GraphError(
            131009, f"Parameter to is not a valid phone number: {raw!r} has {len(digits)} digits."
        )
    if not calling_code(digits):
        raise GraphError(
            131009,
            f"Parameter to is not a valid phone number: {raw!r} begins with no country's calling code.",
        )
    return digits


def other_spelling(digits: str) -> str | None:
    """Tell the other way to write a mobile number of Brazil, Mexico or Argentina; None for every other number."""
    national = digits[2:]
    match digits[:2], len(national):
        case ("55", 11) if national[2] == "9":
            return _BRAZIL + national[:2] + national[3:]
        case ("55", 10) if national[2] in "6789":
            return _BRAZIL + national[:2] + "9" + national[2:]
        case ("52", 11) if national[0] == "1":
            return _MEXICO + national[1:]
        case ("52", 10):
            return _MEXICO + "1" + national
        case ("54", 11) if national[0] == "9":
            return _ARGENTINA + national[1:]
        case ("54", 10):
            return _ARGENTINA + "9" + national
        case _:
            return None


def preferred_spelling(digits: str) -> str:
    """Tell the spelling by which WhatsApp would know somebody with this number."""
    other = other_spelling(digits)
    if other is None:
        return digits
    longer, shorter = max(digits, other, key=len), min(digits, other, key=len)
    if digits.startswith(_BRAZIL):
        return longer if int(digits[2:4]) <= _WITH_NINTH_UP_TO else shorter
    return longer
