"""Media, by the id of an upload or by a link, alone and as a header (cloud-api 2.4, 2.5)."""

from collections.abc import Collection
from typing import Annotated, Any, Final

from msgspec import Meta

from sayso.whatsapp import limits
from sayso.whatsapp.content.check import Check, Part, given

Id = Annotated[str | None, Meta(description="The id that `POST /media` returned; lives 30 days.")]
Link = Annotated[
    str | None,
    Meta(description="An https address that Meta fetches when it sends, and caches for 10 minutes."),
]
Caption = Annotated[str | None, Meta(description="Text under it, at most 1,024 characters.")]


class Media(Part, frozen=True):
    """A file at the head of a message: exactly one of `id` and `link`; `filename` for documents."""

    id: Id = None
    link: Link = None
    filename: str | None = None

    def examine(self, check: Check, at: str) -> None:
        """Check it."""
        _one_source(check, at, self.id, self.link)
        check.maybe_line(f"{at}/filename", self.filename, limits.FILENAME, "The file's name")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return given(id=self.id, link=self.link, filename=self.filename)


class Location(Part, frozen=True, tag="location", tag_field="type"):
    """A place on the map: degrees, and what it is called."""

    latitude: Annotated[float, Meta(description="-90 to 90.")]
    longitude: Annotated[float, Meta(description="-180 to 180.")]
    name: str | None = None
    address: str | None = None

    def examine(self, check: Check, at: str = "") -> None:
        """Check it."""
        for part, most in (("latitude", 90.0), ("longitude", 180.0)):
            if not -most <= getattr(self, part) <= most:
                check.wrong(f"{at}/{part}", f"The {part} is from -{most:g} to {most:g} degrees.")
        check.maybe_line(f"{at}/name", self.name, limits.PLACE, "The place's name")
        check.maybe(f"{at}/address", self.address, limits.PLACE, "The place's address")

    def place(self) -> dict[str, Any]:
        """Meta's JSON of the place."""
        return given(latitude=self.latitude, longitude=self.longitude, name=self.name, address=self.address)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of the message."""
        return {"type": "location", "location": self.place()}


class Header(Part, frozen=True):
    """What stands above the text: exactly one of these; which of them, each type says."""

    text: Annotated[str | None, Meta(description="At most 60 characters, on one line.")] = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None
    location: Location | None = None

    @property
    def kinds(self) -> list[str]:
        """Which of them are given; one, when it is valid."""
        return [kind for kind in HEADERS if getattr(self, kind) is not None]

    def examine(self, check: Check, at: str, kinds: Collection[str]) -> None:
        """Check it, where only ``kinds`` may stand."""
        if len(self.kinds) != 1 or self.kinds[0] not in kinds:
            check.wrong(at, f"A header here is exactly one of {', '.join(kinds)}.")
            return
        kind = self.kinds[0]
        check.maybe_line(f"{at}/text", self.text, limits.INTERACTIVE_HEADER, "The header")
        if self.location is not None:
            self.location.examine(check, f"{at}/location")
        elif kind != "text":
            media: Media = getattr(self, kind)
            media.examine(check, f"{at}/{kind}")
            if media.filename is not None and kind != "document":
                check.wrong(f"{at}/{kind}/filename", "Only a document has a file name.")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it, the same for a header and for a header's parameter."""
        kind = self.kinds[0]
        if self.text is not None:
            return {"type": "text", "text": self.text}
        if self.location is not None:
            return {"type": "location", "location": self.location.place()}
        return {"type": kind, kind: getattr(self, kind).wire()}


HEADERS: Final = ("text", "image", "video", "document", "location")
#: What may stand above an interactive message, and above a card.
ABOVE_BUTTONS: Final = ("text", "image", "video", "document")
ABOVE_A_CARD: Final = ("image", "video")


class Image(Part, frozen=True, tag="image", tag_field="type"):
    """A picture: JPEG or PNG, 5 MB."""

    id: Id = None
    link: Link = None
    caption: Caption = None

    def examine(self, check: Check) -> None:
        """Check it."""
        _one_source(check, "", self.id, self.link)
        check.maybe("/caption", self.caption, limits.CAPTION, "The caption")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return {"type": "image", "image": given(id=self.id, link=self.link, caption=self.caption)}


class Video(Part, frozen=True, tag="video", tag_field="type"):
    """A video: MP4 or 3GPP with H.264 and AAC, 16 MB."""

    id: Id = None
    link: Link = None
    caption: Caption = None

    def examine(self, check: Check) -> None:
        """Check it."""
        _one_source(check, "", self.id, self.link)
        check.maybe("/caption", self.caption, limits.CAPTION, "The caption")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return {"type": "video", "video": given(id=self.id, link=self.link, caption=self.caption)}


class Audio(Part, frozen=True, tag="audio", tag_field="type"):
    """A sound: AAC, AMR, MP3, M4A or OGG with Opus, 16 MB; it has no caption."""

    id: Id = None
    link: Link = None
    voice: Annotated[bool, Meta(description="Show it as a voice message; OGG with Opus only.")] = False

    def examine(self, check: Check) -> None:
        """Check it."""
        _one_source(check, "", self.id, self.link)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return {"type": "audio", "audio": given(id=self.id, link=self.link, voice=self.voice or None)}


class Document(Part, frozen=True, tag="document", tag_field="type"):
    """A file: text, PDF, Word, Excel, PowerPoint, 100 MB."""

    id: Id = None
    link: Link = None
    caption: Caption = None
    filename: Annotated[str | None, Meta(description="What it is called on the phone.")] = None

    def examine(self, check: Check) -> None:
        """Check it."""
        _one_source(check, "", self.id, self.link)
        check.maybe("/caption", self.caption, limits.CAPTION, "The caption")
        check.maybe_line("/filename", self.filename, limits.FILENAME, "The file's name")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        document = given(id=self.id, link=self.link, caption=self.caption, filename=self.filename)
        return {"type": "document", "document": document}


class Sticker(Part, frozen=True, tag="sticker", tag_field="type"):
    """A sticker: WebP of 512 by 512 pixels, 100 KB, animated 500 KB."""

    id: Id = None
    link: Link = None

    def examine(self, check: Check) -> None:
        """Check it."""
        _one_source(check, "", self.id, self.link)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return {"type": "sticker", "sticker": given(id=self.id, link=self.link)}


def _one_source(check: Check, at: str, media_id: str | None, link: str | None) -> None:
    if (media_id is None) == (link is None):
        check.wrong(at, "Media takes exactly one of id (of an upload) and link (an https address).")
        return
    if media_id is not None:
        check.name(f"{at}/id", media_id, "A media id")
    if link is not None:
        check.address(f"{at}/link", link, "The link")
