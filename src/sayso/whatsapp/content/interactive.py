"""Messages with buttons and lists to answer by; only inside the 24-hour window (cloud-api 2.5)."""

from typing import Annotated, Any

from msgspec import Meta

from sayso.whatsapp import limits
from sayso.whatsapp.content.check import Check, Part, given
from sayso.whatsapp.content.media import ABOVE_BUTTONS, Header

Body = Annotated[str, Meta(description="The text, at most 1,024 characters.")]
Footer = Annotated[str | None, Meta(description="Small print, at most 60 characters.")]


class Button(Part, frozen=True):
    """A reply button: what comes back when it is tapped (256), and its label (20)."""

    id: str
    title: str


class Buttons(Part, frozen=True, tag="buttons", tag_field="type"):
    """A text with one to three reply buttons."""

    body: Body
    buttons: tuple[Button, ...]
    header: Header | None = None
    footer: Footer = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")
        check_frame(check, self.header, self.footer)
        check_replies(check, "/buttons", self.buttons)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        action = {"buttons": wire_replies(self.buttons, "reply")}
        return interactive("button", self.body, action, self.header, self.footer)


class Row(Part, frozen=True):
    """A line to choose: what comes back (200), its title (24), a description (72)."""

    id: str
    title: str
    description: str | None = None


class Section(Part, frozen=True):
    """Rows under a title (24), which a list of one section may leave out."""

    rows: tuple[Row, ...]
    title: str | None = None


class List(Part, frozen=True, tag="list", tag_field="type"):
    """A text with a button that opens a list of at most 10 rows in at most 10 sections."""

    body: Annotated[str, Meta(description="The text, at most 4,096 characters.")]
    button: Annotated[str, Meta(description="The words that open it, at most 20 characters.")]
    sections: tuple[Section, ...]
    header: Annotated[Header | None, Meta(description="Text only.")] = None
    footer: Footer = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.LIST_BODY, "The text")
        check.line("/button", self.button, limits.LIST_BUTTON, "The list's button")
        check_frame(check, self.header, self.footer, kinds=("text",))
        check.count("/sections", len(self.sections), 1, limits.LIST_SECTIONS, "sections")
        rows = [row for section in self.sections for row in section.rows]
        check.count("/sections", len(rows), 1, limits.LIST_ROWS, "rows in all sections together")
        check.distinct("/sections", [row.id for row in rows], "rows have the same id")
        for number, section in enumerate(self.sections):
            _check_section(check, f"/sections/{number}", section, alone=len(self.sections) == 1)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        sections = [
            given(
                title=section.title,
                rows=[given(id=row.id, title=row.title, description=row.description) for row in section.rows],
            )
            for section in self.sections
        ]
        action = {"button": self.button, "sections": sections}
        return interactive("list", self.body, action, self.header, self.footer)


class CtaUrl(Part, frozen=True, tag="cta_url", tag_field="type"):
    """A text with one button that opens a link."""

    body: Body
    button: Annotated[str, Meta(description="The button's words, at most 20 characters.")]
    url: Annotated[str, Meta(description="The https address it opens.")]
    header: Header | None = None
    footer: Footer = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")
        check_frame(check, self.header, self.footer)
        check_link(check, "", self.button, self.url)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        action = wire_link(self.button, self.url)
        return interactive("cta_url", self.body, action, self.header, self.footer)


def interactive(
    kind: str,
    body: str | None,
    action: dict[str, Any],
    header: Header | None = None,
    footer: str | None = None,
) -> dict[str, Any]:
    """Meta's JSON of an interactive message."""
    return {
        "type": "interactive",
        "interactive": given(
            type=kind,
            header=header.wire() if header is not None else None,
            body={"text": body} if body is not None else None,
            footer={"text": footer} if footer is not None else None,
            action=action,
        ),
    }


def check_frame(
    check: Check, header: Header | None, footer: str | None, kinds: tuple[str, ...] = ABOVE_BUTTONS
) -> None:
    """Check what stands above and below an interactive message."""
    if header is not None:
        header.examine(check, "/header", kinds)
    check.maybe_line("/footer", footer, limits.INTERACTIVE_FOOTER, "The footer")


def check_replies(check: Check, at: str, buttons: tuple[Button, ...]) -> None:
    """Check reply buttons: one to three, each with an id and a title of its own."""
    check.count(at, len(buttons), 1, limits.BUTTONS, "buttons")
    for number, button in enumerate(buttons):
        pointer = f"{at}/{number}"
        check.line(f"{pointer}/id", button.id, limits.BUTTON_ID, "A button's id")
        check.line(f"{pointer}/title", button.title, limits.BUTTON_TITLE, "A button's title")
        if button.id.strip() and button.id != button.id.strip():
            check.wrong(f"{pointer}/id", "A button's id starts or ends with a space.")
    for part in ("id", "title"):
        check.distinct(at, [getattr(button, part) for button in buttons], f"buttons have the same {part}")


def check_link(check: Check, at: str, button: str, url: str) -> None:
    """Check a button that opens a link."""
    check.line(f"{at}/button", button, limits.BUTTON_TITLE, "The button's words")
    check.address(f"{at}/url", url, "The link")


def wire_replies(buttons: tuple[Button, ...], kind: str) -> list[dict[str, Any]]:
    """Meta's JSON of reply buttons; on a card they go by ``quick_reply``."""
    return [{"type": kind, kind: {"id": each.id, "title": each.title}} for each in buttons]


def wire_link(button: str, url: str) -> dict[str, Any]:
    """Meta's JSON of a button that opens a link."""
    return {"name": "cta_url", "parameters": {"display_text": button, "url": url}}


def _check_section(check: Check, at: str, section: Section, *, alone: bool) -> None:
    if not alone and section.title is None:
        check.wrong(f"{at}/title", "Where there are several sections, each has a title.")
    check.maybe_line(f"{at}/title", section.title, limits.SECTION_TITLE, "A section's title")
    if not section.rows:
        check.wrong(f"{at}/rows", "A section has at least one row.")
    for number, row in enumerate(section.rows):
        pointer = f"{at}/rows/{number}"
        check.line(f"{pointer}/id", row.id, limits.ROW_ID, "A row's id")
        check.line(f"{pointer}/title", row.title, limits.ROW_TITLE, "A row's title")
        check.maybe_line(
            f"{pointer}/description", row.description, limits.ROW_DESCRIPTION, "A row's description"
        )
