"""`python -m deployments.worker`: the worker of `syncline up`.

It imports Prefect while other parts start, waits for its word, and runs flow runs until it is told to stop.
"""

import asyncio
import contextlib
import signal
import socket
import time

import psutil
from prefect.workers.process import ProcessWorker

from deployments.channel import Channel
from deployments.work_pool import POOL

RUNS_SECONDS = 2.5
REPORT_SECONDS = 0.5


async def work(channel: Channel) -> None:
    """Takes runs off the work pool and says so as soon as it does, until SIGTERM or SIGINT."""
    name = f"syncline up on {socket.gethostname()}"
    worker = ProcessWorker(work_pool_name=POOL, name=name, create_pool_if_not_found=False)

    def say(*words: object, **_: object) -> None:
        print(*words)  # noqa: T201 -- goes to the log
        channel.send({"working": True})

    working = asyncio.ensure_future(worker.start(printer=say))
    told_to_stop = asyncio.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, told_to_stop.set)
    await asyncio.wait({working, asyncio.ensure_future(told_to_stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        await _see_runs_out()
        working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _see_runs_out() -> None:
    """The runs, which were told to end too, have ended, and Prefect knows how; or the time for that is over."""
    deadline = time.monotonic() + RUNS_SECONDS
    for run in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            run.terminate()
    while psutil.Process().children() and time.monotonic() < deadline:  # noqa: ASYNC110 -- processes, not tasks
        await asyncio.sleep(0.05)
    await asyncio.sleep(REPORT_SECONDS)


def main() -> None:
    channel = Channel()
    channel.wait()
    asyncio.run(work(channel))


if __name__ == "__main__":
    main()
