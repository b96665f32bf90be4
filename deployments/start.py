"""Starting deployments through the Prefect API. Import it once the environment leads there."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound, PrefectException

from deployments.errors import ProblemError

ASK_SECONDS = 15.0
BURST_SECONDS = 60
WEBHOOKS = "webhook-sync/on-event"
DEPLOYMENTS = {"full": "full-sync/weekly", "incremental": "incremental-sync/every-15-minutes"}

Mode = Literal["full", "incremental"]
Trigger = Literal["cli", "api", "webhook"]


async def start_full_sync(connection_id: UUID, trigger: Trigger = "cli") -> UUID:
    """A run of full-sync/weekly for this connection is asked for; its id. The worker takes it within seconds."""
    return await start_sync(connection_id, "full", trigger)


async def start_sync(
    connection_id: UUID,
    mode: Mode,
    trigger: Trigger,
    *,
    streams: Sequence[str] | None = None,
    confirm_deletes: bool = False,
) -> UUID:
    """A run of the deployment is asked for; its id. ProblemError when Prefect does not take it."""
    parameters: dict[str, Any] = {"connection_id": str(connection_id)}
    if streams:
        parameters["streams"] = list(streams)
    if confirm_deletes:
        parameters["confirm_deletes"] = True
    tags = [f"trigger:{trigger}", f"connection:{connection_id}"]
    return (await _asked(DEPLOYMENTS[mode], parameters, tags)).id


async def start_webhook_sync() -> UUID:
    """A run that drains the inbox is asked for; its id. Whoever asks within the same minute gets the same run, unless
    that one is over. ProblemError when Prefect does not take it.
    """
    tags = ["trigger:webhook"]
    run = await _asked(WEBHOOKS, {}, tags, f"webhooks-{int(time.time() // BURST_SECONDS)}")
    while run.state is not None and run.state.is_final():
        run = await _asked(WEBHOOKS, {}, tags, f"webhooks-after-{run.id}")
    return run.id


async def _asked(
    deployment: str, parameters: Mapping[str, Any], tags: Sequence[str], idempotency_key: str | None = None
) -> FlowRun:
    try:
        # A client of ours, because the one that Prefect makes here by itself is never closed.
        async with asyncio.timeout(ASK_SECONDS), get_client() as client:
            return await arun_deployment(
                deployment,
                parameters=dict(parameters),
                tags=list(tags),
                timeout=0,  # do not wait for its end
                as_subflow=False,
                idempotency_key=idempotency_key,
                client=client,
            )
    except ObjectNotFound:
        raise ProblemError(
            "not_deployed", f"Prefect does not know the deployment {deployment}.", "Run `syncline deploy`."
        ) from None
    except (
        httpx.HTTPError,
        TimeoutError,
        ValueError,
        PrefectException,
    ):  # ValueError: a proxy's page, which is no JSON
        action = "Start `syncline up`, or correct PREFECT_API_URL; then ask again."
        raise ProblemError("prefect_unreachable", "The Prefect API does not answer.", action) from None
