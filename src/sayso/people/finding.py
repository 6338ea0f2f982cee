"""Somebody whom an operator names, in whichever way."""

from sayso.core.database import Tx
from sayso.people import meeting, rules
from sayso.people.links import linked
from sayso.people.persons import Person, get_many


async def find(tx: Tx, who: str, *, client_id: str | None) -> Person | None:
    """Who is meant by a user of an assistant, a record's id, a WhatsApp user id or a number; nobody is created.

    Raises :class:`InputInvalidError` for what is none of these.
    """
    if client_id is not None:
        found = await linked(tx, client_id=client_id, external_id=who)
        return found[0] if found else None
    if who.startswith("per_"):
        return (await get_many(tx, [who])).get(who)
    if rules.is_bsuid(who):
        return await meeting.find(tx, {rules.user_id_kind(who): who})
    return await meeting.find(tx, {"phone": rules.phone(who, pointer="/who")})
