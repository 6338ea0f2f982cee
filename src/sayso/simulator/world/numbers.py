"""The two spellings that phone numbers of some countries have, of which WhatsApp knows people by one (2.1).

``to`` may hold either; ``contacts[].wa_id`` of the answer tells the one that Meta uses. Which one that is for a
number nobody has seen yet follows the habits of each country: Brazil's ninth digit in the areas 11 to 28 and not
in the others, Mexico's 1 behind the country code, Argentina's 9.
"""

_BRAZIL, _MEXICO, _ARGENTINA = "55", "52", "54"
_WITH_NINTH_UP_TO = 28  # area codes


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
