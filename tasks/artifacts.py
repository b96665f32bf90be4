"""What Prefect's UI shows of a sync: one bar while it runs, one table when it has ended."""

import logging
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx  # Prefect's client raises its exceptions as they are
from prefect.artifacts import acreate_progress_artifact, acreate_table_artifact, aupdate_progress_artifact
from prefect.exceptions import PrefectException

from storage.connections import Connection
from tasks.progress import Progress
from tasks.requests import Result

TABLE_ROWS = 200
_log = logging.getLogger(__name__)
_AWAY = (httpx.HTTPError, PrefectException, OSError)
"""Prefect being away must not fail a sync: artifacts are for people to look at."""


def plain(text: str) -> str:
    """A name from a provider, harmless wherever it is shown."""
    return re.sub(r"[^\w .,@+-]", "·", text)[:80]


class ProgressArtifacts:
    """One progress artifact of a run, made once there is something to show; the same row is updated."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._artifact: UUID | None = None

    async def show(self, progress: Progress) -> None:
        done, total = 0, 0
        for stream in progress.streams.values():
            done += stream.parts_done
            total += max(stream.parts_total or 1, 1)
        percent = 100.0 * done / total if total else 0.0
        records = sum(stream.records for stream in progress.streams.values())
        said = f"{self._connection.connector} {plain(self._connection.account)}: {records} records"
        try:
            if self._artifact is None:
                made: Any = await acreate_progress_artifact(percent, description=said)
                self._artifact = made
            else:
                await aupdate_progress_artifact(self._artifact, percent, description=said)
        except _AWAY:
            _log.debug("progress artifact not written connection=%s", self._connection.id)


async def show_results(results: Sequence[Result]) -> None:
    """A table of what became of each stream; of many connections only what is worth a look."""
    rows = [row for result in results for row in _rows(result, few=len(results) == 1)]
    try:
        await acreate_table_artifact(rows[:TABLE_ROWS], description=f"Connections synced: {len(results)}")
    except _AWAY:
        _log.debug("table artifact not written")


def _rows(result: Result, *, few: bool) -> list[dict[str, Any]]:
    name = {"connection": str(result.connection.id), "account": plain(result.connection.account)}
    moved = {
        stream: counts
        for stream, counts in result.streams.items()
        if few or any(counts[key] for key in ("written", "deleted", "rejected"))
    }
    if not moved:
        return [] if result.outcome == "done" else [name | {"outcome": result.outcome, "error": result.error or ""}]
    ended = {"outcome": result.outcome, "error": result.error or ""}
    return [name | {"stream": stream} | dict(counts) | ended for stream, counts in moved.items()]
