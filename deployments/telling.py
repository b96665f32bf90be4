"""What `syncline up` prints: one line per part, then what happens."""

from functools import cache

from rich.console import Console
from rich.markup import escape

from deployments.words import visible

SIGNS = {"✓": "green", "!": "yellow", "▲": "red"}


def tell(text: str, sign: str = "") -> None:
    """One line on stdout; colour only on a terminal, the sign says it too."""
    mark = f"[{SIGNS[sign]}]{sign}[/] " if sign else ""
    _console().print(mark + escape(visible(text)), highlight=False, soft_wrap=True)


def tell_part(name: str, what: str, seconds: float) -> None:
    """For example: ✓ Postgres 18.6   embedded, .syncline/postgres   0.6 s."""
    tell(f"{name:<15} {what:<46} {seconds:4.1f} s", "✓")


@cache
def _console() -> Console:
    return Console()
