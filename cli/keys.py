from typing import Annotated

import typer

app = typer.Typer(
    name="keys",
    help="Make and change the keys that encrypt credentials.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: syncline keys generate")
def generate(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Print a new key for SYNCLINE_ENCRYPTION_KEYS.

    Nothing is changed: put it first in the list, then run `syncline keys rotate`.
    """
    from cli import output
    from storage import keys

    key = keys.generate()
    if as_json:
        output.as_json({"key": key})
    else:
        output.data(key)


@app.command(epilog="Example: syncline keys rotate")
def rotate(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Encrypt all stored credentials with the newest key.

    Everything may go on running meanwhile; a rotation that was interrupted is simply started again.
    """
    import asyncio

    from cli import output
    from deployments.parts import database_for_command
    from storage.database import open_database
    from storage.keys import are_kept_here
    from storage.rotation import rotate

    async def work() -> int:
        async with open_database() as db:
            return await rotate(db)

    with database_for_command():
        count = asyncio.run(work())
    if as_json:
        output.as_json({"rotated": count})
    else:
        output.success(f"Encrypted anew: {count}")
        if not are_kept_here():
            output.say("  Now take the old keys out of SYNCLINE_ENCRYPTION_KEYS, wherever it is set.")
