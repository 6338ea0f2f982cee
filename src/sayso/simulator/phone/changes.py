"""What a person changes about a message: reactions, other words, taking it back (cloud-api.md 4.8)."""

from dataclasses import replace
from typing import Any

from sayso.simulator.phone.deeds import Delete, Edit, Inbound, PhoneError, React
from sayso.simulator.phone.hand import Done, Hand
from sayso.simulator.phone.shares import unsupported
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.content import Content, Reaction
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person

EDIT_WITHIN_S = 15 * 60


class Changes:
    """What happens to a message after it was sent."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def react(self, person: Person, deed: Inbound, react: React) -> Done:
        """Put an emoji on a message, or take it away; a reaction opens the window, as any message (7.1)."""
        target = self._hand.message(person, react.message_id)
        _check_plain(deed)
        number = self._hand.number_for(person, deed.to, target)
        if react.emoji:
            target.reactions[person.wa_id] = react.emoji
        elif target.reactions.pop(person.wa_id, None) is None:
            raise PhoneError(f"{person.phone} has no reaction on message {target.wamid!r} to take away")
        self._hand.has(target)
        self._hand.updated(target)
        told = {"type": "reaction", "reaction": {"message_id": target.wamid, "emoji": react.emoji}}
        content = Content(reaction=Reaction(target.wamid, react.emoji))
        return self._hand.send(person, number, told, content)

    def edit(self, person: Person, deed: Inbound, edit: Edit) -> Done:
        """Put other words in place of those sent, within 15 minutes.

        A number that is also on the Business app is told so; a plain Cloud API number hears `unsupported`.
        """
        original, number = self._own(person, deed, edit.message_id)
        if self._hand.world.clock.now() - original.at > EDIT_WITHIN_S:
            raise PhoneError(
                f"message {original.wamid!r} is older than 15 minutes: it cannot be edited any more"
            )
        if original.type != "text" and not (original.body.get(original.type) or {}).get("caption"):
            raise PhoneError(f"message {original.wamid!r} has no words that could be edited")
        original.content = replace(original.content, body=edit.text)
        original.edited = True
        self._hand.updated(original)
        told = {"original_message_id": original.wamid, "message": _with_words(original, edit.text)}
        return self._tell(person, number, "edit", told)

    def delete(self, person: Person, deed: Inbound, delete: Delete) -> Done:
        """Take a message back for everybody; told as :meth:`edit` is."""
        original, number = self._own(person, deed, delete.message_id)
        original.content = Content(note="This message was deleted")
        original.deleted = True
        self._hand.updated(original)
        return self._tell(person, number, "revoke", {"original_message_id": original.wamid})

    def _own(self, person: Person, deed: Inbound, wamid: str) -> tuple[Message, BusinessNumber]:
        """Return a message that somebody sent and may still change, and the number it went to."""
        _check_plain(deed)
        original = self._hand.message(person, wamid)
        if original.outbound:
            raise PhoneError(f"message {wamid!r} is the business's, not {person.phone}'s own")
        return original, self._hand.number_for(person, deed.to, original)

    def _tell(self, person: Person, number: BusinessNumber, kind: str, told: dict[str, Any]) -> Done:
        wire = {"type": kind, kind: told} if number.coexistence else unsupported(kind)
        return self._hand.send(person, number, wire, Content(note=f"{kind.title()} of a message"))


def _check_plain(deed: Inbound) -> None:
    if deed.quote is not None or deed.forwarded or deed.referral:
        raise PhoneError("`quote`, `forwarded` and `referral` go with what is written or shared")


def _with_words(original: Message, text: str) -> dict[str, Any]:
    kind = original.type
    if kind == "text":
        return {"type": "text", "text": {"body": text}}
    return {"type": kind, kind: {**original.body[kind], "caption": text}}
