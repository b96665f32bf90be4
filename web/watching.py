"""Looks every half a minute whether somebody should look, also while no worker is there to do it."""

import asyncio
import logging

import psycopg

from storage.beside import Beside
from storage.database import Database
from storage.errors import StorageError
from tasks.alarms import look_around

EVERY_SECONDS = 20.0

log = logging.getLogger("web")


class Watching(Beside):
    """For as long as the application lives. Several replicas look at the same, and raise each alert once."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def _work(self) -> None:
        while True:
            try:
                await look_around(self._db)
            except (StorageError, psycopg.Error) as error:
                log.warning("not_watched error=%s", type(error).__name__)
            await asyncio.sleep(EVERY_SECONDS)
