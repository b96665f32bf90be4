from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConnectionId, Json

if TYPE_CHECKING:
    from flows.by_hand import SyncResult
    from storage.connections import Connection
    from storage.database import Database


def sync(
    connection_id: ConnectionId,
    *,
    full: Annotated[bool, typer.Option("--full", help="Read everything, and retire what is gone.")] = False,
    stream: Annotated[
        list[str] | None, typer.Option("--stream", metavar="NAME", help="Only this stream; may be repeated.")
    ] = None,
    confirm_deletes: Annotated[
        bool, typer.Option("--confirm-deletes", help="A new full read that retires without the guard.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sync a connection here and now, with live progress.

    It is the flow that the deployments run, so the run shows in Prefect too. Without --full it reads what changed.
    """
    import asyncio

    from cli import output
    from cli.opening import with_database
    from cli.progress import shown
    from deployments.importing import quickly
    from deployments.parts import database_for_command, prefect_for_command

    quiet_prefect()
    with database_for_command():
        connection = with_database(lambda db: _find(db, connection_id, stream))
        prefect_for_command()
        with quickly():
            from flows.by_hand import sync as sync_by_hand

        with shown() as watch, told_if_prefect_leaves():
            result = asyncio.run(
                sync_by_hand(
                    connection.id,
                    full=full or confirm_deletes,
                    streams=stream or None,
                    confirm_deletes=confirm_deletes,
                    watch=watch,
                )
            )
    if as_json:
        output.as_json(result_object(result))
    else:
        _close(result, connection, full=full or confirm_deletes)
    if result.outcome in {"failed", "crashed"}:
        raise typer.Exit(1)


def result_object(result: "SyncResult") -> dict[str, Any]:
    """What --json prints; with `error` when it failed."""
    said: dict[str, Any] = {
        "run_id": str(result.run_id) if result.run_id else None,
        "outcome": result.outcome,
        "streams": result.streams,
        "seconds": round(result.seconds, 3),
    }
    if result.error:
        said["error"] = {"code": result.error_code, "detail": result.error, "action": ""}
    return said


def quiet_prefect() -> None:
    """Prefect's log goes to its server alone; the terminal shows progress instead."""
    import logging
    import os

    if os.environ.get("SYNCLINE_DEBUG") != "1":
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
        logging.raiseExceptions = False  # Prefect tells on stderr when its log does not reach its server


@contextmanager
def told_if_prefect_leaves() -> Iterator[None]:
    """A lost Prefect API is a sentence; a lost provider never comes this far."""
    import httpx

    from deployments.errors import ProblemError

    try:
        yield
    except httpx.TransportError:
        detail = "The Prefect API stopped answering during the sync; what was committed is kept."
        action = "Start `syncline up` again, then run the command again: it goes on from there."
        raise ProblemError("prefect_unreachable", detail, action) from None


async def _find(db: "Database", connection_id: str, streams: list[str] | None) -> "Connection":
    from connectors.registry import get
    from deployments.errors import ProblemError
    from storage.connections import find

    connection = await find(db, connection_id)
    connector = get(connection.connector)
    for name in streams or ():
        if name not in {stream.name for stream in connector.streams}:
            known = ", ".join(stream.name for stream in connector.streams)
            raise ProblemError("unknown_stream", f"{connector.title} has no stream {name!r}.", f"It has: {known}.")
    return connection


def _close(result: "SyncResult", connection: "Connection", *, full: bool) -> None:
    from cli import output
    from connectors.registry import get
    from deployments.prefect_ui import run_url
    from deployments.words import duration, number

    totals = {
        name: sum(counts.get(name, 0) for counts in result.streams.values())
        for name in ("read", "written", "deleted", "rejected")
    }
    title = get(connection.connector).title
    what = f"{'Full' if full else 'Incremental'} sync of {title} {connection.account}"
    figures = f"read {number(totals['read'])}, changed {number(totals['written'])}, deleted {number(totals['deleted'])}"
    line = f"{what} in {duration(result.seconds)}: {figures}"
    if totals["rejected"]:
        line += f", set aside {number(totals['rejected'])} (syncline rejected)"
    if result.outcome == "done":
        output.success(line)
    elif result.outcome == "continued":
        output.success(f"{line}. The time budget is spent; the next run goes on from here.")
    elif result.outcome == "skipped":
        output.warning(f"{what} was skipped: another run of this connection is under way.")
    elif result.outcome == "needs_confirmation":
        again = f"syncline sync {str(connection.id)[:8]} --confirm-deletes"
        output.needs_you(f"{line}. Too many rows would be retired; look at them, then run `{again}`.")
    else:
        output.needs_you(f"{what} failed after {duration(result.seconds)}: {result.error or result.outcome}")
    if link := run_url(result.flow_run_id):
        output.say(f"  Run {link}")
