"""Runs that the application asks Prefect for."""

import logging
from uuid import UUID

from deployments.errors import ProblemError
from deployments.start import Mode, start_sync

log = logging.getLogger("web")


async def begin_reading(connection_id: UUID) -> None:
    """A full sync of the connection is asked for. If Prefect is away the schedule's next run reads it in full."""
    await _begin(connection_id, "full")


async def begin_reading_changes(connection_id: UUID) -> None:
    """An incremental sync is asked for; if Prefect is away the schedule's next run comes soon enough."""
    await _begin(connection_id, "incremental")


async def _begin(connection_id: UUID, mode: Mode) -> None:
    try:
        await start_sync(connection_id, mode, "api")
    except ProblemError as error:
        log.warning("not_started connection=%s code=%s", connection_id, error.code)
