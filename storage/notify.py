"""Tells whoever listens on `syncline_changes` which streams changed, at most every 50 ms and outside of transactions.

A NOTIFY inside a writing transaction serialises all commits of the database; here it is one statement of its own.
A listener that missed one loses nothing: `change_seq` tells what changed.
"""

import asyncio
from contextlib import suppress
from uuid import UUID

import orjson
import psycopg

from storage.beside import Beside
from storage.database import Database
from storage.errors import StorageError

CHANNEL = "syncline_changes"
PAUSE_SECONDS = 0.05


class Notifier(Beside):
    """Collects what changed and sends it on; opened once a process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._changed: set[tuple[UUID, str]] = set()
        self._wake = asyncio.Event()

    async def _finish(self) -> None:
        await self._send()

    def changed(self, connection_id: UUID, stream: str) -> None:
        """Rows of this stream were committed."""
        self._changed.add((connection_id, stream))
        self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._send()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _send(self) -> None:
        changed, self._changed = self._changed, set()
        if not changed:
            return
        payloads = [orjson.dumps({"connection_id": str(i), "stream": stream}).decode() for i, stream in sorted(changed)]
        with suppress(StorageError, psycopg.Error):  # the rows are committed; change_seq tells them
            async with self._db.connection() as conn:
                await conn.execute(
                    "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", [CHANNEL, payloads]
                )
