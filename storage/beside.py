"""Work that goes on beside everything else."""

import asyncio
import logging
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

AGAIN_SECONDS = 0.5
RESTART_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Beside(ABC):
    """Something that works for as long as it is open; opened once a process."""

    _task: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._kept())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            await end(self._task)
        self._task = None
        await self._finish()

    async def _kept(self) -> None:
        """Nobody waits for this work, so nobody would notice its end: what nobody foresaw is logged, and it goes on."""
        while True:
            try:
                await self._work()
            except Exception:  # noqa: BLE001 -- see above
                _log.exception("%s failed; it goes on in %g s", type(self).__name__, RESTART_SECONDS)
            await asyncio.sleep(RESTART_SECONDS)

    @abstractmethod
    async def _work(self) -> None:
        """Until it is cancelled."""

    async def _finish(self) -> None:  # noqa: B027 -- most have nothing left
        """What was left is done; nothing works beside it any more."""


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
