"""A connection to Postgres that the throttle has to itself."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import psycopg

from storage.database import Conn, Database

T = TypeVar("T")


class Line:
    """Cheaper than the pool, which matters before every request, and never kept waiting by those who write."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._stack = AsyncExitStack()
        self._conn: Conn | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """The connection is closed; it is opened again when somebody asks."""
        self._conn = None
        await self._stack.aclose()

    async def ask(self, question: Callable[[Conn], Awaitable[T]]) -> T:
        """The answer, over a new connection if the old one was lost; StorageError if Postgres stays away."""
        try:
            return await question(await self._opened())
        except psycopg.OperationalError:
            await self.close()
            return await self._db.repeat(lambda: self._ask_once(question))

    async def _ask_once(self, question: Callable[[Conn], Awaitable[T]]) -> T:
        async with self._db.session() as conn:
            return await question(conn)

    async def _opened(self) -> Conn:
        async with self._opening:
            if self._conn is None:
                self._conn = await self._db.repeat(lambda: self._stack.enter_async_context(self._db.session()))
            return self._conn
