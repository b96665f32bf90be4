"""Collects the requests that clients make, and writes them down in batches."""

import asyncio
from contextlib import suppress
from uuid import UUID

import psycopg

from connectors.session import Recorder, RequestRecord
from storage.beside import Beside
from storage.database import Database
from storage.errors import StorageError
from storage.requests import ApiRequest, store
from tasks.alarms import look_at

EVERY_SECONDS = 1.0
KEPT = 10_000
"""Requests kept while Postgres cannot be reached; of more, the oldest are forgotten."""


class RequestBook(Beside):
    """One a process; what is written down is monitoring, so losing some of it loses no data."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._open: list[ApiRequest] = []

    async def _finish(self) -> None:
        await self._write()

    def page(self, connection_id: UUID | None) -> Recorder:
        """Where a client of this connection writes its requests."""

        def record(request: RequestRecord) -> None:
            self._open.append(
                ApiRequest(
                    request.connector,
                    connection_id,
                    request.method,
                    request.route,
                    request.status,
                    request.duration_ms,
                    request.error,
                    request.at,
                    request.waited_ms,
                )
            )

        return record

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._write()

    async def _write(self) -> None:
        written, self._open = self._open[-KEPT:], []
        try:
            await store(self._db, written)
        except (StorageError, psycopg.Error):
            self._open = written + self._open
            return
        with suppress(StorageError, psycopg.Error):  # whoever looks around next sees it too
            for service in {one.connector for one in written if one.is_server_error}:
                await look_at(self._db, service)
