"""Prefect runs whose processes died with the machine or with `syncline up`: nobody else will end them."""

from collections.abc import Iterable
from uuid import UUID

import psutil
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

from deployments.work_pool import POOL

UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
MESSAGE = "Its process died; what it had committed is kept, and the next run goes on from there."


async def close_dead_runs(known: Iterable[UUID], *, all_are_local: bool) -> int:
    """Runs of dead processes are `Crashed`; how many there were.

    *known* were seen to be dead by their locks. With *all_are_local* this machine runs every worker, so that a run
    without a living process here is dead too.
    """
    async with get_client() as client:
        under_way = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNDER_WAY)))
        ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
        runs = await client.read_flow_runs(flow_run_filter=under_way, work_pool_filter=ours) if all_are_local else []
        dead = {run.id for run in runs if not _lives(run)} | set(known)
        for run_id in dead:
            await client.set_flow_run_state(run_id, Crashed(message=MESSAGE), force=True)
    return len(dead)


def _lives(run: FlowRun) -> bool:
    pid = run.infrastructure_pid or ""
    if not pid.isdigit():
        return False
    try:
        return any("prefect" in part for part in psutil.Process(int(pid)).cmdline())
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
