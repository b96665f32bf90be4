"""Reads everything, and retires what is gone."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.fan_out import sync_due
from flows.names import named_after_what_it_syncs
from flows.parameters import ConfirmDeletes, ConnectionId, ConnectorName, Shard, StreamNames
from tasks.requests import Request

DEPLOYMENT = "full-sync/weekly"


@flow(name="full-sync", flow_run_name=named_after_what_it_syncs, retries=0, persist_result=False, log_prints=False)
async def full_sync(
    connector: ConnectorName | None = None,
    connection_id: ConnectionId | None = None,
    streams: StreamNames | None = None,
    confirm_deletes: ConfirmDeletes = False,  # noqa: FBT002 -- a field of Prefect's form
    shard: Shard | None = None,
) -> State[None]:
    """Read everything, and retire what the provider no longer has.

    Leave every field empty to sync all active connections.
    """
    request = Request("full", "manual", streams=streams, confirm_deletes=confirm_deletes)
    return await sync_due(DEPLOYMENT, request, connector=connector, connection_id=connection_id, shard=shard)
