"""Where a text stops being JSON: what is expected there, in which line and column, and the spot itself."""

from typing import Final

_AROUND: Final = 30
MARK: Final = "▸"
_BREAK: Final = "\n"

#: What Python's reader says, and what it means.
_MEANS: Final = {
    "Expecting value": "a value is expected",
    "Expecting ',' delimiter": "a comma or an end is expected",
    "Expecting ':' delimiter": "a colon is expected",
    "Expecting property name enclosed in double quotes": "a name in double quotes is expected",
    "Illegal trailing comma before end of object": "a comma stands before the end of the object",
    "Illegal trailing comma before end of array": "a comma stands before the end of the list",
    "Unterminated string starting at": "a text begins that does not end",
    "Invalid control character at": "a text holds a line break or a control character, which is written \\n or \\u0000",
    "Invalid \\escape": "a backslash begins what is no escape",
    "Invalid \\uXXXX escape": "four hexadecimal digits are expected after \\u",
    "Extra data": "the JSON has ended before this",
}


def not_json(text: str, at: int, complaint: str) -> str:
    """What is wrong with a text that is to be JSON, ``at`` the character where its reader gave up."""
    means = next((said for begins, said in _MEANS.items() if complaint.startswith(begins)), complaint.lower())
    place = f"line {text.count(_BREAK, 0, at) + 1}, column {at - text.rfind(_BREAK, 0, at)}"
    before, after = text[max(0, at - _AROUND) : at], text[at : at + _AROUND]
    if after.strip():
        return f"is not JSON in {place}: {means}, at the mark {MARK}: {_one_line(before, MARK, after)}"
    return f"is not JSON: it ends in {place}, where {means}: {_one_line(before, MARK)}"


def _one_line(*parts: str) -> str:
    """Parts of a text without its line breaks, with a mark for what cannot be shown."""
    whole = " ".join("".join(parts).split())
    return "".join(each if each.isprintable() else "\ufffd" for each in whole)
