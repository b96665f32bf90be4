"""Work that goes on beside everything else."""

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

AGAIN_SECONDS = 0.5


class Beside(ABC):
    """Something that works for as long as it is open; opened once a process."""

    _task: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            await end(self._task)
        await self._finish()

    @abstractmethod
    async def _work(self) -> None:
        """Until it is cancelled."""

    async def _finish(self) -> None:
        """What was left is done; nothing works beside it any more."""
        self._task = None


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
