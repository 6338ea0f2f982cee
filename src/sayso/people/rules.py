"""Reading a phone number that a caller wrote."""

import re

import phonenumbers

from sayso.core.errors import Fault, InputInvalidError

_DECORATION = re.compile(r"[\s().\-/\u00a0]+")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def phone(text: str, *, pointer: str) -> str:
    """``+15550001111`` from the ways people write it; judged by shape, never by a numbering plan.

    Numbering plans change faster than libraries: a number the library does not know is taken as it is written.
    Raises :class:`InputInvalidError` when it has no international form.
    """
    bare = _DECORATION.sub("", text)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    try:
        parsed = phonenumbers.parse(text if text.strip().startswith("+") else bare, None)
        bare = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        pass
    if not _E164.fullmatch(bare):
        detail = "not an international phone number; write it with + and the country code, for example +15550001111"
        raise InputInvalidError(f"{pointer.lstrip('/')}: {detail}", faults=[Fault(detail, pointer)])
    return bare
