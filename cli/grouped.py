"""Help in plain text with the commands in groups: what rich would draw costs a quarter of a second to import."""

from typing import Any

from typer.core import TyperGroup


class Grouped(TyperGroup):
    """Lists its commands under the headings that they were added with."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 -- the signature is Typer's
        """Each heading once, in the order in which it first came."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            heading = getattr(command, "rich_help_panel", None)
            width = formatter.width - 6 - max(len(each) for each in self.commands)
            line = (name, command.get_short_help_str(width))
            groups.setdefault(heading if isinstance(heading, str) else "Commands", []).append(line)
        for heading, lines in groups.items():
            with formatter.section(heading):
                formatter.write_dl(lines)
