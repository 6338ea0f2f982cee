"""Reading a phone number that a caller wrote."""

import re
import unicodedata

import phonenumbers

from sayso.core.errors import Fault, InputInvalidError

_DECORATION = re.compile(r"[\s().\-/]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def phone(text: str, *, pointer: str) -> str:
    """``+15550001111`` from the ways people write it; judged by shape, never by a numbering plan.

    Numbering plans change faster than libraries: a number the library does not know is taken as it is written.
    Raises :class:`InputInvalidError` when it has no international form.
    """
    bare = _DECORATION.sub("", text).replace("\uff0b", "+")
    bare = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in bare)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    number = _without_trunk_prefix(bare) if _E164.fullmatch(bare) else bare
    if not _E164.fullmatch(number):
        detail = "not an international phone number; write it with + and the country code, for example +15550001111"
        raise InputInvalidError(f"{pointer.lstrip('/')}: {detail}", faults=[Fault(detail, pointer)])
    return number


def _without_trunk_prefix(number: str) -> str:
    """Drop the zero that is dialled only inside a country (+62 0812… is +62 812…), where the library knows it.

    The library is handed nothing but + and digits: left to itself it finds a number in any sentence.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    written: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return written
