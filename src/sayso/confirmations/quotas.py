"""How many questions an assistant may ask: of one person, and of everybody. The policy's ``[caps]``."""

import math
from collections.abc import Sequence
from datetime import timedelta

from sayso.confirmations.policy import Caps
from sayso.core.database import Tx
from sayso.core.errors import SaysoError
from sayso.core.runtime import Runtime
from sayso.people.service import Person

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class TooManyQuestionsError(SaysoError):
    """The policy's limit of questions is reached; nothing was asked."""

    status = 429
    code = "too_many_questions"
    title = "Too many questions"
    retryable = True


async def check(tx: Tx, rt: Runtime, caps: Caps, client_id: str, persons: Sequence[Person]) -> None:
    """Raise :class:`TooManyQuestionsError` where one more question would be above a limit. The caller holds a lock."""
    for limit, window in ((caps.client_hour, _HOUR), (caps.client_day, _DAY)):
        await _check(tx, rt, client_id, None, (limit, window))
    for person in persons:
        for limit, window in ((caps.person_hour, _HOUR), (caps.person_day, _DAY)):
            await _check(tx, rt, client_id, person, (limit, window))


async def _check(
    tx: Tx, rt: Runtime, client_id: str, person: Person | None, cap: tuple[int | None, timedelta]
) -> None:
    limit, window = cap
    if limit is None:
        return
    since = rt.now() - window
    oldest = await tx.fetchval(
        "SELECT c.created_at FROM confirmations c WHERE c.client_id = $1 AND c.created_at > $2 AND c.message_id "
        "IS NOT NULL AND ($3::text[] IS NULL OR EXISTS (SELECT 1 FROM approvers a WHERE a.confirmation_id = c.id "
        "AND a.person_id = ANY($3) AND a.message_id IS NOT NULL)) ORDER BY c.created_at DESC OFFSET $4 LIMIT 1",
        client_id,
        since,
        None if person is None else list(person.ids),
        limit - 1,
    )
    if oldest is not None:
        wait = max(1, math.ceil((oldest - since).total_seconds()))
        span = "an hour" if window == _HOUR else "a day"
        whom = "" if person is None else " of one person"
        raise TooManyQuestionsError(
            f"The policy lets an assistant ask {limit} question{'s' if limit > 1 else ''}{whom} in {span}. "
            f"Ask again in {wait} seconds.",
            retry_after_s=wait,
        )
