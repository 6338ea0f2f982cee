"""What a person typed, reduced to what it says: whole-message words, from tables, never by guessing.

The normalisation: NFKC, format characters dropped, trimmed, casefolded; then an exact look-up. Look-alikes from other
scripts stay what they are, and decide nothing. Marks (Mn, Mc) are kept: in many scripts they are letters.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_SPACES = re.compile(r"\s+")
# Punctuation, quotes and WhatsApp's own formatting marks around a word, in the scripts of the tables; a question mark
# is left: "yes?" is a question.
_AROUND = " .,!;:…\"'“”„‘’«»‹›()[]*_~`¡。、，「」『』【】،؛۔।॥"  # noqa: RUF001 - marks of several languages are meant
_EMOJI = {"So", "Sk", "Cs"}
_LONGEST = 200  # no table row comes near; a wall of text need not be normalised


def normalise(text: str, *, drop_emoji: bool = False) -> str:
    """The text as the tables spell it; ``""`` for what cannot be a word of theirs.

    ``drop_emoji`` also removes emoji around the word: right for a stop ("STOP 🛑"), not for a yes.
    """
    if len(text) > _LONGEST or "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        return ""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    if drop_emoji:
        text = "".join(" " if unicodedata.category(c) in _EMOJI or c == "\ufe0f" else c for c in text)
    return _SPACES.sub(" ", text).strip(_AROUND).casefold()


@dataclass(frozen=True, slots=True)
class Words:
    """A versioned table of words: what each means, whatever the language it is from."""

    version: int
    meanings: Mapping[str, str]

    def meaning(self, text: str, *, drop_emoji: bool = False) -> str | None:
        """What the whole text means, or None."""
        return self.meanings.get(normalise(text, drop_emoji=drop_emoji))


def load(package: str, name: str) -> Words:
    """Read a table ``[language] meaning = [words]`` with a ``version``; one word may not mean two things."""
    data = tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8"))
    meanings: dict[str, str] = {}
    for language, table in data.items():
        if language == "version":
            continue
        for meaning, words in table.items():
            for word in words:
                known = meanings.setdefault(normalise(word), meaning)
                if known != meaning:
                    raise ValueError(f"{name}: {word!r} means both {known} and {meaning}")
    return Words(version=data["version"], meanings=meanings)
