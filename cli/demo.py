from typing import Annotated

import typer


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C.")] = False,
) -> None:
    """Show everything at work against a built-in sandbox.

    It needs no account, takes free ports, and leaves nothing running unless it is to --keep up.
    """
    from cli.demonstration import show

    raise typer.Exit(show(keep=keep))
