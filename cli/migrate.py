from typing import Annotated

import typer


def migrate(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Bring the control tables up to date. Safe to repeat, and from several machines at once."""
    from cli import output
    from deployments.parts import database_for_command
    from storage.migrate import upgrade

    with database_for_command(migrated=False):
        applied = upgrade()
    if as_json:
        output.as_json({"applied": applied})
    else:
        output.success(f"Migrations applied: {', '.join(applied)}" if applied else "Migrations are up to date")
