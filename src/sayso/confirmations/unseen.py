"""The fields that a question left out: sent when they are asked for, or when somebody confirms without them."""

from collections.abc import Sequence

from sayso.confirmations import asked, service
from sayso.confirmations.asked import Inbound
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import service as messages
from sayso.messages.rules import FINAL
from sayso.whatsapp.content import from_data


async def show(tx: Tx, rt: Runtime, inbound: Inbound, row: Record) -> bool:
    """Send the person the whole of a question, as it was stored; False where it is on its way or on the screen.

    Who has seen it and asks again gets it again. ``row`` is locked.
    """
    mine = await tx.fetchrow(
        "SELECT person_id, rest, message_id, shown->'rest' AS whole FROM approvers WHERE confirmation_id = $1 "
        "AND person_id = ANY($2) AND rest IS NOT NULL ORDER BY message_id IS NULL, position LIMIT 1",
        row["id"],
        list(inbound.person.ids),
    )
    if mine is None or await _there(tx, inbound, row, mine["rest"]):
        return False
    drafts = [
        service.about(
            rt, row, from_data(each), purpose="notice", person=inbound.person, quotes=mine["message_id"]
        )
        for each in mine["whole"]
    ]
    sent = await messages.send_all(tx, rt, drafts)
    if row["rest_at"] is None:
        await tx.execute(
            "UPDATE approvers SET rest = $3 WHERE confirmation_id = $1 AND person_id = $2",
            row["id"],
            mine["person_id"],
            sent,
        )
    return True


async def _there(tx: Tx, inbound: Inbound, row: Record, rest: Sequence[str]) -> bool:
    """Whether what was sent is on its way, or came after this reply was written."""
    if not rest:
        return False
    if row["rest_at"] is not None:
        return asked.unseen(row, inbound)
    lost: bool = await tx.fetchval(
        "SELECT bool_or(state = ANY($2)) FROM messages WHERE id = ANY($1)", list(rest), list(FINAL)
    )
    return not lost
