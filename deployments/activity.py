"""What goes on while `syncline up` runs: a line for each flow run that ended and for what was pushed."""

import asyncio
from datetime import datetime
from typing import Any

import psycopg

from deployments.telling import tell
from deployments.words import duration, number
from storage import activity
from storage.database import open_database
from storage.errors import StorageError

EVERY_SECONDS = 1.0


async def tell_activity() -> None:
    """Until it is cancelled. While Postgres is away nothing is told; afterwards what was done meanwhile."""
    since: datetime | None = None
    while True:
        try:
            async with open_database(max_size=1) as db:
                since = since or await activity.now(db)
                while True:
                    await asyncio.sleep(EVERY_SECONDS)
                    done = await activity.done(db, since)
                    since = done.until
                    for line, sign in sorted([*map(run_line, done.runs), *map(event_line, done.events)]):
                        tell(line, sign)
        except (StorageError, psycopg.Error):
            await asyncio.sleep(EVERY_SECONDS)


def run_line(run: dict[str, Any]) -> tuple[str, str]:
    """`14:15:00 all  incremental  4 connections, 31 changed, 0 failed, 2.9 s`."""
    changed = number(run["written"] + run["deleted"])
    seconds = duration((run["at"] - run["since"]).total_seconds())
    if run["connections"] > 1:
        who = "all"
        what = f"{number(run['connections'])} connections, {changed} changed, {run['failed']} failed, {seconds}"
    else:
        who = f"{run['connector']} {run['account']}"
        what = f"failed: {run['error'] or 'its process died'}" if run["failed"] else f"{changed} changed, {seconds}"
    return f"{_clock(run['at'])} {who}  {run['mode']}  {what}", "▲" if run["failed"] else ""


def event_line(event: dict[str, Any]) -> tuple[str, str]:
    """`14:03:20 CONNECTOR ACCOUNT  TYPE  applied in 0.4 s`; a burst is one line."""
    what = event["event_type"] if event["events"] == 1 else f"{number(event['events'])} events"
    seconds = duration(event["seconds"])
    return f"{_clock(event['at'])} {event['connector']} {event['account']}  {what}  applied in {seconds}", ""


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"
