"""Names and tags by which people find a run in Prefect."""

import logging
from uuid import UUID

import httpx  # Prefect's client raises its exceptions as they are
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run

from storage.connections import Connection
from tasks.artifacts import plain

_log = logging.getLogger(__name__)


def named_after_what_it_syncs() -> str:
    """`incremental all`, `full CONNECTOR`, `incremental 3f0c9a52`."""
    mode = str(flow_run.flow_name or "sync").removesuffix("-sync")
    given = flow_run.parameters
    if given.get("connection_id"):
        return f"{mode} {str(given['connection_id'])[:8]}"
    if given.get("shard"):
        return f"{mode} {len(given['shard'])} connections"
    return f"{mode} {plain(str(given.get('connector') or 'all'))}"


async def name_after(flow_run_id: UUID | None, connection: Connection, mode: str) -> None:
    """A run of one connection carries its account's name, and tags that Prefect's page filters by."""
    if flow_run_id is None:
        return
    name = f"{connection.connector} {plain(connection.external_account_id)} {mode}"
    tags = {f"connector:{connection.connector}", f"connection:{connection.id}"}
    try:
        async with get_client() as client:
            run = await client.read_flow_run(flow_run_id)
            await client.update_flow_run(flow_run_id, name=name, tags=tags | set(run.tags))
    except (httpx.HTTPError, PrefectException, OSError):
        _log.debug("flow run not named run=%s", flow_run_id)
