"""How a state looks: a shape, a word and a colour, never colour alone."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

LABELS = {
    "active": ("● Connected", "green"),
    "syncing": ("⟳ Syncing", "green"),
    "waiting": ("◔ Waiting", "yellow"),
    "needs_reconnect": ("▲ Reconnect needed", "red"),
    "paused": ("‖ Paused", "yellow"),
    "disconnected": ("○ Disconnected", "dim"),
}


def label(state: str) -> "Text":
    """The state as a person reads it."""
    from rich.text import Text

    word, style = LABELS.get(state, (state, ""))
    return Text(word, style=style)
