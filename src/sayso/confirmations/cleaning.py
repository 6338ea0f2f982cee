"""Somebody else's words, made fit to stand inside our sentences: seen whole, unable to pass for ours. Pure."""

import re

from sayso.whatsapp.content import clean_parameter

#: Quotation marks like ours, and WhatsApp's formatting marks, which become their wide twins.
_PLAIN = str.maketrans(
    dict.fromkeys("“”„‟❝❞〝〞＂", '"') | {"*": "\uff0a", "~": "\uff5e", "`": "\uff40"}  # noqa: RUF001 - they are meant
)
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
#: What a phone makes a link of: an address with its scheme, and a dot between a word and what may be a domain's end.
_SCHEME = re.compile(r"://")
_DOT = re.compile(r"(?<=\w)[.\uff0e\uff61](?=[^\W\d_]{2})")
_PSEUDO_SCHEME = re.compile(r"\b(mailto|tel|sms|whatsapp|intent|javascript|data):(?=\S)", re.IGNORECASE)


def clean(text: str) -> str:
    """On one line, unable to end our quotation, and shown as it is.

    WhatsApp's marks for bold, italic, struck out and code become their wide twins, which only look alike; an underscore
    within a word marks nothing and stays. What a phone would make a link of reads the same and leads nowhere.
    """
    plain = _UNDERSCORE.sub("\uff3f", clean_parameter(text).translate(_PLAIN))
    unlinked = _DOT.sub("\u2024", _SCHEME.sub(":\u2044\u2044", plain))
    return _PSEUDO_SCHEME.sub("\\1\ua789", unlinked)


def quoted(text: str) -> str:
    """The same between our quotation marks, which nothing inside can end."""
    return f"“{clean(text)}”"
