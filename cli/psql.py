from typing import Annotated

import typer


def psql(
    *,
    command: Annotated[str | None, typer.Option("-c", "--command", help="Run this SQL and leave.")] = None,
) -> None:
    """Open Postgres' own client on the database in use."""
    from deployments.parts import database_for_command
    from deployments.postgres import run_psql
    from storage.settings import database_url

    with database_for_command():
        code = run_psql(database_url(), command)
    raise typer.Exit(code)
