"""Syncs in processes of their own: one process has imported everything, and forks for each sync that is asked for.

Run as a script with the path of a Unix socket. Every connection to it is one sync: a line of JSON comes, the process
id goes back, and at the end the result. A sync that was killed says nothing.
"""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any
from uuid import UUID

# Imported once for all that are forked, with what Prefect would import only in them.
import anyio._backends._asyncio  # noqa: F401
import graphviz  # noqa: F401
import prefect.task_engine  # noqa: F401

import flows.by_hand
from connectors.errors import ConnectorError
from connectors.retry import Patience, set_patience
from flows.by_hand import SyncResult
from flows.maintenance import maintenance
from storage import batch, connections
from storage.errors import StorageError
from tasks import stream_tasks
from tasks.drain_inbox import drain_inbox
from tasks.renew_push import renew_push
from tasks.requests import Mode, Request, Result
from tasks.run_action import run_action
from tasks.sync_connection import sync_connection
from tasks.workshop import open_workshop


def main(path: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        gc.freeze()
        print("ready", flush=True)
        while True:
            asker, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _child(asker)
            asker.close()


def _child(asker: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        with asker, asker.makefile("rw") as lines:
            print(os.getpid(), file=lines, flush=True)
            job = json.loads(lines.readline())
            with Path(job["log"]).open("ab", buffering=0) as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            os.environ.update(job["environment"])
            print(json.dumps(_result(job)), file=lines, flush=True)
            code = 0
    finally:
        os._exit(code)


def _result(job: dict[str, Any]) -> dict[str, Any]:
    """As `syncline sync --json` gives it; what could not even begin as its error."""
    if job["patience"]:
        set_patience(Patience(**job["patience"]))
        batch.TRANSACTION_SECONDS = 0.0  # one small group of pages a transaction: more commits to be killed at
        batch.GROUP_RECORDS, batch.AHEAD = 200, 1
    for task in (stream_tasks.read_stream_in_full, stream_tasks.read_stream_changes):
        task.retry_delay_seconds = job["retry_seconds"]
    if "linger" in job:
        return asyncio.run(_watched(_drain(job)))
    if job.get("renew"):
        return asyncio.run(_watched(_maintain() if job["flow"] else _renew()))
    if "action" in job:
        return asyncio.run(_watched(_action(job)))
    try:
        return asyncio.run(_watched(_flow(job) if job["flow"] else _without_flow(job))) | {
            "peak": peak_memory(),
            "cpu": sum(os.times()[:2]),
        }
    except StorageError as error:
        return {"outcome": "failed", "error": str(error), "error_code": error.code, "raised": True}


async def _watched(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """The same; whoever waits too long for it may ask by SIGUSR1 what it is doing, and finds that in the log."""

    def tell() -> None:
        for task in asyncio.all_tasks():
            task.print_stack(file=sys.stderr)
        sys.stderr.flush()

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)
    return await work


async def _flow(job: dict[str, Any]) -> dict[str, Any]:
    """By the flow that the deployments run."""
    result = await flows.by_hand.sync(
        UUID(job["connection"]), full=job["full"], streams=job["streams"], confirm_deletes=job["confirm_deletes"]
    )
    return _told(result)


async def _without_flow(job: dict[str, Any]) -> dict[str, Any]:
    """What the flow does for each connection, without the second that Prefect takes to begin a flow run."""
    mode: Mode = "full" if job["full"] or job["confirm_deletes"] else "incremental"
    request = Request(mode, "cli", streams=job["streams"], confirm_deletes=job["confirm_deletes"])
    async with open_workshop() as workshop:
        connection = await connections.get(workshop.db, UUID(job["connection"]))
        return _told(await sync_connection(workshop, connection, request))


async def _drain(job: dict[str, Any]) -> dict[str, Any]:
    """What the flow of webhook-sync/on-event does."""
    async with open_workshop() as workshop:
        taken = await drain_inbox(workshop, "webhook", linger=job["linger"])
    return {"outcome": "skipped" if taken is None else "done", "taken": taken}


async def _renew() -> dict[str, Any]:
    """What the hourly maintenance does for channels and watches."""
    async with open_workshop() as workshop:
        return {"outcome": "done", "renewed": await renew_push(workshop)}


async def _maintain() -> dict[str, Any]:
    """The whole of it, by its flow."""
    await maintenance()
    return {"outcome": "done"}


async def _action(job: dict[str, Any]) -> dict[str, Any]:
    """What the web application does for an action; what it would answer with an error as that error's name."""
    asked = job["action"]
    async with open_workshop() as workshop:
        try:
            said = await run_action(workshop, UUID(job["connection"]), asked["name"], asked["body"], asked["key"])
        except (StorageError, ConnectorError) as error:
            return {"outcome": type(error).__name__, "error": str(error)}
    return {"outcome": said.status, "error": said.error, "result": said.result and dict(said.result)}


def _told(result: SyncResult | Result) -> dict[str, Any]:
    return {
        "run_id": str(result.run_id) if result.run_id else None,
        "outcome": result.outcome,
        "streams": {name: dict(counts) for name, counts in result.streams.items()},
        "seconds": result.seconds,
        "error": result.error,
        "error_code": result.error_code,
    }


def peak_memory() -> int:
    """The most bytes that this process has held since it was forked."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(sys.argv[1])
