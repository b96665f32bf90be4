"""`python -m deployments.step NAME`: one step of `syncline up`, in a process of its own.

So the supervisor stays small, and heavy imports overlap with the start of the Prefect server.
"""

import asyncio
import gc
import sys
import traceback
from collections.abc import Callable
from typing import Any
from uuid import UUID

from deployments.channel import Channel
from deployments.errors import ProblemError
from storage.errors import StorageError


def command(name: str) -> list[str]:
    return [sys.executable, "-P", "-m", "deployments.step", name]


def migrate(_: Channel) -> dict[str, Any]:
    """The database is fit for use, its tables are up to date, and runs that died are closed."""
    from storage import database, migrate, runs
    from tasks.stream_tables import make_all

    async def check() -> None:
        async with database.open_database(max_size=1):
            pass

    async def sweep() -> list[UUID]:
        async with database.open_database(max_size=1) as db:
            return [run.flow_run_id for run in await runs.sweep(db) if run.flow_run_id]

    asyncio.run(check())
    applied = migrate.upgrade()
    asyncio.run(make_all())
    return {"applied": applied, "dead": asyncio.run(sweep())}


def register(channel: Channel) -> dict[str, Any]:
    """Prefect knows the work pool, the deployments and the automations; flow runs that died are closed."""
    from deployments.dead_runs import close_dead_runs
    from deployments.deploy import register

    word = channel.wait()
    registered = register()
    known = [UUID(flow_run_id) for flow_run_id in word["dead"]]
    closed = asyncio.run(close_dead_runs(known, all_are_local=word["prefect_is_ours"]))
    return {"registered": str(registered), "closed": closed}


STEPS: dict[str, Callable[[Channel], dict[str, Any]]] = {"migrate": migrate, "register": register}


def main() -> None:
    gc.disable()  # it is over before there is much garbage
    channel = Channel()
    try:
        channel.send(STEPS[sys.argv[1]](channel))
    except ProblemError as error:
        channel.send({"error": {"code": error.code, "detail": error.detail, "action": error.action}})
    except StorageError as error:
        channel.send({"error": {"code": error.code, "detail": error.sentence, "action": error.action}})
    except Exception as error:  # noqa: BLE001 -- its name is told, the rest is in the log
        traceback.print_exc()
        detail = f"The step `{sys.argv[1]}` failed: {type(error).__name__}."
        channel.send({"error": {"code": "part_failed", "detail": detail, "action": "Read the log beside run.json."}})


if __name__ == "__main__":
    main()
