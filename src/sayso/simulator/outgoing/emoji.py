"""Telling emoji from other characters, as far as Meta does: reactions and the words on a flow's button."""

import re

_PICTURES = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b00-\u2bff"
_PICTURES += "\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
_FLAG_LETTERS = "\U0001f1e6-\U0001f1ff"
_PICTURE = f"[{_PICTURES}]\ufe0f?[\U0001f3fb-\U0001f3ff]?\ufe0f?[\U000e0020-\U000e007f]*"
#: One emoji as it is seen: a flag, a keycap, or pictures joined to one.
_ONE = re.compile(f"[{_FLAG_LETTERS}]{{2}}|[0-9#*]\ufe0f?\u20e3|{_PICTURE}(?:\u200d{_PICTURE})*")
_ANY = re.compile(
    f"[{_FLAG_LETTERS}\u20e3\ufe0f]|[\u231a-\u23ff\u25aa-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
)


def is_emoji(text: str) -> bool:
    """Tell whether a text is exactly one emoji."""
    return _ONE.fullmatch(text) is not None


def has_emoji(text: str) -> bool:
    """Tell whether an emoji is anywhere in a text; signs such as © and ™ are none."""
    return _ANY.search(text) is not None
