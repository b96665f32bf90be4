"""Deliveries of a moment are stored by one transaction; each is acknowledged once that is committed."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from storage import inbox
from storage.database import Database
from storage.ending import end
from storage.inbox import Arrival
from web.webhooks.waking import Waking

MOST = 200
"""Arrivals that one transaction stores at most."""

Waiting = tuple[Sequence[Arrival], "asyncio.Future[bool]"]


class Inbox:
    """Stores arrivals; opened once a process."""

    def __init__(self, db: Database, waking: Waking) -> None:
        self._db = db
        self._waking = waking
        self._waiting: list[Waiting] = []
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._store_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            await end(self._task)

    async def store(self, arrivals: Sequence[Arrival]) -> bool:
        """Whether they are in the inbox, committed; False when their connection has left meanwhile.

        Raises StorageError when they are not, or when nobody knows.
        """
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrivals, stored))
        self._some.set()
        return await stored

    async def _store_on(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                await self._store_some()

    async def _store_some(self) -> None:
        some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        arrivals = [arrival for its, _ in some for arrival in its]
        try:
            kept = iter(await inbox.store(self._db, arrivals))
        except BaseException as error:
            for _, stored in some:
                if not stored.done():
                    stored.set_exception(error) if isinstance(error, Exception) else stored.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for its, stored in some:
            found = [next(kept) for _ in its]
            if not stored.done():  # whoever asked may have gone
                stored.set_result(any(found))
        if any(arrival.status == "pending" for arrival in arrivals):
            self._waking.wake()
