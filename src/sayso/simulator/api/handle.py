"""One person in a test: ``ana = sim.person("+15550001111")``, ``await ana.says("yes")``."""

import base64
from typing import TYPE_CHECKING, Any, Protocol

from sayso.simulator.api.named import Named
from sayso.simulator.phone.profile import Profile
from sayso.simulator.world.content import MediaKind
from sayso.simulator.world.people import Person

if TYPE_CHECKING:
    from sayso.simulator.parts import Parts

#: A message of the business: as :meth:`expect_message` returned it, or its wamid.
Asked = dict[str, Any] | str


class _Sim(Protocol):
    """What a handle needs of the simulator."""

    parts: "Parts"

    async def inbound(self, sender: str, **deed: Any) -> str: ...
    async def expect_message(self, **wanted: Any) -> dict[str, Any]: ...


class PersonHandle(Named):
    """Somebody with a phone. What they do returns the wamid of the message that told the business.

    The handle follows them to another number. After a reset or a restore it is whoever has that number then, or else
    the one they had at first; while there is nobody, all but messages raises LookupError.
    """

    def __init__(self, sim: Any, phone: str) -> None:
        self._sim: _Sim = sim
        self._last: Person = sim.parts.phones.known(phone)
        self._first_wa_id = self._last.wa_id

    def __repr__(self) -> str:
        return f"<{(self._found() or self._last).name}, {self.phone}>"

    @property
    def phone(self) -> str:
        """Their number in E.164 with its plus, as it is now."""
        return (self._found() or self._last).phone

    @property
    def user_id(self) -> str:
        """Their BSUID, as it is now (4.7)."""
        return self._person.user_id

    @property
    def name(self) -> str:
        """Their profile name."""
        return self._person.name

    # --- what they do with messages ---------------------------------------------------------------------

    async def says(self, text: str, *, quoting: Asked | None = None, **more: Any) -> str:
        """Write a text, quoting a message or not; ``more`` is such as ``to=`` a number's id."""
        return await self._do(text=text, quote=quoting and _wamid(quoting), **more)

    async def taps(self, message: Asked, button: int | str = 0, **more: Any) -> str:
        """Tap a button, by its place from 0 or its words."""
        card = more.pop("card", None)
        tap = {"message_id": _wamid(message), "button": button, **({} if card is None else {"card": card})}
        return await self._do(tap=tap, **more)

    async def chooses(self, message: Asked, row: str, **more: Any) -> str:
        """Choose a row of a list, by its id or its words."""
        return await self._do(choose={"message_id": _wamid(message), "row": row}, **more)

    async def reacts(self, message: Asked, emoji: str, **more: Any) -> str:
        """Put an emoji on a message; "" takes it away."""
        return await self._do(react={"message_id": _wamid(message), "emoji": emoji}, **more)

    async def completes(self, message: Asked, response: dict[str, Any], **more: Any) -> str:
        """Go through a flow to its end."""
        return await self._do(flow={"message_id": _wamid(message), "response": response}, **more)

    async def allows_calls(self, message: Asked, *, permanent: bool = False, **more: Any) -> str:
        """Grant the permission to call that was asked for."""
        given = {"message_id": _wamid(message), "response": "accept", "permanent": permanent}
        return await self._do(call_permission=given, **more)

    async def refuses_calls(self, message: Asked, **more: Any) -> str:
        """Refuse the permission to call that was asked for."""
        return await self._do(call_permission={"message_id": _wamid(message), "response": "reject"}, **more)

    async def edits(self, wamid: str, text: str) -> str:
        """Put other words in place of those sent."""
        return await self._do(edit={"message_id": wamid, "text": text})

    async def deletes(self, wamid: str) -> str:
        """Take back a message they sent."""
        return await self._do(delete={"message_id": wamid})

    async def reads(self, *, number: str | None = None) -> None:
        """Read what was delivered to them, from one business number or all."""
        if number is not None:
            self._sim.parts.phones.hand.number(number, key="number")
        self._sim.parts.journey.read_by_person(self._person.wa_id, number)

    # --- what they share --------------------------------------------------------------------------------

    async def sends(self, kind: MediaKind, data: bytes | None = None, **more: Any) -> str:
        """Send a file, or a small sample of its kind; ``more`` is such as ``caption=``."""
        of_media = ("mime_type", "filename", "caption", "voice", "animated")
        media: dict[str, Any] = {key: more.pop(key) for key in of_media if key in more}
        media["kind"] = kind
        if data is None:
            media["sample"] = True
        else:
            media["data_base64"] = base64.b64encode(data).decode()
        return await self._do(media=media, **more)

    async def sends_image(self, data: bytes | None = None, **more: Any) -> str:
        """Send a picture."""
        return await self.sends("image", data, **more)

    async def sends_voice(self, data: bytes | None = None, **more: Any) -> str:
        """Send a voice note."""
        return await self.sends("audio", data, voice=True, **more)

    async def sends_document(self, data: bytes | None = None, **more: Any) -> str:
        """Send a document."""
        return await self.sends("document", data, **more)

    async def shares_location(
        self, latitude: float, longitude: float, *, answering: Asked | None = None, **more: Any
    ) -> str:
        """Share a place, of their own accord or as the answer to a location request."""
        place: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
        place |= {key: more.pop(key) for key in ("name", "address", "url") if key in more}
        if answering is not None:
            place["message_id"] = _wamid(answering)
        return await self._do(location=place, **more)

    async def shares_contact(self, name: str, *phones: str, **more: Any) -> str:
        """Share a contact."""
        return await self._do(contacts=[{"name": name, "phones": list(phones)}], **more)

    async def comes_by_ad(self, text: str = "Hello", **more: Any) -> str:
        """Write after tapping a click-to-WhatsApp ad (7.2)."""
        return await self._do(text=text, referral=more.pop("referral", True), **more)

    async def sends_unsupported(self, kind: str = "poll") -> str:
        """Send something the API does not carry."""
        return await self._do(unsupported={"kind": kind})

    # --- what changes about them ------------------------------------------------------------------------

    async def changes(self, **profile: Any) -> None:
        """Set what :class:`Profile` has, such as ``name=``, ``username=``, ``phone_hidden=``, ``read_receipts=``."""
        self._sim.parts.phones.people.set(self._person, Profile(**profile))

    async def adopts_username(self, username: str, *, hiding_phone: bool = True) -> None:
        """Adopt a username, behind which the number is hidden (4.7)."""
        await self.changes(username=username, phone_hidden=hiding_phone)

    async def changes_number(self, to: str) -> None:
        """Move to another number; conversations go along, the old BSUID dies (4.8)."""
        self._sim.parts.phones.people.change_number(self._person, to)

    async def changes_user_id(self) -> None:
        """Get another BSUID; the old one is dead."""
        self._sim.parts.phones.people.change_user_id(self._person)

    async def changes_identity(self) -> None:
        """Get new keys, as with a new phone."""
        self._sim.parts.phones.people.change_identity(self._person)

    async def blocks(self, number: str | None = None) -> None:
        """Block a business number, or all."""
        self._sim.parts.phones.people.block(self._person, number, on=True)

    async def unblocks(self, number: str | None = None) -> None:
        """End a block."""
        self._sim.parts.phones.people.block(self._person, number, on=False)

    async def stops_marketing(self, number: str | None = None) -> None:
        """Stop the marketing of a business number (4.11)."""
        self._sim.parts.phones.people.marketing(self._person, number, stop=True)

    async def resumes_marketing(self, number: str | None = None) -> None:
        """Want the marketing of a business number again."""
        self._sim.parts.phones.people.marketing(self._person, number, stop=False)

    async def turns_phone_off(self) -> None:
        """Turn the phone off: messages stay at `sent`."""
        await self.changes(phone_off=True)

    async def turns_phone_on(self) -> None:
        """Turn the phone on again: what waited is delivered."""
        await self.changes(phone_off=False)

    # --- what they hear ---------------------------------------------------------------------------------

    async def hears(self, containing: str = "", **wanted: Any) -> dict[str, Any]:
        """Wait until a message showing these words is on their phone; see :meth:`SentApi.expect_message`.

        One that failed, is held or waits for the phone never is; with ``status=`` any message that got so far is taken.
        """
        wanted = {"on_phone": "status" not in wanted, **wanted}
        return await self._sim.expect_message(to=self.phone, containing=containing, **wanted)

    @property
    def _person(self) -> Person:
        return self._found() or self._sim.parts.phones.known(self._last.phone)

    def _found(self) -> Person | None:
        """Look up who it is now: a reset and a restore put others in the place of those who were there."""
        people = self._sim.parts.world.people
        found = people.get(self._last.wa_id) or people.get(self._first_wa_id)
        if found is not None:
            self._last = found
        return found

    async def _do(self, **deed: Any) -> str:
        return await self._sim.inbound(self.phone, **deed)


def _wamid(message: Asked) -> str:
    return message if isinstance(message, str) else str(message["wamid"])
