"""Taking apart what was found to be one person, without anybody's leaving being lost."""

from sayso.consent import service as consent
from sayso.core.database import Tx
from sayso.core.errors import NotFoundError
from sayso.core.runtime import Runtime
from sayso.people import merging
from sayso.people import service as people
from sayso.people.service import Person


async def take_apart(tx: Tx, rt: Runtime, merge_id: str, *, because: str) -> tuple[Person, Person]:
    """Undo a merge; the two persons. Which of the two an opt-out was meant for cannot be told: both stay out.

    Raises :class:`NotFoundError` when there is no such merge, or it was undone before.
    """
    apart = await merging.undo(tx, rt, merge_id, because=because)
    if apart is None:
        raise NotFoundError(f"No merge {merge_id!r} that could be undone.")
    one, other = apart
    await people.lock(tx, [*one.ids, *other.ids], exclusive=True)
    await consent.stay_out(tx, rt, one, other)
    return one, other
