"""Where words go: data to stdout, everything else to stderr.

rich obeys NO_COLOR and FORCE_COLOR and writes plain text when there is no terminal. Whatever is shown may hold words of
a provider or a user: none of them can speak to the terminal, or make two lines of one.
"""

import json
import os
import sys
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Literal

from deployments.words import visible

if TYPE_CHECKING:
    from rich.console import Console


def data(text: str) -> None:
    """One line of data is on stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def as_json(value: object) -> None:
    """One JSON document is on stdout; times in ISO 8601, UUIDs and the like as text."""
    text = json.dumps(value, default=_text, ensure_ascii=False)
    seen = text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    data(seen)


def say(text: str = "") -> None:
    """One line for the person is on stderr, exactly as given: no markup is read in it."""
    screen().print(visible(text), markup=False, highlight=False, soft_wrap=True)


def success(text: str) -> None:
    screen().print(f"[green]✓[/] {plain(text)}", highlight=False, soft_wrap=True)


def warning(text: str) -> None:
    screen().print(f"[yellow]![/] {plain(text)}", highlight=False, soft_wrap=True)


def needs_you(text: str) -> None:
    screen().print(f"[red]▲[/] {plain(text)}", highlight=False, soft_wrap=True)


@cache
def screen() -> "Console":
    """What is for the person to read: stderr."""
    from rich.console import Console

    return Console(stderr=True, color_system=_colours())


@cache
def paper() -> "Console":
    """Tables that are the answer: stdout."""
    from rich.console import Console

    return Console(color_system=_colours())


def _colours() -> Literal["auto"] | None:
    """NO_COLOR means plain text: no bold either."""
    return None if os.environ.get("NO_COLOR") else "auto"


def may_ask() -> bool:
    """Is there a person at stdin?"""
    return sys.stdin is not None and sys.stdin.isatty()


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def plain(text: str) -> str:
    """Words that go among marks of colour: they hold none."""
    from rich.markup import escape

    return escape(visible(text))
