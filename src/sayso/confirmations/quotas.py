"""How many questions an assistant may ask: of one person, and of everybody. The policy's ``[caps]``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sayso.confirmations.caps import Caps
from sayso.core.database import Tx
from sayso.core.errors import SaysoError
from sayso.core.runtime import Runtime, id_at
from sayso.people.service import Person

_SPANS: Final[Mapping[str, timedelta]] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
#: Questions that are open are looked for among those of this time: seven days, unless the person put off the end.
_MAY_BE_OPEN: Final = timedelta(days=8)
#: When room comes where questions are open, nobody knows: somebody answers.
_LOOK_AGAIN_S: Final = 60

#: Of each limit that is reached, the question that stands in the way longest; of what is open, the oldest. A person's
#: are looked for among theirs (OFFSET 0 keeps it so), which are fewer than the assistant's.
_REACHED: Final = """
SELECT l.cap, (SELECT c.created_at FROM confirmations c WHERE c.client_id = $1 AND c.id >= l.since
    AND c.message_id IS NOT NULL ORDER BY c.id DESC OFFSET l.most - 1 LIMIT 1) AS at
FROM unnest($2::text[], $3::text[], $4::int[]) AS l (cap, since, most)
UNION ALL
SELECT 'client_open', (SELECT $6::timestamptz FROM confirmations c WHERE c.client_id = $1 AND c.status <> 'decided'
    OFFSET $5::int - 1 LIMIT 1) WHERE $5 > 0
UNION ALL
SELECT l.cap, (SELECT c.created_at FROM (SELECT * FROM approvers WHERE person_id = ANY(string_to_array(p.ids, ' '))
        AND confirmation_id >= l.since OFFSET 0) a JOIN confirmations c ON c.id = a.confirmation_id
    WHERE c.client_id = $1
    AND a.message_id IS NOT NULL AND (NOT l.open OR (a.state = 'asked' AND c.status <> 'decided'))
    ORDER BY a.confirmation_id DESC OFFSET l.most - 1 LIMIT 1)
FROM unnest($7::text[]) AS p (ids),
    unnest($8::text[], $9::text[], $10::int[], $11::bool[]) AS l (cap, since, most, open)
"""


class TooManyQuestionsError(SaysoError):
    """The limit of questions is reached, the policy's or ours; nothing was asked."""

    status = 429
    code = "too_many_questions"
    title = "Too many questions"
    retryable = True


@dataclass(frozen=True, slots=True)
class _Reached:
    """A limit that one more question would exceed, and in how many seconds there is room again."""

    cap: str
    wait_s: int


async def check(tx: Tx, rt: Runtime, caps: Caps, client_id: str, persons: Sequence[Person]) -> None:
    """Raise :class:`TooManyQuestionsError` where one more question would be above a limit.

    Questions to one person are counted one after the other, once :func:`asking.same` has put them in turn; of those to
    different people that come at the same moment a few may pass above a limit of the whole assistant.
    """
    reached = await _reached(tx, rt, caps, client_id, persons)
    if reached:
        longest = max(reached, key=lambda each: each.wait_s)
        raise TooManyQuestionsError(_said(caps, longest), retry_after_s=longest.wait_s)


async def has_room(tx: Tx, rt: Runtime, caps: Caps, client_id: str, person: Person) -> bool:
    """Whether one more question may be put to this person. It waits for nobody: the caller holds a question's row."""
    reached = await _reached(tx, rt, caps, client_id, [person])
    return not any(each.cap.startswith("person") for each in reached)


async def _reached(
    tx: Tx, rt: Runtime, caps: Caps, client_id: str, persons: Sequence[Person]
) -> list[_Reached]:
    now = rt.now()
    limits = {cap: most for cap, most in caps.model_dump().items() if most != "unlimited"}
    whole = [cap for cap in limits if cap in ("client_hour", "client_day")]
    each = [cap for cap in limits if cap.startswith("person")]
    rows = await tx.fetch(
        _REACHED,
        client_id,
        *_looks(whole, limits, now),
        limits.get("client_open", 0),
        now,
        [" ".join(person.ids) for person in persons],
        *_looks(each, limits, now),
        [cap.endswith("open") for cap in each],
    )
    return [_Reached(row["cap"], _wait_s(row["cap"], row["at"], now)) for row in rows if row["at"]]


def _looks(caps: Sequence[str], limits: Mapping[str, int], now: datetime) -> tuple[list[Any], ...]:
    """These limits, the lowest id that counts for each, and how many are too many."""
    since = [id_at("cnf", now - _SPANS.get(cap.partition("_")[2], _MAY_BE_OPEN)) for cap in caps]
    return list(caps), since, [limits[cap] for cap in caps]


def _wait_s(cap: str, at: datetime, now: datetime) -> int:
    span = _SPANS.get(cap.partition("_")[2])
    return _LOOK_AGAIN_S if span is None else max(1, math.ceil((at + span - now).total_seconds()))


def _said(caps: Caps, reached: _Reached) -> str:
    """The limit, when there is room again, and what to do."""
    whom, _, what = reached.cap.partition("_")
    most = getattr(caps, reached.cap)
    of = " one person" if whom == "person" else ""
    questions = f"{most:,} question{'s' if most > 1 else ''}"
    if what == "open":
        limit = f"have {questions}{' to one person' if of else ''} open at once"
        advice = "Wait for answers, or withdraw what is not needed any more"
    else:
        limit = f"ask{of} {questions} in {'an hour' if what == 'hour' else 'a day'}"
        advice = f"Ask again in {reached.wait_s:,} seconds, and ask for several things in one question"
    return (
        f"Nothing was asked: an assistant may {limit}. {advice}. "
        f"The operator sets the limit as {reached.cap} in [caps] of the policy."
    )
