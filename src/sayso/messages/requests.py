"""What `POST /send` takes: whom, what, and how; checked as far as the request alone can tell."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from sayso.core import faults
from sayso.core.api import Input, Text
from sayso.core.errors import ContentTooLongError, Fault, InputInvalidError
from sayso.core.moments import Moment
from sayso.messages import shapes
from sayso.messages.recipients import Recipient
from sayso.messages.service import Category, IfUnknown
from sayso.whatsapp import content as whatsapp
from sayso.whatsapp.content import TYPES, Content, Template, validate

#: How long a message keeps trying, unless it says otherwise, and at most.
LIVES = timedelta(hours=24)
LIVES_AT_MOST = timedelta(days=30)
#: How far ahead a message may be scheduled, and by how much a time may have passed: clocks differ.
AHEAD = timedelta(days=90)
CLOCKS = timedelta(minutes=1)

MessageType = Literal[
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "buttons",
    "list",
    "cta_url",
    "flow",
    "location_request",
    "contact_request",
    "call_permission",
    "voice_call",
    "carousel",
    "product",
    "product_list",
    "catalog",
    "template",
]


def _with_types(schema: dict[str, Any]) -> None:
    """Describe the object of each type: the one named by `message_type` is given."""
    for kind in TYPES:
        schema["properties"][kind] = shapes.schema_of(kind)
    schema["properties"]["fallback"] = shapes.schema_of("template")
    schema["additionalProperties"] = False


class SendIn(Input):
    """A message: `message_type`, and one object of that name; a plain text may be given as `content`."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_with_types)

    recipient: Recipient = None
    message_type: Annotated[
        MessageType, Field(description="What is sent; all but a plain text has its object of the same name.")
    ] = "text"
    content: Annotated[Text | None, Field(description="The text, for `text`.")] = None
    fallback: Annotated[
        dict[str, Any] | None,
        Field(description="The template to send where the 24-hour window is closed, shaped as `template`."),
    ] = None
    category: Annotated[
        Category,
        Field(
            description="What the person's consent is asked for. `service` is for answers to what they just wrote."
        ),
    ] = "notifications"
    sender: Annotated[
        Text | None,
        Field(max_length=40, description="The phone number id to send from; the first by default."),
    ] = None
    send_at: Annotated[
        Moment | None,
        Field(
            description="Not before this time, at most 90 days ahead; with its time zone. Left out: at once.",
        ),
    ] = None
    ttl_seconds: Annotated[
        int | None,
        Field(ge=1, le=int(LIVES_AT_MOST.total_seconds()), description="How long it keeps trying; a day."),
    ] = None
    expires_at: Annotated[Moment | None, Field(description="Instead: until when.")] = None
    if_unknown: Annotated[
        IfUnknown,
        Field(
            description="If Meta's answer was lost and nothing tells what became of the message: `give_up` leaves "
            "it `unknown`, `retry_once` sends it again once (the person may get it twice), `ask` reports it and waits "
            "for your word."
        ),
    ] = "give_up"
    quotes: Annotated[
        Text | None, Field(max_length=512, description="Our id of the message it answers, or its wamid.")
    ] = None
    dedupe_key: Annotated[
        Text | None,
        Field(
            min_length=1,
            max_length=255,
            description="Of several messages with the same key only the first is sent; the others return its id.",
        ),
    ] = None

    @property
    def _given(self) -> Mapping[str, Any]:
        return self.__pydantic_extra__ or {}

    def outgoing(self) -> Content:
        """What is to be sent; raises :class:`InputInvalidError` or :class:`ContentTooLongError`.

        A template is not checked against anything yet: its language may still have to be chosen.
        """
        kind = self.message_type
        unknown = [name for name in self._given if name not in TYPES]
        if unknown:
            meant = faults.near(unknown[0], [*SendIn.model_fields, *TYPES])
            raise _wrong(unknown[0], f"is not a field of this request{meant}")
        other = next((name for name in self._given if name != kind), None)
        if other is not None:
            raise _wrong(other, f"message_type {kind!r} takes `{kind}`, and no `{other}`")
        if kind == "text" and kind not in self._given:
            return self._plain_text()
        if self.content is not None:
            raise _wrong("content", f"message_type {kind!r} takes `{kind}`, and no `content`")
        given = self._given.get(kind)
        if not isinstance(given, dict):
            raise _wrong(kind, f"message_type {kind!r} takes an object `{kind}`")
        if kind == "template" and self.category == "service":
            raise _wrong(
                "category", "an answer (service) goes out inside the 24-hour window only: as no template"
            )
        content = shapes.read(kind, given, at=f"/{kind}")
        _named(content)
        if not isinstance(content, Template):
            validate(content, at=f"/{kind}")
        return content

    def outside(self) -> Template | None:
        """The template for outside the window."""
        if self.fallback is None:
            return None
        if self.message_type == "template":
            raise _wrong("fallback", "a template needs no fallback: it may be sent at any time")
        if self.category == "service":
            raise _wrong("fallback", "an answer (category service) goes out inside the 24-hour window only")
        template = shapes.read("template", self.fallback, at="/fallback")
        if not isinstance(template, Template):
            raise TypeError(template)
        return template

    def times(self, now: datetime) -> tuple[datetime | None, datetime]:
        """When it may go out at the earliest (None: now), and when it ends."""
        if self.send_at is not None:
            _to_come(self.send_at, now)
        start = self.send_at if self.send_at is not None and self.send_at > now else None
        begins = start or now
        if self.expires_at is None:
            lives = LIVES if self.ttl_seconds is None else timedelta(seconds=self.ttl_seconds)
            return start, begins + lives
        if self.ttl_seconds is not None:
            raise _wrong("expires_at", "takes the place of ttl_seconds: give one of them")
        if start is not None and self.expires_at <= start:
            raise _wrong(
                "send_at", "is not before expires_at: it would end before it goes out. Give a later end"
            )
        if not begins < self.expires_at <= begins + LIVES_AT_MOST:
            raise _wrong(
                "expires_at",
                f"is not in the {LIVES_AT_MOST.days} days after the message may go out. Give an end that is, "
                "or leave it out",
            )
        return start, self.expires_at

    def _plain_text(self) -> Content:
        """The text as the guide gives it; what is wrong is pointed at where the request has it: ``content``."""
        if self.content is None:
            raise _wrong("content", "message_type 'text' takes `content`, or an object `text`")
        text = whatsapp.Text(self.content)
        try:
            validate(text)
        except (InputInvalidError, ContentTooLongError) as error:
            faults = [Fault(fault.detail, "/content") for fault in error.faults]
            raise type(error)(f"content: {error.detail}", faults=faults) from None
        return text


def _named(content: Content) -> None:
    """The id of a message is opaque, but never other than ASCII: a placeholder of an example is."""
    if isinstance(content, whatsapp.Reaction) and not content.message_id.isascii():
        raise faults.wrong(
            "/reaction/message_id",
            "is no id of a message. Give the `wamid` of a `person.said` event (GET /events), or the `id` that "
            "POST /send answered with",
        )


def _to_come(send_at: datetime, now: datetime) -> None:
    if send_at < now - CLOCKS:
        here = now.astimezone(send_at.tzinfo).isoformat(timespec="seconds")
        raise _wrong("send_at", f"has passed: it is {here} now. Leave it out to send at once")
    if send_at > now + AHEAD:
        raise _wrong("send_at", f"is more than {AHEAD.days} days ahead. Send it nearer to its time")


def _wrong(field: str, detail: str) -> InputInvalidError:
    """The caller chose the name of an unknown field: halves of characters in it are shown as such."""
    return faults.wrong(faults.pointer([field]), detail)
