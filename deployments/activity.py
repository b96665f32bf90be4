"""What goes on while `syncline up` runs: a line for each flow run that ended and for what was pushed."""

import asyncio
from datetime import datetime
from typing import Any

import psycopg

from deployments.telling import tell
from deployments.words import MINUTE, duration, number
from storage import activity
from storage.beside import Beside
from storage.database import Database, open_database
from storage.errors import StorageError

EVERY_SECONDS = 1.0


class Activity(Beside):
    """Tells it. While Postgres is away nothing is told; afterwards what was done meanwhile."""

    def __init__(self) -> None:
        self._since: datetime | None = None

    async def _work(self) -> None:
        while True:
            try:
                async with open_database(max_size=1) as db:
                    await self._tell(db)
            except (StorageError, psycopg.Error):
                await asyncio.sleep(EVERY_SECONDS)

    async def _tell(self, db: Database) -> None:
        self._since = self._since or await activity.now(db)
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            done = await activity.done(db, self._since)
            self._since = done.until
            for line, sign in sorted([*map(run_line, done.runs), *map(event_line, done.events)]):
                tell(line, sign)


def run_line(run: dict[str, Any]) -> tuple[str, str]:
    """`14:15:00 all  incremental  4 connections, 31 changed, 0 failed, 2.9 s`."""
    changed = number(run["written"] + run["deleted"])
    seconds = duration((run["at"] - run["since"]).total_seconds())
    if run["connections"] > 1:
        who = run["connector"] if run["connectors"] == 1 else "all"
        what = f"{number(run['connections'])} connections, {changed} changed, {run['failed']} failed, {seconds}"
    else:
        who = f"{run['connector']} {run['account']}"
        what = f"failed: {run['error'] or 'its process died'}" if run["failed"] else f"{changed} changed, {seconds}"
    return f"{_clock(run['at'])} {who}  {run['mode']}  {what}", "▲" if run["failed"] else ""


def event_line(event: dict[str, Any]) -> tuple[str, str]:
    """`14:03:20 CONNECTOR ACCOUNT  TYPE  applied in 0.4 s`; a burst is one line. Of what had to wait, or was replayed,
    the time since it came would say nothing.
    """
    what = event["event_type"] if event["events"] == 1 else f"{number(event['events'])} events"
    how = f"applied in {duration(event['seconds'])}" if event["seconds"] < MINUTE else "applied"
    return f"{_clock(event['at'])} {event['connector']} {event['account']}  {what}  {how}", ""


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"
