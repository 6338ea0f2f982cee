"""Writes docs/meta-errors.md from the table of Meta's error codes: ``python scripts/meta_errors.py``."""

from pathlib import Path

from sayso.whatsapp.failures import ROWS, Row

PAGE = Path(__file__).parents[1] / "docs" / "meta-errors.md"

_HEAD = """# Meta's error codes

Every code of the WhatsApp Cloud API that we know: what it means, what becomes of a message that meets it, what waits
meanwhile, and what you can do. Made from `src/sayso/whatsapp/errors.toml` by `python scripts/meta_errors.py`; do not
edit it here. `sayso messages why <id>` says the same about one message.

An error comes **at once**, as the answer to our request, or **late**, as a `failed` status after Meta had taken the
message. At once, "again" means that the message goes back into its queue, because it provably was not taken; a
refusal that is about the message or its template ends it after 5 attempts, a hold of its sender or its person never
does, as long as the message lives. Late, the hold is the same, but the message ends: look at `GET /dead-letters`,
mend the cause, and `sayso messages retry --code <code>`. One exception: 131047 with a template goes once more by
itself.

A code that is not in this table fails the message when it is a clear refusal (HTTP 4xx); with a server error it may
have been taken, so it is held as `unknown` until its status comes. HTTP 429 without any code, as a gateway answers, is
dealt with as 130429.

"""
_COLUMNS = "| code | title | class | at once | holds | for | meaning | what we do | what you do |"


def page() -> str:
    """The page, as it is to stand in the documentation."""
    rows = sorted(ROWS, key=_first)
    lines = [_COLUMNS, "|" + "---|" * _COLUMNS.count(" | ") + "---|", *map(_line, rows)]
    return _HEAD + "\n".join(lines) + "\n"


def _first(row: Row) -> int:
    return min(int(str(code).split("-")[0]) for code in row.codes)


def _line(row: Row) -> str:
    codes = ", ".join(f"`{code}`" for code in row.codes)
    at_once = "again" if row.retry else "again, as its template" if row.then == "fall_back" else "fails"
    holds = "" if row.holds == "message" else row.holds
    cells = (
        codes,
        row.title,
        row.kind,
        at_once,
        holds,
        _span(row.hold_s),
        row.meaning,
        row.we_do,
        row.operator,
    )
    return "| " + " | ".join(cells) + " |"


def _span(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s" if seconds else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
