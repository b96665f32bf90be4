"""`python -m deployments.worker`: the worker of `syncline up`.

It imports Prefect while other parts start, waits for its word, and runs flow runs until it is told to stop.
"""

import asyncio
import contextlib
import signal
import socket

from prefect.workers.process import ProcessWorker

from deployments.channel import Channel
from deployments.work_pool import POOL


async def work(channel: Channel) -> None:
    """Takes runs off the work pool; says so as soon as it does. SIGTERM ends it, and the runs with it."""
    worker = ProcessWorker(
        work_pool_name=POOL, name=f"syncline up on {socket.gethostname()}", create_pool_if_not_found=False
    )

    def say(*words: object, **_: object) -> None:
        print(*words)  # noqa: T201 -- goes to the log
        channel.send({"working": True})

    task = asyncio.ensure_future(worker.start(printer=say))
    loop = asyncio.get_running_loop()
    for kind in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(kind, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main() -> None:
    channel = Channel()
    channel.wait()
    asyncio.run(work(channel))


if __name__ == "__main__":
    main()
