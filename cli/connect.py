from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.examples import connectors
from cli.options import Json, NoInput

if TYPE_CHECKING:
    from connectors.base import Connector
    from storage.connections import Connection
    from storage.database import Database


def connect(
    connector: Annotated[str, typer.Argument(help=f"Which provider: {', '.join(connectors())}.")],
    *,
    user: Annotated[str | None, typer.Option("--user", help="Your product's own id of the user.")] = None,
    api_key_stdin: Annotated[bool, typer.Option("--api-key-stdin", help="Read the API key from stdin.")] = False,
    webhook_secret_stdin: Annotated[
        bool, typer.Option("--webhook-secret-stdin", help="Read the webhook secret too, from line 2.")
    ] = False,
    reconnect: Annotated[
        str | None, typer.Option("--reconnect", metavar="ID", help="Connect an existing connection anew.")
    ] = None,
    no_input: NoInput = False,
    as_json: Json = False,
) -> None:
    """Connect a user's account, by an API key or by a link that its user opens.

    A key is tried at the provider, stored encrypted, and the first full sync is started. A link works once, for 15
    minutes; the command waits until it was used. The connection's id alone is on stdout. The same account again is a
    reconnect: same id, data and checkpoints stay.
    """
    from cli import output
    from cli.api_objects import connection_object
    from cli.connect_by_link import connect_by_link, takes_key
    from cli.opening import with_database

    found = _connector(connector)
    if not user and not reconnect:
        raise _wrong_use("Whose account is it?", "Add --user with your product's own id of the user.")
    if takes_key(found):
        credentials = _credentials(found, key=api_key_stdin, secret=webhook_secret_stdin, no_input=no_input)

        async def work(db: "Database") -> "tuple[Connection, bool]":
            return await _store(db, found, user, reconnect, credentials)

        connection, created = with_database(work)
        output.success(f"{'Connected' if created else 'Connected again'}: {found.title} {connection.account}")
        _start_full_sync(connection)
    else:
        if api_key_stdin or webhook_secret_stdin:
            raise _wrong_use(f"{found.title} takes no API key.", "Leave it out: the command prints a link.")
        connection = connect_by_link(found, user, reconnect)
    if as_json:
        output.as_json(connection_object(connection))
    else:
        output.data(str(connection.id))


async def _store(
    db: "Database", connector: "Connector", user: str | None, reconnect: str | None, credentials: dict[str, str]
) -> "tuple[Connection, bool]":
    from cli.connect_by_link import to_reconnect
    from tasks.connect import connect_api_key, reconnect_api_key

    if not reconnect:
        return await connect_api_key(db, connector.name, str(user), credentials)
    before = await to_reconnect(db, connector, user, reconnect)
    return await reconnect_api_key(db, before.id, credentials), False


def _connector(name: str) -> "Connector":
    from difflib import get_close_matches

    from connectors.registry import find_connectors
    from deployments.errors import ProblemError

    known = find_connectors()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There is: {', '.join(sorted(known))}."
    raise ProblemError("unknown_connector", f"There is no connector {name!r}.", hint)


def _credentials(connector: "Connector", *, key: bool, secret: bool, no_input: bool) -> dict[str, str]:
    from cli import asking, output

    if secret and "webhook_secret" not in connector.credential_fields:
        raise _wrong_use(f"{connector.title} takes no webhook secret here.", "Leave out --webhook-secret-stdin.")
    if secret and not key:
        raise _wrong_use("The webhook secret comes after the key.", "Add --api-key-stdin: key line 1, secret line 2.")
    if not key:
        if no_input or not output.may_ask():
            raise _wrong_use("The API key is never an argument.", "Pipe it in and add --api-key-stdin.")
        return {"api_key": asking.secret_from_person(f"API key of {connector.title}")}
    fields = ["api_key", "webhook_secret"] if secret else ["api_key"]
    names = {"api_key": "API key", "webhook_secret": "webhook secret"}
    return dict(zip(fields, asking.secrets_from_stdin([names[field] for field in fields]), strict=True))


def _start_full_sync(connection: "Connection") -> None:
    """A full sync is under way, or the person knows how to start one. The connection stands in any case."""
    import asyncio

    from cli import output
    from deployments.errors import ProblemError
    from deployments.parts import prefect_for_command

    by_hand = f"syncline sync {str(connection.id)[:8]} --full"
    try:
        prefect_for_command()
    except ProblemError:
        output.say(f"  Nothing is synced yet: start `syncline up`, or with it running `{by_hand}`.")
        return
    from deployments.start import start_full_sync

    try:
        run: Any = asyncio.run(start_full_sync(connection.id))
    except Exception as error:  # noqa: BLE001 -- the key is stored; whatever Prefect said cannot undo that
        output.warning(f"The first full sync could not be started ({type(error).__name__}). Run `{by_hand}`.")
        return
    output.say(f"  A full sync has been started (run {run}); `syncline status` shows it.")


def _wrong_use(detail: str, action: str) -> Exception:
    from deployments.errors import ProblemError

    return ProblemError("usage", detail, action)
