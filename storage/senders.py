"""Who is sending an action: a process, as long as a session of its own holds its lock.

Kill -9 frees the lock at once, so that what it was sending need not be waited for.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import LiteralString, Self
from uuid import uuid4

import psycopg

from storage.database import Conn, Database

ALIVE: LiteralString = """
    (sent_at > now() - interval '120 s'
     AND hashtextextended('sender:' || split_part(sender, ' ', 1), 0) IN (
        SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
     )) IS TRUE
"""
"""SQL that tells whether an action's sender is still at it. One that has stopped, but not died, has two minutes."""


class Sender:
    """Stands for its process, to whoever looks; it connects when it first sends something."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._stack = AsyncExitStack()
        self._session: Conn | None = None
        self._name = ""
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def attempt(self) -> str:
        """A name for one attempt, alive from now on. After a lost session the process has another name."""
        async with self._opening:
            if not await self._is_held():
                await self._stack.aclose()
                await self._take()
        return f"{self._name} {uuid4().hex}"

    async def _is_held(self) -> bool:
        if self._session is None or self._session.closed:
            return False
        try:
            await self._session.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    async def _take(self) -> None:
        self._session = await self._stack.enter_async_context(self._db.session())
        self._name = uuid4().hex
        await self._session.execute("SELECT pg_advisory_lock(hashtextextended('sender:' || %s, 0))", [self._name])
