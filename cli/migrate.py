from typing import Annotated

import typer


def migrate(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Bring the tables up to date. Safe to repeat, and from several machines at once."""
    import asyncio

    from cli import output
    from deployments.parts import database_for_command
    from storage.migrate import upgrade
    from tasks.stream_tables import make_all

    with database_for_command(migrated=False):
        applied = upgrade()
        asyncio.run(make_all())
    if as_json:
        output.as_json({"applied": applied})
    else:
        output.success(f"Migrations applied: {', '.join(applied)}" if applied else "Migrations are up to date")
