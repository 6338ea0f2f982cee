"""What would end a message at once if it were sent again: asked of the wire's own rules before anybody says it goes."""

from collections.abc import Sequence

from sayso.consent import service as consent
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import conversations, deciding
from sayso.messages.deciding import Known, template_of
from sayso.messages.rules import WINDOW, Stop
from sayso.people import service as people
from sayso.templates import service as templates


async def obstacles(tx: Tx, rt: Runtime, rows: Sequence[Record]) -> dict[str, str]:
    """Why messages would not go, by their ids, were each given a new life now; what would only wait is missing.

    The wire decides again: whoever leaves in between is not written to.
    """
    if not rows:
        return {}
    now, persons = rt.now(), await people.get_many(tx, sorted({row["person_id"] for row in rows}))
    everybody = list({person.id: person for person in persons.values()}.values())
    keys = sorted({key for row in rows if (key := template_of(row)) is not None})
    known = Known(
        now=now,
        chance=rt.rng.random,
        persons=persons,
        consents=await consent.verdicts(tx, rt, everybody),
        talks=await conversations.read(tx, everybody),
        holds={},
        templates=dict(await templates.states(tx, rt, keys)) if keys else {},
        busy=set(),
        bursts={},
        rooms={},
        tails={},
    )
    lives = now + WINDOW
    found = (
        (row["id"], deciding.verdict_on(known, {**row, "expires_at": lives}, row["phone_number_id"]))
        for row in rows
    )
    return {message_id: verdict.reason for message_id, verdict in found if isinstance(verdict, Stop)}
