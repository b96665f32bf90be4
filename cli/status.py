from typing import TYPE_CHECKING, Any

from cli.options import Json

if TYPE_CHECKING:
    from rich.text import Text

    from storage.database import Database

Facts = dict[str, Any]
"""A connection of the status object."""


def status(*, as_json: Json = False) -> None:
    """Show connections, their health, and what needs you."""
    from cli import output
    from cli.examples import FIRST_STEP
    from cli.opening import with_database
    from cli.tables import print_table

    said = with_database(_ask)
    found: list[Facts] = said["connections"]
    if as_json:
        output.as_json(said)
    elif not found:
        output.say(FIRST_STEP)
    else:
        print_table(["CONNECTION", "ACCOUNT", "USER", "STATE", "SYNCED", "ROWS", "24 H"], [_row(c) for c in found])
        for connection in found:
            _tell(connection)


async def _ask(db: "Database") -> Facts:
    import os

    from connectors.registry import find_connectors
    from deployments.schedule import next_sync
    from storage.status import status as read_status
    from tasks.push import showing

    streams = {name: [stream.name for stream in found.streams] for name, found in find_connectors().items()}
    return await read_status(db, streams, next_sync, showing(), public_url=os.environ.get("SYNCLINE_PUBLIC_URL"))


def _row(connection: Facts) -> "list[str | Text]":
    from cli.states import label
    from cli.tables import ago
    from deployments.words import number

    return [
        f"{str(connection['id'])[:8]} {connection['connector']}",
        connection["account"] or "",
        connection["user_id"],
        label(state_of(connection)),
        ago(connection["last_sync"]),
        number(connection["records"]),
        _last_day(connection["health"]),
    ]


def state_of(connection: Facts) -> str:
    """The state as it shows: an active connection may be syncing, or waiting for its provider."""
    if connection["state"] != "active" or not connection["sync_in_progress"]:
        return str(connection["state"])
    progress = connection["progress"] or {}
    return "waiting" if progress.get("waiting_until") else "syncing"


def _last_day(health: Facts) -> str:
    runs = health["runs_24h"]
    return f"{round((health['error_rate_24h'] or 0) * runs)} of {runs} failed" if runs else "no run"


def _key_flag(connector: str) -> str:
    from cli.connect_by_link import takes_key
    from connectors.registry import find_connectors

    known = find_connectors().get(connector)
    return " --api-key-stdin" if known and takes_key(known) else ""


def _tell(connection: Facts) -> None:
    from cli import output
    from deployments.words import number

    name = f"{connection['connector']} {connection['account'] or connection['id']}"
    short = str(connection["id"])[:8]
    if connection["sync_in_progress"] and (progress := connection["progress"]):
        total = progress.get("parts_total")
        part = f" · part {min(progress['parts_done'] + 1, total)} of {total}" if total else ""
        output.say(f"⟳ {name}: {progress['stream']} {number(progress['records'])}{part}")
    if connection["state"] == "needs_reconnect":
        again = f"syncline connect {connection['connector']} --reconnect {short}{_key_flag(connection['connector'])}"
        output.needs_you(f"{name}: {connection['error'] or 'access was refused.'} Then: {again}")
    elif connection["error"]:
        output.warning(f"{name}: {connection['error']}")
    if (connection["action"] or {}).get("kind") == "confirm_deletes":
        confirm = f"syncline sync {short} --confirm-deletes"
        output.needs_you(f"{name}: too many rows would be retired at once; nothing was. If that is right: {confirm}")
    for reason in dict.fromkeys((part["push"] or {}).get("reason") for part in connection["streams"]):
        if reason:
            output.say(f"  {name}: {reason}")
    closed = [part["stream"] for part in connection["streams"] if not part["available"]]
    if closed:
        output.say(f"  {name}: not readable with this key: {', '.join(closed)}. Their rows are kept.")
