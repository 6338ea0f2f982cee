"""What a person sees of a message, whatever it was made of."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a bubble: its words, and what a tap on it reports back (``id`` or ``payload``)."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Content:
    """A message as it stands on the phone. ``category`` is what it is priced as (cloud-api.md 4.9)."""

    body: str
    header: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    #: What a tap comes back as: `interactive` (button_reply) or `button` (template quick reply), 4.8.
    answers_as: Literal["interactive", "button"] = "interactive"
    template: str | None = None
    category: str = "service"

    @property
    def shown(self) -> str:
        """The words on the phone, top to bottom, without the buttons."""
        return "\n".join(part for part in (self.header, self.body, self.footer) if part)
