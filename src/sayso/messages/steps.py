"""A message's timeline as people read it: in the order in which things happened, nothing said twice. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sayso.core.database import Record

_SECOND: Final = timedelta(seconds=1)
_TICK: Final = timedelta(microseconds=1)
_FORMS: Final = {"session": "in free form", "template": "as a template"}


def told(rows: Sequence[Record]) -> Iterator[tuple[datetime, str, str]]:
    """Each entry as (when, state, sentence)."""
    teller = _Teller()
    for row in in_order(rows):
        yield row["at"], row["state"], teller.sentence(row)


def in_order(rows: Sequence[Record]) -> list[Record]:
    """The entries in the order in which things happened, as far as it is known; ``rows`` as they were written down.

    A whole second is any moment of that second, and no status comes before the POST it is about, whatever the clocks
    say.
    """
    moments: list[datetime] = []
    latest: datetime | None = None
    posted: datetime | None = None
    for row in rows:
        at: datetime = row["at"]
        if _whole(row):
            at = max(at, min(latest or at, at + _SECOND - _TICK))
            if posted is not None and not _detail(row).get("earlier"):
                at = max(at, posted)
        elif row["state"] == "sending":
            posted = at
        moments.append(at)
        latest = max(at, latest or at)
    return [rows[number] for number in sorted(range(len(rows)), key=lambda number: moments[number])]


def _whole(row: Record) -> bool:
    """Whether its time is Meta's, of which no more than the second is known."""
    return "status" in _detail(row) and row["at"].microsecond == 0


def _detail(row: Record) -> Mapping[str, Any]:
    found: Mapping[str, Any] = row["detail"] or {}
    return found


@dataclass(slots=True)
class _Teller:
    """Tells one entry after the other, and nothing twice: when each attempt was posted, and what Meta calls it."""

    posted: dict[int, datetime] = field(default_factory=dict)
    wamid: str | None = None

    def sentence(self, row: Record) -> str:
        """What one entry says."""
        detail = _detail(row)
        said = [row["reason"]] if row["reason"] else []
        if row["state"] == "sending" and "form" in detail:
            self.posted[detail["attempt"]] = row["at"]
            said.append(f"attempt {detail['attempt']}, {_FORMS[detail['form']]}")
        if "status" in detail:
            said = [self._status(row, detail)]
        if detail.get("next_attempt_at"):
            said.append(f"next attempt at {_clock(detail['next_attempt_at'], row['at'])}")
        if detail.get("wamid") and detail["wamid"] != self.wamid:
            self.wamid = str(detail["wamid"])
            said.append(self.wamid)
        return "; ".join(said)

    def _status(self, row: Record, detail: Mapping[str, Any]) -> str:
        reason = row["reason"]
        what = reason if reason and "Meta" in reason else f"Meta said {detail['status']}"
        attempt = detail.get("attempt") if detail.get("earlier") else max(self.posted, default=None)
        posted = self.posted.get(attempt) if attempt is not None else None
        return f"{what} ({_lag(row, posted)})" if posted else what


def _lag(row: Record, posted: datetime) -> str:
    since = row["at"] - (posted.replace(microsecond=0) if _whole(row) else posted)
    seconds = int(max(timedelta(0), since) / _SECOND)
    return f"{seconds} s after the POST" if seconds else "less than a second after the POST"


def _clock(said: str, at: datetime) -> str:
    moment = datetime.fromisoformat(said)
    return f"{moment:%H:%M:%S}" if moment.date() == at.date() else f"{moment:%Y-%m-%d %H:%M:%S}"
