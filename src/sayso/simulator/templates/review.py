"""What a reviewer makes of a template, by rules anyone can follow (cloud-api.md 3.3, 3.6).

The category, told in the answer to the creation:

- promotional words in a UTILITY template (sale, discount, coupon, "20% off" ...) make it MARKETING;
- so does a body that says next to nothing beside its variables, such as "Hi, dear {{1}}, welcome!" (fewer than
  three words that are no greeting): "anything mixed or vague becomes marketing" (3.6).

The verdict, after the review; the first that fits:

- threats or insults: ABUSIVE_CONTENT;
- a request for passwords, card numbers or identity numbers, or a link through a shortener: SCAM;
- words written in another script than the language given: TAG_CONTENT_MISMATCH;
- single braces around a number or name, or ``%s``, left over where a variable was meant: INVALID_FORMAT;
- a one-time code in a template that is not AUTHENTICATION: INCORRECT_CATEGORY;
- otherwise it is approved.

PROMOTIONAL and CATEGORY_NOT_AVAILABLE fall by a moderator's hand only.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

from sayso.simulator.templates.languages import scripts_of
from sayso.simulator.templates.variables import VARIABLE, count_words, variables
from sayso.simulator.world.templates import Template

#: Every reason of 3.3.
REASONS = (
    "ABUSIVE_CONTENT",
    "CATEGORY_NOT_AVAILABLE",
    "INCORRECT_CATEGORY",
    "INVALID_FORMAT",
    "PROMOTIONAL",
    "SCAM",
    "TAG_CONTENT_MISMATCH",
    "NONE",
)
WORDS_AT_LEAST = 3
LETTERS_TO_JUDGE = 4  # fewer do not tell a script
_PROMOTIONAL = re.compile(
    r"\b(sale|discounts?|coupons?|promo(tion)?s?|special offer|limited[- ]time|buy (now|one)|shop now|best price|"
    r"free gift|flash deal|cashback|clearance|save up to|new arrivals?)\b|\d+\s?% off",
    re.IGNORECASE,
)
_GREETING = re.compile(r"\b(hi|hello|hey|dear|hola|bonjour|hallo|ciao|ol[aá])\b", re.IGNORECASE)
_ABUSIVE = re.compile(
    r"\b(idiots?|stupid|moron|scum|kill you|hurt you|or else you will regret)\b", re.IGNORECASE
)
_SENSITIVE = re.compile(
    r"\b(send|enter|reply with|tell us|give us|confirm|provide)\b[^.!?]{0,40}"
    r"\b(password|card number|cvv|pin code|social security number|passport number|bank account number)\b",
    re.IGNORECASE,
)
_SHORTENER = re.compile(r"\b(bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|rb\.gy)/", re.IGNORECASE)
_LEFT_OVER = re.compile(r"(?<!\{)\{[A-Za-z0-9_]+\}(?!\})|%s|\$\{|\[\[\w+\]\]")
_ONE_TIME = re.compile(
    r"\b(one[- ]time (pass(word|code)|code)|verification code|otp|login code|security code)\b", re.IGNORECASE
)


class Verdict(NamedTuple):
    """What becomes of a template: ``reason`` NONE is approval; the words are those of ``rejection_info`` (3.8)."""

    reason: str
    explanation: str = ""
    recommendation: str = ""


APPROVED = Verdict("NONE")


def judged_category(category: str, components: tuple[dict[str, Any], ...]) -> str:
    """Tell the category a template is given, which is not always the one asked for (3.6)."""
    if category != "UTILITY":
        return category
    body = next((str(each["text"]) for each in components if each["type"] == "BODY"), "")
    vague = bool(variables(body)) and count_words(_GREETING.sub(" ", body)) < WORDS_AT_LEAST
    return "MARKETING" if vague or _PROMOTIONAL.search(" ".join(_texts(components))) else category


def verdict(template: Template) -> Verdict:
    """Tell what the review of a template comes to."""
    if template.category == "AUTHENTICATION":
        return APPROVED  # its words are the platform's own
    words = " ".join(_texts(template.components))
    for pattern, found in _FOUND:
        if pattern.search(words):
            return found
    if not _in_its_language(words, template.language):
        return Verdict(
            "TAG_CONTENT_MISMATCH",
            f"The words are not written in the language given ({template.language}).",
            "Write the template in its language, or create it in the language it is written in.",
        )
    return APPROVED


_FOUND = (
    (
        _ABUSIVE,
        Verdict("ABUSIVE_CONTENT", "The template threatens or insults.", "Remove the threat or the insult."),
    ),
    (
        _SENSITIVE,
        Verdict(
            "SCAM",
            "The template asks people for sensitive identifiers.",
            "Do not ask for passwords, card numbers or identity numbers.",
        ),
    ),
    (
        _SHORTENER,
        Verdict(
            "SCAM", "A shortened link hides where it leads.", "Use an address of the business's own domain."
        ),
    ),
    (
        _LEFT_OVER,
        Verdict(
            "INVALID_FORMAT",
            "Something stands where a variable was meant.",
            "Write variables with double braces, such as {{1}}.",
        ),
    ),
    (
        _ONE_TIME,
        Verdict(
            "INCORRECT_CATEGORY",
            "One-time codes belong to the category AUTHENTICATION.",
            "Create an authentication template.",
        ),
    ),
)


def _texts(components: Any) -> Iterator[str]:
    """Walk every text and address of a template, cards included."""
    for each in components:
        yield str(each.get("text", ""))
        yield str((each.get("limited_time_offer") or {}).get("text", ""))
        for button in each.get("buttons", ()):
            yield f"{button.get('text', '')} {button.get('url', '')}"
        for card in each.get("cards", ()):
            yield from _texts(card["components"])


def _in_its_language(words: str, language: str) -> bool:
    """Tell whether any letter, or too few to judge by, is of a script the language is written in."""
    plain = re.sub(r"https?://\S+", "", VARIABLE.sub("", words))
    letters = [letter for letter in plain if letter.isalpha()]
    wanted = scripts_of(language)
    return len(letters) < LETTERS_TO_JUDGE or any(
        unicodedata.name(letter, "").startswith(wanted) for letter in letters
    )
