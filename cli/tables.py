"""Plain tables: columns as wide as their longest cell, nothing cut, one record a line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deployments.words import visible

if TYPE_CHECKING:
    from rich.text import Text

GAP = "  "


def print_table(headings: Sequence[str], rows: "Sequence[Sequence[str | Text]]") -> None:
    """The table is on stdout, in colour only where that is wanted."""
    from rich.text import Text

    from cli import output

    lines = [[Text(heading, style="bold") for heading in headings]]
    lines += [[cell if isinstance(cell, Text) else Text(visible(cell)) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        text = Text()
        for cell, width in zip(line, widths, strict=True):
            text.append_text(cell)
            text.append(" " * (width - cell.cell_len) + GAP)
        text.rstrip()
        output.paper().print(text, soft_wrap=True, highlight=False)


def ago(moment: object) -> str:
    """How long ago, in words; `never` for None. Takes a datetime or its ISO text."""
    from datetime import UTC, datetime

    import humanize

    if moment is None:
        return "never"
    at = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    return humanize.naturaltime(datetime.now(UTC) - at)
