from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ConnectionId, Json, NoInput, Yes

if TYPE_CHECKING:
    from rich.text import Text

    from storage.connections import Connection
    from storage.database import Database


def connections(
    *,
    connector: Annotated[str | None, typer.Option(help="Only this connector's.")] = None,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    as_json: Json = False,
) -> None:
    """List all connections."""
    from cli import output
    from cli.api_objects import connection_object
    from cli.examples import FIRST_STEP
    from cli.opening import with_database
    from cli.states import label
    from cli.tables import ago, print_table

    async def work(db: "Database") -> "list[Connection]":
        from storage.connections import listing

        return list(await listing(db, connector=connector, user_id=user))

    found = with_database(work)
    if as_json:
        output.as_json({"items": [connection_object(connection) for connection in found]})
    elif not found:
        output.say(FIRST_STEP)
    else:
        rows: list[list[str | Text]] = [
            [str(c.id), c.connector, c.account, c.user_id, c.mode, label(c.state), ago(c.created_at)] for c in found
        ]
        print_table(["CONNECTION", "CONNECTOR", "ACCOUNT", "USER", "MODE", "STATE", "CONNECTED"], rows)


def disconnect(
    connection_id: ConnectionId,
    *,
    purge: Annotated[bool, typer.Option("--purge", help="Delete the connection and all of its rows too.")] = False,
    yes: Yes = False,
    no_input: NoInput = False,
    as_json: Json = False,
) -> None:
    """Forget a connection's credentials and stop its syncs. The rows stay, unless --purge."""
    from cli import asking, output
    from cli.api_objects import connection_object
    from cli.opening import with_database

    async def work(db: "Database") -> "Connection":
        from storage.connections import find
        from tasks.disconnect import disconnect as let_go

        connection = await find(db, connection_id)
        what = "and delete all of its rows" if purge else "and keep its rows"
        asking.sure(f"Disconnect {connection.connector} {connection.account} {what}?", yes=yes, no_input=no_input)
        await let_go(db, connection.id, purge=purge)
        return connection if purge else await find(db, str(connection.id))

    connection = with_database(work)
    if as_json:
        output.as_json(connection_object(connection) | {"state": "disconnected"})
    else:
        rows = "Its rows are deleted." if purge else "Its rows stay."
        output.success(f"Disconnected: {connection.connector} {connection.account}. {rows}")
