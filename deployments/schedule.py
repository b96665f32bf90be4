"""When the next scheduled sync comes, as prefect.yaml says."""

from datetime import UTC, datetime, timedelta

from storage.connections import Connection

EVERY = timedelta(minutes=15)
"""The schedule of `incremental-sync/every-15-minutes`: on the hour's quarters."""


def next_sync(connection: Connection) -> datetime:
    """The next quarter of an hour; the same for every connection that is active."""
    del connection
    now = datetime.now(UTC)
    return now - timedelta(seconds=now.timestamp() % EVERY.total_seconds()) + EVERY
