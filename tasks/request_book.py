"""Collects the requests that clients make, and writes them down in batches."""

import asyncio
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg

from connectors.session import Recorder, RequestRecord
from storage.database import Database
from storage.ending import end
from storage.errors import StorageError
from storage.requests import ApiRequest, store
from tasks.alarms import look_at

EVERY_SECONDS = 1.0
KEPT = 10_000
"""Requests kept while Postgres cannot be reached; of more, the oldest are forgotten."""


class RequestBook:
    """One a process; what is written down is monitoring, so losing some of it loses no data."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._open: list[ApiRequest] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            await end(self._task)
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

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._write()

    async def _write(self) -> None:
        written, self._open = self._open[-KEPT:], []
        try:
            await store(self._db, written)
            for service in {one.connector for one in written if one.is_server_error}:
                await look_at(self._db, service)
        except (StorageError, psycopg.Error):
            self._open = written + self._open
