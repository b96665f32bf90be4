"""Runs that the application asks Prefect for."""

import asyncio
import logging
from uuid import UUID

from deployments.errors import ProblemError
from deployments.start import Mode, start_sync

PATIENCE_SECONDS = 5.0
"""A person waits for the page; the schedule comes in any case."""

log = logging.getLogger("web")


async def begin_reading(connection_id: UUID) -> None:
    """A full sync of the connection is asked for. If Prefect is away the schedule's next run reads it in full."""
    await _begin(connection_id, "full")


async def begin_reading_changes(connection_id: UUID) -> None:
    """An incremental sync is asked for; if Prefect is away the schedule's next run comes soon enough."""
    await _begin(connection_id, "incremental")


async def _begin(connection_id: UUID, mode: Mode) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await start_sync(connection_id, mode, "api")
    except (ProblemError, TimeoutError) as error:
        code = error.code if isinstance(error, ProblemError) else "prefect_unreachable"
        log.warning("not_started connection=%s code=%s", connection_id, code)
