"""How well syncs go, from the run history of the last 24 hours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from storage.database import Database
from storage.times import iso

HEALTHY_BELOW = 0.01
DEGRADED_BELOW = 0.1

# The last success may be older than a day, so it is looked up by index, outcome by outcome.
HISTORY = """
    SELECT connection.id AS connection_id, connection.connector,
           coalesce(day.runs, 0) AS runs, coalesce(day.failed, 0) AS failed, last.success, last.failure
    FROM syncline.connection
    LEFT JOIN (
        SELECT connection_id, count(*) AS runs, count(*) FILTER (WHERE outcome IN ('failed', 'crashed')) AS failed
        FROM syncline.sync_run
        WHERE ended_at > now() - interval '24 hours' AND outcome IS NOT NULL
          AND (%(ids)s::uuid[] IS NULL OR connection_id = ANY(%(ids)s))
        GROUP BY connection_id
    ) AS day ON day.connection_id = connection.id
    CROSS JOIN LATERAL (
        SELECT max(latest.at) FILTER (WHERE kind IN ('done', 'continued', 'needs_confirmation')) AS success,
               max(latest.at) FILTER (WHERE kind IN ('failed', 'crashed')) AS failure
        FROM unnest('{done,continued,needs_confirmation,failed,crashed}'::text[]) AS kind
        CROSS JOIN LATERAL (
            SELECT max(ended_at) AS at FROM syncline.sync_run
            WHERE connection_id = connection.id AND outcome = kind
        ) AS latest
    ) AS last
    WHERE %(ids)s::uuid[] IS NULL OR connection.id = ANY(%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class History:
    """What became of one connection's runs: of the last 24 hours the numbers, of all that is kept the last times."""

    connection_id: UUID
    connector: str
    runs: int
    failed: int
    success: datetime | None
    failure: datetime | None


async def histories(db: Database, ids: Sequence[UUID] | None = None) -> list[History]:
    """The history of every connection, or of those named."""
    async with db.connection() as conn, conn.cursor(row_factory=class_row(History)) as cursor:
        return await (await cursor.execute(HISTORY, {"ids": ids})).fetchall()


def health(service: str, histories: Iterable[History]) -> dict[str, Any]:
    """The health object of a service: one connection's, or all of a connector's together."""
    known = list(histories)
    runs, failed = sum(h.runs for h in known), sum(h.failed for h in known)
    rate = failed / runs if runs else None
    return {
        "service": service,
        "status": _verdict(rate),
        "last_success": iso(max((h.success for h in known if h.success), default=None)),
        "last_failure": iso(max((h.failure for h in known if h.failure), default=None)),
        "error_rate_24h": rate,
        "runs_24h": runs,
    }


def services(histories: Iterable[History], connectors: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The health of every connector that has connections, and of those named."""
    by_connector: dict[str, list[History]] = {name: [] for name in connectors}
    for history in histories:
        by_connector.setdefault(history.connector, []).append(history)
    return [health(name, found) for name, found in sorted(by_connector.items())]


def _verdict(error_rate: float | None) -> str:
    if error_rate is None:
        return "unknown"
    if error_rate < HEALTHY_BELOW:
        return "healthy"
    return "degraded" if error_rate < DEGRADED_BELOW else "down"
