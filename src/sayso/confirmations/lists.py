"""The numbered lists that were sent, of questions or of one question's options: what each number means."""

from collections.abc import Sequence

from sayso.confirmations.rules import LIST_LIVES, Listed, Reply, Wish
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages.rules import MAY_BE_SEEN
from sayso.people.service import Person
from sayso.whatsapp.updates import InboundMessage

_LISTS = (
    "SELECT l.verdict, l.items, l.options_of, m.wamid, CASE WHEN m.state = ANY($1) THEN m.posted_at END AS shown_at "
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
    options_of: str | None = None,
) -> None:
    """Write down what the numbers of a list mean, as ``rules.Listed``; ``sender`` is the phone number id it is from."""
    await tx.execute(
        "INSERT INTO question_lists (id, person_id, phone_number_id, message_id, verdict, items, options_of, "
        "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        rt.new_id("lst"),
        person.id,
        sender,
        message_id,
        verdict,
        list(items),
        options_of,
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
    if row["shown_at"] is None:
        return None
    return Listed(tuple(row["items"]), row["verdict"], row["shown_at"], row["options_of"])


def names(row: Record) -> list[str]:
    """The ids of the questions that a list is about."""
    return [row["options_of"]] if row["options_of"] else list(row["items"])
