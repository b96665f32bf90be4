"""Ends tasks that run beside the work."""

import asyncio
from typing import Any

AGAIN_SECONDS = 0.5


async def end(task: "asyncio.Task[Any]") -> None:
    """The task has ended, however it did.

    Cancelled once it may go on: a query that is cut short raises an error of its own, and whoever forgives database
    errors forgives that too. So it is cancelled until it is over.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()  # has been seen
