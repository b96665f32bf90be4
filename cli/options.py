"""Options that several commands share, in one wording."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, also on failure.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to the question.")]
NoInput = Annotated[bool, typer.Option("--no-input", help="Never ask anything.")]
ConnectionId = Annotated[str, typer.Argument(metavar="ID", help="A connection's id, or its unique beginning.")]
