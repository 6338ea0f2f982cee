"""A message as the phone shows it, drawn for a terminal."""

import re
from typing import Final

from rich import box
from rich.align import Align
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from sayso.templates.preview import Shown, ShownButton

WIDTH: Final = 46
_MARKS: Final = (
    (r"\*([^*\n]+)\*", "bold"),
    (r"(?<!\w)_([^_\n]+)_(?!\w)", "italic"),
    (r"~([^~\n]+)~", "strike"),
)
_VARIABLE: Final = re.compile(r"\{\{[^{}]*\}\}")
_ICONS: Final = {
    "QUICK_REPLY": "↩",
    "URL": "↗",
    "PHONE_NUMBER": "✆",
    "VOICE_CALL": "✆",
    "COPY_CODE": "⧉",
    "OTP": "⧉",
    "FLOW": "≡",
}
_MEDIA: Final = {"image": "picture", "video": "▶ video", "document": "document", "location": "map"}


def bubble(shown: Shown, *, title: str) -> RenderableType:
    """The bubble with its buttons below it, as WhatsApp stacks them."""
    framed = [_framed(shown, title, time="09:41"), *(_button(each) for each in shown.buttons)]
    for number, card in enumerate(shown.cards, start=1):
        framed += [
            _framed(card, f"card {number} of {len(shown.cards)}"),
            *(_button(each) for each in card.buttons),
        ]
    return Padding(Group(*framed), (0, 1, 1, 0))


def _framed(shown: Shown, title: str, *, time: str = "") -> RenderableType:
    parts: list[RenderableType] = []
    if shown.media:
        picture = Align.center(Text(_MEDIA[shown.media], style="dim"))
        parts.append(Panel(picture, box=box.ROUNDED, style="dim", padding=(1, 0)))
    if shown.header:
        parts += [Text(shown.header, style="bold"), Text()]
    if shown.offer:
        parts += [Text(f"⏳ {shown.offer}", style="bold"), Text()]
    parts.append(_formatted(shown.body))
    if shown.footer:
        parts += [Text(), Text(shown.footer, style="dim")]
    if time:
        parts.append(Align.right(Text(time, style="dim")))
    return Panel(
        Group(*parts),
        title=f"[dim]{title}[/]",
        title_align="left",
        box=box.ROUNDED,
        border_style="green",
        width=WIDTH,
    )


def _button(button: ShownButton) -> RenderableType:
    label = Text(f"{_ICONS.get(button.kind, '•')} {button.text}", style="bold cyan", justify="center")
    if button.target:
        label.append(f"\n{button.target}", style="dim not bold")
    return Panel(label, box=box.ROUNDED, border_style="cyan", width=WIDTH)


def _formatted(body: str) -> Text:
    """WhatsApp's own marks, drawn; a variable without a value stands out."""
    text = Text(body, overflow="fold")  # a line without spaces is longer than the bubble in Japanese
    for pattern, style in _MARKS:
        for found in re.finditer(pattern, body):
            text.stylize(style, *found.span())
    for found in _VARIABLE.finditer(body):
        text.stylize("bold yellow", *found.span())
    return text
