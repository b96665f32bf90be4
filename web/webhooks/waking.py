"""After something was stored: the run that drains the inbox is told, or one is asked for."""

import asyncio
import logging
import time

import psycopg

from deployments.errors import ProblemError
from deployments.start import start_webhook_sync
from storage import inbox
from storage.beside import Beside
from storage.database import Database
from storage.errors import StorageError

PAUSE_SECONDS = 0.02
"""A burst is told of so often at most."""
STARTING_SECONDS = 20.0
"""A run that was asked for gets so long to begin before another one is asked for."""
LOOK_SECONDS = 30.0
"""So often it is looked whether something waits that nobody was told of, such as a replay or after Prefect was away."""

log = logging.getLogger("web")


class Waking(Beside):
    """Keeps an eye on the inbox; opened once a process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._some = asyncio.Event()
        self._asked_at = -STARTING_SECONDS

    def wake(self) -> None:
        """Something was stored."""
        self._some.set()

    async def _work(self) -> None:
        while True:
            told = True
            try:
                await asyncio.wait_for(self._some.wait(), LOOK_SECONDS)
            except TimeoutError:
                told = False
            self._some.clear()
            try:
                await self._look(told=told)
            except (StorageError, psycopg.Error) as error:
                log.warning("inbox_not_looked_at error=%s", type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _look(self, *, told: bool) -> None:
        if await inbox.is_draining(self._db):
            if told:
                await inbox.tell(self._db)
        elif time.monotonic() - self._asked_at > STARTING_SECONDS and await inbox.waiting(self._db):
            await self._start()

    async def _start(self) -> None:
        """The events are stored: if Prefect is away they wait for the next run, whoever starts it."""
        self._asked_at = time.monotonic()
        try:
            run = await start_webhook_sync()
        except ProblemError as error:
            log.warning("not_started deployment=webhook-sync code=%s", error.code)
        else:
            log.info("started deployment=webhook-sync run=%s", run)
