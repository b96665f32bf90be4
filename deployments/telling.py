"""What `syncline up` prints: one line per part, then what happens."""

import os
import select
import sys
from contextlib import suppress
from functools import cache
from io import StringIO

from rich.console import Console
from rich.markup import escape

from deployments.words import visible

SIGNS = {"✓": "green", "!": "yellow", "▲": "red"}


def tell(text: str, sign: str = "") -> None:
    """One line on stdout; colour only on a terminal, the sign says it too.

    Whoever tells goes on, whatever becomes of it: nobody may read any more, or slowly, or the log's disk may be full.
    """
    mark = f"[{SIGNS[sign]}]{sign}[/] " if sign else ""
    console = _console()
    with console.capture() as line:
        console.print(mark + escape(visible(text)), highlight=False, soft_wrap=True)
    with suppress(OSError, ValueError):
        if sys.stdout and select.select([], [sys.stdout], [], 0)[1]:
            said = line.get().encode(sys.stdout.encoding, "replace")
            # More might have to wait for a reader.
            os.write(sys.stdout.fileno(), said[: select.PIPE_BUF - 1].removesuffix(b"\n") + b"\n")


def tell_part(name: str, what: str, seconds: float) -> None:
    """For example: ✓ Postgres 18.6   embedded, .syncline/postgres   0.6 s."""
    tell(f"{name:<15} {what:<46} {seconds:4.1f} s", "✓")


@cache
def _console() -> Console:
    """It writes to nobody: rich waits for a slow reader, and ends the process when there is none any more."""
    return Console(file=StringIO(), force_terminal=bool(sys.stdout and sys.stdout.isatty()) or None)
