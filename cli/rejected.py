from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Json

if TYPE_CHECKING:
    from storage.database import Database

app = typer.Typer(
    name="rejected",
    help="Show the records that were set aside, or try them again.",
    epilog="Example: syncline rejected --json",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def rejected(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the records that could not be stored and were set aside, and why."""
    if context.invoked_subcommand is None:
        _show(limit, as_json=as_json)


@app.command(epilog="Example: syncline rejected retry 9be1")
def retry(
    record_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this one: its id, or a unique beginning.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Try to store them again: all of them, or one."""
    from cli import output
    from cli.opening import with_database

    async def work(db: "Database") -> dict[str, int]:
        from tasks.retry_rejected import retry_rejected

        return await retry_rejected(db, record_id)

    result = with_database(work)
    if as_json:
        output.as_json(result)
    elif result["rejected"]:
        output.warning(f"Stored {result['stored']}, still set aside: {result['rejected']} (syncline rejected)")
    else:
        output.success(f"Stored {result['stored']}")


def _show(limit: int, *, as_json: bool) -> None:
    from cli import output
    from cli.opening import with_database
    from cli.tables import ago, print_table

    async def work(db: "Database") -> list[dict[str, Any]]:
        from storage.rejected import listing

        return list(await listing(db, limit=limit))

    found = with_database(work)
    if as_json:
        output.as_json({"items": found})
    elif not found:
        output.say("Nothing is set aside.")
    else:
        rows = [
            [r["id"][:8], r["connection_id"][:8], f"{r['connector']}.{r['stream']}", ago(r["last_at"]), r["reason"]]
            for r in found
        ]
        print_table(["ID", "CONNECTION", "STREAM", "SEEN", "REASON"], rows)
