"""What the provider asked any process to wait for."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import psycopg

from storage import buckets as rows
from storage.database import Conn, Database
from tasks.throttle.stock import Stock


class Pauses:
    """Looks pauses up on a connection of its own: it is done before almost every request, and must cost little."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._stack = AsyncExitStack()
        self._conn: Conn | None = None
        self._looking = asyncio.Lock()

    async def close(self) -> None:
        """The connection is closed, and opened again when somebody looks."""
        self._conn = None
        await self._stack.aclose()

    async def look(self, stocks: Sequence[Stock]) -> None:
        """What is known of these buckets' pauses is fresh, and of those that are in use beside them."""
        async with self._looking:
            now = time.monotonic()
            if all(stock.fresh(now) for stock in stocks):
                return
            lanes = [lane for stock in stocks for lane in stock.lanes if lane.wanted(now)]
            beside = dict.fromkeys([*stocks, *(stock for lane in lanes for stock in lane.stocks)])
            seconds = await self._seconds([stock.name for stock in beside])
            answered = time.monotonic()
            for stock in beside:
                # As fresh as the question: Postgres may have looked long before its answer was noticed.
                stock.see_pause(answered + seconds[stock.name] if stock.name in seconds else 0.0, looked=now)

    async def _seconds(self, names: Sequence[str]) -> dict[str, float]:
        try:
            if self._conn is None:
                self._conn = await self._stack.enter_async_context(self._db.session())
            return await rows.pauses(self._conn, names)
        except psycopg.OperationalError:  # this connection was lost, which says nothing of the next
            await self.close()
            async with self._db.connection() as conn:
                return await rows.pauses(conn, names)
