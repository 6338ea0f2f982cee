"""Answers to what the business asked: taps, rows, flows, permissions (cloud-api.md 4.8)."""

import json
from typing import Any

from sayso.simulator.mistakes import guess, meant
from sayso.simulator.phone.deeds import CallPermission, Choose, Flow, Inbound, PhoneError, Tap
from sayso.simulator.phone.hand import Done, Hand
from sayso.simulator.phone.shares import own_card
from sayso.simulator.world.content import Button, ContactCard, Content, Row
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person

PERMISSION_S = 7 * 24 * 3600
#: What a tap on such a button opens, without the business being told.
_OPENS = ("url", "phone", "copy", "catalog")
_ELSEWHERE = {
    "flow": "it opens a flow: complete it with `flow`",
    "location": "it asks for a place: answer with `location` and its message_id",
    "permission": "it asks for permission to call: answer with `call_permission`",
    "call": "calls are not simulated",
    "address": "addresses are not simulated",
    "other": "the simulator does not know what it does",
}


class Answers:
    """What a person does with a message of the business in front of them."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def tap(self, person: Person, deed: Inbound, tap: Tap) -> Done:
        """Tap a button. Buttons stay tappable for ever, on several devices (4.8)."""
        prompt = self._hand.message(person, tap.message_id)
        button = _button(prompt, tap.button, tap.card)
        if button.kind in _OPENS:
            return Done(opens=button.value or button.payload or button.title)
        if button.kind == "contact":
            return self._share_contact(person, deed, prompt)
        if button.kind != "reply":
            raise PhoneError(f"button {button.title!r} is not answered by a tap: {_ELSEWHERE[button.kind]}")
        told: dict[str, Any]
        if prompt.content.answers_as == "interactive":
            reply = {"id": button.payload, "title": button.title}
            told = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}}
        else:
            told = {"type": "button", "button": {"payload": button.payload, "text": button.title}}
        return self._answer(person, deed, prompt, told, Content(button.title), context=tap.context)

    def choose(self, person: Person, deed: Inbound, choice: Choose) -> Done:
        """Choose a row of a list, by its id or its words."""
        prompt = self._hand.message(person, choice.message_id)
        row = _row(prompt, choice.row)
        reply = {"id": row.id, "title": row.title}
        if row.description:
            reply["description"] = row.description
        told = {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": reply}}
        return self._answer(person, deed, prompt, told, Content(row.title), context=choice.context)

    def flow(self, person: Person, deed: Inbound, flow: Flow) -> Done:
        """Complete a flow; the answer carries the token it was sent with (4.8, nfm_reply)."""
        prompt = self._hand.message(person, flow.message_id)
        button = _of_kind(prompt, "flow")
        response = {"flow_token": button.value or "unused", **flow.response}
        reply = {"name": flow.name, "body": flow.body, "response_json": json.dumps(response)}
        told = {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": reply}}
        return self._answer(person, deed, prompt, told, Content(flow.body))

    def call_permission(self, person: Person, deed: Inbound, given: CallPermission) -> Done:
        """Allow or refuse calls; an allowance that is not permanent ends after seven days."""
        prompt = self._hand.message(person, given.message_id)
        _of_kind(prompt, "permission")
        reply: dict[str, Any] = {"response": given.response, "response_source": "user_action"}
        if given.response == "accept" and given.permanent:
            reply["is_permanent"] = True
        elif given.response == "accept":
            reply["expiration_timestamp"] = int(self._hand.world.clock.now()) + PERMISSION_S
        kind = "call_permission_reply"
        told = {"type": "interactive", "interactive": {"type": kind, kind: reply}}
        words = "Calls allowed" if given.response == "accept" else "Calls refused"
        return self._answer(person, deed, prompt, told, Content(words))

    def _share_contact(self, person: Person, deed: Inbound, prompt: Message) -> Done:
        """Give the business the own number, as it asked (2.5, `request_contact_info`)."""
        told = {"type": "contacts", "contacts": [own_card(person)]}
        content = Content(contacts=(ContactCard(person.name, (person.phone,)),))
        return self._answer(person, deed, prompt, told, content)

    def _answer(
        self,
        person: Person,
        deed: Inbound,
        prompt: Message,
        told: dict[str, Any],
        content: Content,
        *,
        context: bool = True,
    ) -> Done:
        if deed.quote is not None:
            raise PhoneError(
                "`quote` goes with what is written or shared; an answer quotes its message by itself"
            )
        number = self._hand.number_for(person, deed.to, prompt)
        return self._hand.send(
            person, number, told, content, deed=deed, about=prompt, context=context and deed.context
        )


def _button(prompt: Message, which: int | str, card: int | None) -> Button:
    buttons = _buttons(prompt, card)
    if not buttons:
        raise PhoneError(f"message {prompt.wamid!r} has no buttons")
    if isinstance(which, int) and 0 <= which < len(buttons):
        return buttons[which]
    for button in buttons:
        if button.title == which:
            return button
    titles = [button.title for button in buttons]
    if isinstance(which, str):
        raise PhoneError(f"there is no button {which!r}{meant(which, titles)}")
    there = ", ".join(f"{place} `{title}`" for place, title in enumerate(titles))
    raise PhoneError(f"there is no button {which}; counted from 0 there are {there}.")


def _buttons(prompt: Message, card: int | None) -> tuple[Button, ...]:
    """List the buttons of a message, or of one card of a carousel; without ``card`` those of all, in order."""
    content = prompt.content
    if card is None:
        return content.buttons + tuple(button for each in content.cards for button in each.buttons)
    if not 0 <= card < len(content.cards):
        raise PhoneError(
            f"message {prompt.wamid!r} has {len(content.cards)} cards, counted from 0; not {card}"
        )
    return content.cards[card].buttons


def _row(prompt: Message, which: str) -> Row:
    rows = [row for section in prompt.content.sections for row in section.rows]
    if not rows or prompt.content.note.startswith("Catalog"):
        raise PhoneError(f"message {prompt.wamid!r} is no list")
    for row in rows:
        if which in (row.id, row.title):
            return row
    words = guess(which, [*(row.id for row in rows), *(row.title for row in rows)])
    there = ", ".join(f"`{row.title}` (id `{row.id}`)" for row in rows)
    raise PhoneError(f"there is no row {which!r}{words} Known here: {there}.")


def _of_kind(prompt: Message, kind: str) -> Button:
    for button in _buttons(prompt, None):
        if button.kind == kind:
            return button
    asks = {"flow": "opens no flow", "permission": "asks for no permission to call"}[kind]
    raise PhoneError(f"message {prompt.wamid!r} {asks}")
