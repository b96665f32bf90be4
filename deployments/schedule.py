"""When the schedule of prefect.yaml comes to a connection."""

from datetime import UTC, datetime
from functools import cache

from cronsim import CronSim

from deployments.prefect_yaml import flow_name, items, prefect_file
from storage.connections import Connection

SYNCS = ("incremental-sync", "full-sync")


def next_sync(_: Connection) -> datetime | None:
    """The next time at which a scheduled sync takes every active connection."""
    now = datetime.now(UTC)
    return min((next(CronSim(cron, now)) for cron in _crons()), default=None)


@cache
def _crons() -> list[str]:
    """Read once: a status asks for every one of its connections."""
    return [
        schedule["cron"]
        for item in items(prefect_file())
        if flow_name(item) in SYNCS
        for schedule in item.get("schedules", [])
        if "cron" in schedule
    ]
