"""Starting deployments through the Prefect API. Import it after `parts.prefect_for_command`."""

from uuid import UUID

from prefect.deployments import arun_deployment


async def start_full_sync(connection_id: UUID) -> UUID:
    """A run of full-sync/weekly for this connection is asked for; its id. The worker takes it within seconds."""
    run = await arun_deployment(
        "full-sync/weekly",
        parameters={"connection_id": str(connection_id)},
        tags=["trigger:cli", f"connection:{connection_id}"],
        timeout=0,  # do not wait for its end
        as_subflow=False,
    )
    return run.id
