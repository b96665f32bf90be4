from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.options import Json

if TYPE_CHECKING:
    from uuid import UUID

    from rich.text import Text

    from storage.database import Database

app = typer.Typer(
    name="actions",
    help="Show what was asked of providers, or settle what is unknown.",
    epilog="Example: syncline actions --json",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def actions(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Show what was asked of providers, and what came of it."""
    if context.invoked_subcommand is None:
        _show(limit, as_json=as_json)


@app.command(epilog="Example: syncline actions resolve 9be1 succeeded")
def resolve(
    action_id: Annotated[str, typer.Argument(metavar="ID", help="An action's id, or its unique beginning.")],
    outcome: Annotated[
        Literal["succeeded", "failed"], typer.Argument(metavar="succeeded|failed", help="What became of it.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Say what became of an action that is unknown: look at the provider first."""
    from cli import output
    from cli.opening import with_database

    async def work(db: "Database") -> "UUID":
        from storage.action_lists import resolve as settle

        return await settle(db, action_id, outcome)

    settled = with_database(work)
    if as_json:
        output.as_json({"id": settled, "status": outcome})
    else:
        output.success(f"Settled: {settled} {outcome}. The same key will hear so from now on.")


def _show(limit: int, *, as_json: bool) -> None:
    from cli import output
    from cli.opening import with_database
    from cli.tables import ago, print_table

    async def work(db: "Database") -> list[dict[str, Any]]:
        from storage.action_lists import listing

        return await listing(db, limit=limit)

    found = with_database(work)
    if as_json:
        output.as_json({"items": found})
    elif not found:
        output.say("Nothing was asked of a provider yet.")
    else:
        rows: list[list[str | Text]] = [
            [a["id"][:8], a["connection_id"][:8], a["name"], a["status"], ago(a["created_at"]), a["error"] or ""]
            for a in found
        ]
        print_table(["ID", "CONNECTION", "ACTION", "STATUS", "ASKED", "REASON"], rows)
        for one in found:
            if one["status"] == "unknown":
                settle = f"syncline actions resolve {one['id'][:8]} succeeded|failed"
                output.needs_you(f"{one['name']}: look at the provider, then: {settle}")
