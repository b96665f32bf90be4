"""Works through many connections side by side; past a set number it hands shards on to further runs."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import httpx  # Prefect's client raises its exceptions as they are
from prefect.client.schemas.objects import State
from prefect.deployments import arun_deployment
from prefect.exceptions import PrefectException
from prefect.states import Completed, Failed

from flows.caller import CALLER, TRIGGER_TAG, FlowRun, this_run
from flows.names import name_after
from storage import connections
from storage.connections import Connection
from storage.errors import NotActive
from tasks.alarms import tell
from tasks.artifacts import show_results
from tasks.requests import Request, Result
from tasks.side_by_side import each
from tasks.sync_connection import sync_connection
from tasks.workshop import Workshop, open_workshop

AT_ONCE = 8
SHARD = 200
"""Connections that one run works through by itself."""

_log = logging.getLogger(__name__)


async def sync_due(
    deployment: str,
    request: Request,
    *,
    connector: str | None = None,
    connection_id: UUID | None = None,
    shard: Sequence[UUID] | None = None,
) -> State[None]:
    """Every connection asked for is synced, here or by a run that was started for it.

    When one has failed the run is red, after all of them, and says which. It is told by a state and not by an
    exception, which Prefect would write to a file of its own.
    """
    run, caller = this_run(), CALLER.get()
    request = replace(request, trigger=run.trigger, flow_run_id=run.id, watch=caller.watch if caller else None)
    async with open_workshop() as workshop:
        due = await _find_due(workshop, connector, connection_id, shard)
        if len(due) == 1:
            await name_after(run.id, due[0], request.mode)
        here = await _hand_on(deployment, run, request, due)
        results = await each(here, lambda connection: sync_connection(workshop, connection, request), at_once=AT_ONCE)
        await tell(workshop.db)
    if caller:
        caller.results.extend(results)
    _log_results(results)
    await show_results(results)
    failed = [result for result in results if result.outcome == "failed"]
    if failed:
        return Failed(message="\n".join(_sentence(result) for result in failed))
    return Completed(message=f"Synced: {len(results)}")


async def _find_due(
    workshop: Workshop, connector: str | None, connection_id: UUID | None, shard: Sequence[UUID] | None
) -> list[Connection]:
    if connection_id is None:
        wanted = set(shard or ())
        found = await connections.active(workshop.db, connector)
        return [connection for connection in found if not wanted or connection.id in wanted]
    connection = await connections.get(workshop.db, connection_id)
    if connection.state != "active":
        raise NotActive(f"Connection {connection.id} is {connection.state}.", "Only an active connection is synced.")
    return [connection]


async def _hand_on(deployment: str, run: FlowRun, request: Request, due: Sequence[Connection]) -> Sequence[Connection]:
    """What is left to do here, once further runs have been started for the rest."""
    here = list(due[:SHARD])
    for start in range(SHARD, len(due), SHARD):
        shard = due[start : start + SHARD]
        if not (run.deployed and await _start(deployment, run, request, shard)):
            here += shard
    return here


async def _start(deployment: str, run: FlowRun, request: Request, shard: Sequence[Connection]) -> bool:
    parameters = {
        "shard": [str(connection.id) for connection in shard],
        "streams": request.streams,
        "confirm_deletes": request.confirm_deletes,
    }
    try:
        await arun_deployment(
            deployment,
            parameters=parameters,
            timeout=0,
            as_subflow=False,
            idempotency_key=f"{run.id}-{shard[0].id}",
            tags=[f"{TRIGGER_TAG}{request.trigger}"],
        )
    except (httpx.HTTPError, PrefectException, OSError):
        _log.warning("no further run could be started; its connections are synced here")
        return False
    return True


def _log_results(results: Sequence[Result]) -> None:
    for result in results:
        _log.info(
            "sync ended connection=%s outcome=%s seconds=%.1f", result.connection.id, result.outcome, result.seconds
        )
        for note in result.notes:
            _log.info("sync note connection=%s: %s", result.connection.id, note)


def _sentence(result: Result) -> str:
    return f"{result.connection.connector} {result.connection.id}: {result.error}"
