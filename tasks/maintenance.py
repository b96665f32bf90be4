"""The steps of the hourly maintenance."""

from prefect import task

from storage import action_lists, retention, runs
from storage.database import open_database
from tasks.alarms import look_around
from tasks.drain_inbox import drain_inbox
from tasks.renew_push import renew_push
from tasks.tokens import renew_idle
from tasks.workshop import open_workshop


@task(name="sweep-runs", task_run_name="close runs that died", persist_result=False)
async def sweep_runs() -> int:
    """How many runs were closed as crashed: nobody held their lock any more."""
    async with open_database() as db:
        return len(await runs.sweep(db))


@task(name="renew-tokens", task_run_name="renew idle tokens", persist_result=False)
async def renew_tokens() -> int:
    """How many grants were renewed, so that none dies of not being used."""
    async with open_database() as db:
        return await renew_idle(db)


@task(name="sweep-actions", task_run_name="mark actions whose sender died", persist_result=False)
async def sweep_actions() -> int:
    """How many actions are unknown now: whoever was sending them has died."""
    async with open_database() as db:
        return await action_lists.sweep(db)


@task(name="sweep-inbox", task_run_name="apply events that wait", persist_result=False)
async def sweep_inbox() -> int:
    """How many events were applied that nobody else had taken."""
    async with open_workshop() as workshop:
        return await drain_inbox(workshop, "schedule", linger=0) or 0


@task(name="renew-push", task_run_name="renew what providers push by", persist_result=False)
async def renew_channels() -> int:
    """How many connections had channels or watches that would end soon."""
    async with open_workshop() as workshop:
        return await renew_push(workshop)


@task(name="look-around", task_run_name="raise and clear alerts", persist_result=False)
async def look_for_trouble() -> int:
    """How many alerts Prefect was told of."""
    async with open_database() as db:
        return await look_around(db)


@task(name="prune", task_run_name="prune past retention", persist_result=False)
async def prune() -> dict[str, int]:
    """How many rows past their retention were deleted, by table."""
    async with open_database() as db:
        return await retention.prune(db)
