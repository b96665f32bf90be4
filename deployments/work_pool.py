"""The one work pool that all deployments of Syncline use."""

import contextlib

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker

POOL = "syncline"


async def ensure_pool(client: PrefectClient) -> None:
    """The pool exists; one that somebody made for Docker or Kubernetes stays as it is."""
    with contextlib.suppress(ObjectAlreadyExists):
        await client.create_work_pool(
            WorkPoolCreate(
                name=POOL,
                type=ProcessWorker.type,
                base_job_template=ProcessWorker.get_default_base_job_template(),
                description="Where the syncs of Syncline run.",
            )
        )
