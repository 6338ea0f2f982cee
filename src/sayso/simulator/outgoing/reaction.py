"""An emoji on a message, or taken away again (cloud-api.md 2.4)."""

from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import NO_LIMIT, object_at, text_at, words_at
from sayso.simulator.outgoing.emoji import is_emoji
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import Content, Reaction

REACTS_WITHIN_S = 30 * 24 * 3600  # 2.4


def reaction(body: dict[str, Any], reading: Reading) -> Content:
    """Read a reaction; an ``emoji`` that is empty, null or left out removes it.

    Whether the message is there to be reacted to is found out later: 131009 by webhook.
    """
    given = object_at(body, "reaction", "reaction", ("message_id", "emoji"))
    message_id = text_at(given, "message_id", "reaction['message_id']", limit=NO_LIMIT)
    emoji = words_at(given, "emoji", "reaction['emoji']")
    if emoji and not is_emoji(emoji):
        raise GraphError(131009, f"Param reaction['emoji'] must be a single emoji; it is {emoji!r}.")
    problem = _problem(message_id, reading)
    if problem is not None:
        reading.fail_later(131009, problem)
    return Content(reaction=Reaction(message_id, emoji))


def _problem(message_id: str, reading: Reading) -> str | None:
    """Tell why there can be no reaction on this message, or None."""
    target = reading.world.messages.get(message_id)
    here = (reading.number.phone_number_id, reading.person.wa_id)
    if target is None or (target.phone_number_id, target.wa_id) != here:
        return f"Param reaction['message_id']: {message_id} is no message of this conversation."
    if target.deleted:
        return f"Param reaction['message_id']: {message_id} was deleted."
    if target.content.reaction is not None:
        return f"Param reaction['message_id']: {message_id} is itself a reaction."
    if reading.world.clock.now() - target.at > REACTS_WITHIN_S:
        return f"Param reaction['message_id']: {message_id} is more than 30 days old."
    return None
