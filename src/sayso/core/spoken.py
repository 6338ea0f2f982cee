"""Our own texts by language, out of a file; and which of its languages is nearest to one that is wanted. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

DEFAULT: Final = "en"
#: Codes that name a language by another name than tables and Meta do, the older ones of ISO 639 among them.
SAME: Final = {"no": "nb", "nn": "nb", "iw": "he", "in": "id"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """Texts by language and name."""

    texts: Mapping[str, Mapping[str, Any]]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are texts in."""
        return tuple(self.texts)

    def nearest(self, *wanted: str | None) -> str:
        """The first of these languages (BCP 47, or as Meta writes them) that there are texts in, else English."""
        for tag in wanted:
            base = (tag or "").replace("_", "-").partition("-")[0].lower()
            if SAME.get(base, base) in self.texts:
                return SAME.get(base, base)
        return DEFAULT


@cache
def load(package: str, name: str) -> Spoken:
    """Read the table ``[language] name = text`` of a file of a package."""
    return Spoken(tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8")))
