"""What a caller wrote of a person, read: a phone number, a language, a time zone; a number's other spellings. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Literal
from zoneinfo import available_timezones

import phonenumbers

from sayso.core import faults

_DECORATION = frozenset("().-/\uff08\uff09\uff0e\uff0f")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
#: A language, a script, a region (BCP 47), with hyphens or, as Meta writes them, underscores.
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)
#: A business-scoped user id, or one of a parent business (cloud-api 4.7).
_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
#: In the database of zones, and no place on earth.
_NO_PLACE = frozenset({"Factory", "localtime", "posixrules"})


def phone(text: str, *, pointer: str) -> str:
    """``+15550001111`` from the ways people write it; judged by shape, never by a numbering plan.

    Numbering plans change faster than libraries: a number the library does not know is taken as it is written.
    Raises :class:`InputInvalidError` when it has no international form.
    """
    bare = "".join(map(_plain, text)).removeprefix("tel:")
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    number = _without_trunk_prefix(bare) if _E164.fullmatch(bare) else bare
    if not _E164.fullmatch(number):
        detail = "not an international phone number; write it with + and the country code, for example +15550001111"
        raise faults.wrong(pointer, detail)
    return number


def _plain(char: str) -> str:
    """What a character says in a number: digits and the plus of every script; nothing, where it only decorates."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if char.isspace() or char in _DECORATION or unicodedata.category(char) in ("Pd", "Cf"):
        return ""  # Pd, Cf: dashes of every length, and marks of direction that contact lists copy along
    return "+" if char == "\uff0b" else char


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


def is_bsuid(text: str) -> bool:
    """Whether this has the shape of a WhatsApp user id (cloud-api 4.7)."""
    return _BSUID.fullmatch(text) is not None


def bsuid(text: str, *, pointer: str) -> str:
    """A WhatsApp user id as it is; raises :class:`InputInvalidError` for anything without its shape."""
    if not is_bsuid(text):
        raise faults.wrong(pointer, "not a WhatsApp user id; it looks like US.84930011223344556677")
    return text


def user_id_kind(text: str) -> Literal["bsuid", "parent_bsuid"]:
    """Which of the two kinds of WhatsApp user ids this is: one of a managed business's parent has an ENT in it."""
    return "parent_bsuid" if text[2:6] == ".ENT" else "bsuid"


def twins(number: str) -> tuple[str, ...]:
    """Other ways to write the same line, as digits; empty for most. ``number`` is digits, with or without the plus.

    WhatsApp knows some people by another spelling than the one that is dialled (cloud-api 2.1, 2.2): Brazil's ninth
    digit, Mexico's 1 and Argentina's 9 behind the country code. Which of the two it knows is only learned from it.
    """
    digits = number.lstrip("+")
    country, rest = digits[:2], digits[2:]
    match country, len(rest):
        case "55", 11 if rest[2] == "9" and rest[3] in _OLD_MOBILES:
            return (country + rest[:2] + rest[3:],)
        case "55", 10 if rest[2] in _OLD_MOBILES:
            return (country + rest[:2] + "9" + rest[2:],)
        case ("52", 11) | ("54", 11) if rest[0] == _MOBILE[country]:
            return (country + rest[1:],)
        case ("52", 10) | ("54", 10):
            return (country + _MOBILE[country] + rest,)
        case _:
            return ()


_MOBILE = {"52": "1", "54": "9"}
#: With what Brazil's mobile numbers began before the ninth digit: with another behind it, a number is a newer one, and
#: without the 9 it would be somebody's landline.
_OLD_MOBILES = "6789"


def line(number: str) -> str:
    """One name, as digits, for all spellings of the same line."""
    digits = number.lstrip("+")
    return min((digits, *twins(digits)), key=lambda each: (len(each), each))


def language(text: str, *, pointer: str) -> str:
    """``pt-BR`` from ``pt_br``: a language, and perhaps a script and a region (BCP 47).

    Raises :class:`InputInvalidError` for anything else.
    """
    found = _LANGUAGE.fullmatch(text.strip())
    if not found:
        raise faults.wrong(
            pointer, f"{text!r} is not a language tag; write for example en, pt-BR or zh-Hant-TW"
        )
    spoken, script, region = found.groups()
    parts = (spoken.lower(), script and script.title(), region and region.upper())
    return "-".join(part for part in parts if part)


def given_away(languages: Sequence[str], guess: str | None) -> str | None:
    """The language that a word gives away which these languages have: the only one, else the one of the country.

    None for a word that the country's language does not have, and for one that English has: everybody writes those.
    """
    if len(languages) == 1:
        return languages[0]
    spoken = (guess or "").partition("-")[0]
    return spoken if spoken in languages and "en" not in languages else None


def with_region(said: str, guess: str | None) -> str:
    """A language that a word gave away, in the form that the person's country has of it, if it is spoken there."""
    spoken = said.partition("-")[0]
    return guess if guess is not None and guess.partition("-")[0] == spoken else said


def time_zone(text: str, *, pointer: str) -> str:
    """A name of the IANA database, such as ``America/Sao_Paulo``; raises :class:`InputInvalidError` for all else."""
    name = text.strip()
    if name not in _zones():
        meant = faults.near(name, _zones()) or "; write for example America/Sao_Paulo"
        raise faults.wrong(pointer, f"{text!r} is not an IANA time zone{meant}")
    return name


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACE
