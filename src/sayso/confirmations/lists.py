"""The numbered lists that were sent: what each number means, for as long as the list is good."""

from collections.abc import Sequence

from sayso.confirmations.rules import LIST_LIVES, Listed, Reply, Wish
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages.rules import MAY_BE_SEEN
from sayso.people.service import Person
from sayso.whatsapp.updates import InboundMessage

_LISTS = (
    "SELECT l.verdict, l.items, m.wamid, CASE WHEN m.state = ANY($1) THEN m.posted_at END AS shown_at "
    "FROM question_lists l JOIN messages m ON m.id = l.message_id "
)


async def keep(
    tx: Tx,
    rt: Runtime,
    person: Person,
    message_id: str,
    *,
    sender: str,
    verdict: Wish | None,
    items: Sequence[str],
) -> None:
    """Write down what the numbers of a list mean; ``sender`` is the phone number id it is sent from."""
    await tx.execute(
        "INSERT INTO question_lists (id, person_id, phone_number_id, message_id, verdict, items, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        rt.new_id("lst"),
        person.id,
        sender,
        message_id,
        verdict,
        list(items),
        rt.now(),
    )


async def around(tx: Tx, person: Person, message: InboundMessage, reply: Reply) -> list[Record]:
    """The lists that a reply can mean, oldest first: those of the hour before it was written, and the one it quotes."""
    return await tx.fetch(
        f"{_LISTS} WHERE l.person_id = ANY($2) AND l.phone_number_id = $3 AND (l.created_at > $4 OR m.wamid = $5) "
        "ORDER BY l.created_at, l.id",
        list(MAY_BE_SEEN),
        list(person.ids),
        message.phone_number_id,
        reply.sent_at - 2 * LIST_LIVES,
        message.quoted_wamid,
    )


def listed(row: Record) -> Listed | None:
    """A list as it was shown; None while it was not."""
    return Listed(tuple(row["items"]), row["verdict"], row["shown_at"]) if row["shown_at"] else None
