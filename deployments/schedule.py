"""When the schedule of prefect.yaml comes to a connection."""

from datetime import UTC, datetime
from functools import cache, lru_cache

from cronsim import CronSim

from deployments.prefect_yaml import flow_name, items, prefect_file
from storage.connections import Connection

SYNCS = ("incremental-sync", "full-sync")


def next_sync(_: Connection) -> datetime | None:
    """The next time at which a scheduled sync takes every active connection."""
    return _next_after(datetime.now(UTC).replace(second=0, microsecond=0))


@lru_cache(maxsize=1)
def _next_after(minute: datetime) -> datetime | None:
    """Worked out once a minute, however many connections are told of it."""
    return min((next(CronSim(cron, minute)) for cron in _crons()), default=None)


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
