"""Looks every half a minute whether somebody should look, also while no worker is there to do it."""

import asyncio
import logging
from types import TracebackType
from typing import Self

import psycopg

from storage.database import Database
from storage.ending import end
from storage.errors import StorageError
from tasks.alarms import look_around

EVERY_SECONDS = 20.0

log = logging.getLogger("web")


class Watching:
    """For as long as the application lives. Several replicas look at the same, and raise each alert once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            await end(self._task)

    async def _watch(self) -> None:
        while True:
            try:
                await look_around(self._db)
            except (StorageError, psycopg.Error) as error:
                log.warning("not_watched error=%s", type(error).__name__)
            await asyncio.sleep(EVERY_SECONDS)
