"""Messages with one button that asks the person for something: a form, a place, a number, a call (cloud-api 2.5)."""

import unicodedata
from typing import Annotated, Any, Literal

from msgspec import Meta

from sayso.whatsapp import limits
from sayso.whatsapp.content.check import Check, Part, given
from sayso.whatsapp.content.interactive import Body, Footer, check_frame, interactive
from sayso.whatsapp.content.media import Header


class Flow(Part, frozen=True, tag="flow", tag_field="type"):
    """A text with a button that opens a form (a WhatsApp Flow), named by exactly one of its id and its name."""

    body: Body
    button: Annotated[str, Meta(description="The button's words, at most 30 characters, no emoji.")]
    flow_id: str | None = None
    flow_name: str | None = None
    flow_token: Annotated[str | None, Meta(description="Comes back with what the person filled in.")] = None
    mode: Literal["published", "draft"] | None = None
    action: Literal["navigate", "data_exchange"] | None = None
    screen: Annotated[str | None, Meta(description="Where it begins, for `navigate`.")] = None
    data: Annotated[dict[str, Any] | None, Meta(description="What the screen is filled with.")] = None
    header: Header | None = None
    footer: Footer = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")
        check_frame(check, self.header, self.footer)
        check.line("/button", self.button, limits.FLOW_BUTTON, "The button's words")
        if any(unicodedata.category(char) == "So" for char in self.button):
            check.wrong("/button", "The words on a form's button have no emoji.")
        if (self.flow_id is None) == (self.flow_name is None):
            check.wrong("/flow_id", "A form goes by exactly one of flow_id and flow_name.")
        for part in ("flow_id", "flow_name", "flow_token", "screen"):
            check.maybe_line(f"/{part}", getattr(self, part), limits.FOREIGN_ID, f"The {part}")
        if self.data is not None and (not self.data or self.screen is None):
            check.wrong("/data", "Data is not empty, and goes to a screen that is named.")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        payload = given(screen=self.screen, data=self.data)
        parameters = given(
            flow_message_version="3",
            flow_id=self.flow_id,
            flow_name=self.flow_name,
            flow_cta=self.button,
            flow_token=self.flow_token,
            mode=self.mode,
            flow_action=self.action,
            flow_action_payload=payload or None,
        )
        action = {"name": "flow", "parameters": parameters}
        return interactive("flow", self.body, action, self.header, self.footer)


class LocationRequest(Part, frozen=True, tag="location_request", tag_field="type"):
    """A text with a button by which the person sends where they are."""

    body: Body

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return interactive("location_request_message", self.body, {"name": "send_location"})


class ContactRequest(Part, frozen=True, tag="contact_request", tag_field="type"):
    """A text with a button by which a person who goes by a username sends their phone number."""

    body: Body

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return interactive("request_contact_info", self.body, {"name": "request_contact_info"})


class CallPermission(Part, frozen=True, tag="call_permission", tag_field="type"):
    """The question whether the business may call."""

    body: Annotated[str | None, Meta(description="The text, at most 1,024 characters.")] = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.maybe("/body", self.body, limits.INTERACTIVE_BODY, "The text")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return interactive("call_permission_request", self.body, {"name": "call_permission_request"})


class VoiceCall(Part, frozen=True, tag="voice_call", tag_field="type"):
    """A text with a button by which the person calls the business."""

    body: Body
    button: Annotated[str | None, Meta(description="The button's words, at most 20 characters.")] = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")
        check.maybe_line("/button", self.button, limits.BUTTON_TITLE, "The button's words")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        parameters = None if self.button is None else {"display_text": self.button}
        return interactive("voice_call", self.body, given(name="voice_call", parameters=parameters))
