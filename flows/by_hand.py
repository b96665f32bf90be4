"""A sync here and now, by the flow that the deployments run."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import State

from flows.caller import CALLER, Caller
from flows.full_sync import full_sync
from flows.incremental_sync import incremental_sync
from storage.runs import Outcome
from tasks.progress import Watch


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How it ended; `error` is for the end user. `flow_run_id` is the run in Prefect."""

    run_id: UUID | None
    outcome: Outcome
    streams: Mapping[str, Mapping[str, int]]
    seconds: float
    error: str | None
    error_code: str | None
    flow_run_id: UUID | None


async def sync(
    connection_id: UUID, *, full: bool, streams: list[str] | None, confirm_deletes: bool, watch: Watch | None = None
) -> SyncResult:
    """What became of the sync; raises StorageError when it could not even begin."""
    caller = Caller("cli", watch)
    token = CALLER.set(caller)
    started = time.monotonic()
    flow = full_sync if full or confirm_deletes else incremental_sync
    try:
        # The state, not its exception: a sync that failed has its result all the same.
        state: State[Any] = await flow(
            connection_id=connection_id, streams=streams, confirm_deletes=confirm_deletes, return_state=True
        )
    finally:
        CALLER.reset(token)
    if not caller.results:
        await state.aresult()  # raises what kept it from beginning
    (result,) = caller.results
    return SyncResult(
        result.run_id,
        result.outcome,
        result.streams,
        time.monotonic() - started,
        result.error,
        result.error_code,
        caller.flow_run_id,
    )
