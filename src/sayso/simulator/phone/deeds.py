"""What a person can do with their phone, as the control API and Python tests say it (cloud-api.md 4.8)."""

from typing import Annotated, Any, Literal

import msgspec

from sayso.simulator.strict import Strict
from sayso.simulator.world.content import MediaKind

TEXT_AT_MOST = 65_536

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_AT_MOST)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class PhoneError(ValueError):
    """The person cannot do this; the words say why."""


class Tap(Strict):
    """A tap on a button of a message: by place (from 0) or by words; ``card`` is a carousel's card (from 0).

    ``context=False`` leaves ``context`` out of the webhook, as has been seen in the wild.
    """

    message_id: str
    button: int | str
    card: int | None = None
    context: bool = True


class Choose(Strict):
    """A row of a list, by its id or by its words."""

    message_id: str
    row: str
    context: bool = True


class React(Strict):
    """An emoji on a message of either side; an empty one takes it away."""

    message_id: str
    emoji: Annotated[str, msgspec.Meta(max_length=64)]


class Media(Strict):
    """A photo, video, recording, document or sticker: its bytes in base64, or a small sample of that kind."""

    kind: MediaKind
    data_base64: bytes | None = None
    sample: bool = False
    mime_type: str | None = None
    filename: str | None = None
    caption: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    voice: bool = False
    animated: bool = False


class Location(Strict):
    """A place, in degrees; ``message_id`` is the location request it answers."""

    latitude: Latitude
    longitude: Longitude
    name: str | None = None
    address: str | None = None
    url: str | None = None
    message_id: str | None = None


class Card(Strict):
    """A contact that is shared: a name, and numbers or addresses."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    organization: str | None = None


class Flow(Strict):
    """A flow gone through to its end: what was filled in."""

    message_id: str
    response: dict[str, Any] = msgspec.field(default_factory=dict)
    name: str = "flow"
    body: str = "Sent"


class CallPermission(Strict):
    """The answer to a request for permission to call."""

    message_id: str
    response: Literal["accept", "reject"]
    permanent: bool = False


class Edit(Strict):
    """Other words for a message the person sent."""

    message_id: str
    text: Text


class Delete(Strict):
    """A message the person sent, taken back for everybody."""

    message_id: str


class Unsupported(Strict):
    """Something the API does not carry, such as a poll."""

    kind: Annotated[str, msgspec.Meta(min_length=1)] = "poll"


class ProductItem(Strict):
    """One line of an order."""

    product_retailer_id: str
    quantity: Annotated[int, msgspec.Meta(ge=1)] = 1
    item_price: float = 0
    currency: str = "USD"


class Order(Strict):
    """An order out of a catalog."""

    catalog_id: str
    product_items: Annotated[list[ProductItem], msgspec.Meta(min_length=1)]
    text: str = ""


class Welcome(Strict):
    """The words an ad greets with."""

    text: str


class Referral(Strict, omit_defaults=True):
    """The click-to-WhatsApp ad or post by which somebody came; it opens a free entry point (7.2)."""

    source_url: str
    source_type: Literal["ad", "post"]
    source_id: str
    headline: str | None = None
    body: str | None = None
    media_type: Literal["image", "video"] | None = None
    image_url: str | None = None
    video_url: str | None = None
    thumbnail_url: str | None = None
    ctwa_clid: str | None = None
    welcome_message: Welcome | None = None


#: The ad of somebody who came by one and nobody said by which.
SOME_AD = Referral(
    source_url="https://fb.me/simulated",
    source_type="ad",
    source_id="120000000000000001",
    headline="Talk to us",
    body="We answer on WhatsApp.",
    media_type="image",
    image_url="https://scontent.example/ad.jpg",
    ctwa_clid="simulated-click",
)


class Inbound(Strict, rename={"sender": "from"}):
    """Something a person does: exactly one deed, and what goes with it.

    ``to`` is the phone number id it goes to: by default that of the message it concerns, or the first. ``quote``
    makes it a quoted reply; ``context=False`` leaves the context out of the webhook, as has been seen in the wild.
    """

    sender: str
    to: str | None = None
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] | None = None
    quote: str | None = None
    forwarded: bool | Literal["frequently"] = False
    referral: Referral | bool | None = None
    context: bool = True

    text: Text | None = None
    tap: Tap | None = None
    choose: Choose | None = None
    react: React | None = None
    media: Media | None = None
    location: Location | None = None
    contacts: Annotated[list[Card], msgspec.Meta(min_length=1)] | None = None
    flow: Flow | None = None
    call_permission: CallPermission | None = None
    edit: Edit | None = None
    delete: Delete | None = None
    unsupported: Unsupported | None = None
    order: Order | None = None
    welcome: bool | None = None


#: The keys of :class:`Inbound` of which exactly one is given.
DEEDS = (
    *("text", "tap", "choose", "react", "media", "location", "contacts", "flow", "call_permission"),
    *("edit", "delete", "unsupported", "order", "welcome"),
)
