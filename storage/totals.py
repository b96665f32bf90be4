"""How many there are of what, now: for metrics, so without a user, an account or a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from storage.database import Database

Labelled = Sequence[tuple[tuple[str, ...], float]]
"""Labels and a value."""

CONNECTIONS = "SELECT connector, state, count(*) AS n FROM syncline.connection GROUP BY connector, state"
REJECTED = "SELECT connector, stream, count(*) AS n FROM syncline.rejected_record GROUP BY connector, stream"
ALERTS = "SELECT kind, service, count(*) AS n FROM syncline.alert WHERE cleared_at IS NULL GROUP BY kind, service"
OLDEST_SUCCESS = """
    SELECT connector, extract(epoch FROM now() - min(coalesce(last.at, c.created_at))) AS n
      FROM syncline.connection c LEFT JOIN (
        SELECT connection_id, max(last_sync) AS at FROM syncline.sync_state GROUP BY connection_id
      ) AS last ON last.connection_id = c.id
     WHERE c.state = 'active' GROUP BY connector
"""
OLDEST_UNAPPLIED = """
    SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0) AS n
      FROM syncline.webhook_event WHERE status = 'pending'
"""


@dataclass(frozen=True, slots=True)
class Gauges:
    """What can rise and fall."""

    connections: Labelled
    rejected: Labelled
    alerts: Labelled
    oldest_success: Labelled
    oldest_unapplied: float


async def gauges(db: Database) -> Gauges:
    """All of them, as they are now."""
    return Gauges(
        connections=await _labelled(db, CONNECTIONS),
        rejected=await _labelled(db, REJECTED),
        alerts=await _labelled(db, ALERTS),
        oldest_success=await _labelled(db, OLDEST_SUCCESS),
        oldest_unapplied=(await _labelled(db, OLDEST_UNAPPLIED))[0][1],
    )


async def _labelled(db: Database, query: LiteralString) -> Labelled:
    """Each row's columns as labels; the last one is the value."""
    async with db.connection() as conn:
        rows = await (await conn.execute(query)).fetchall()
    return [(tuple(str(value) for value in labels), float(n)) for *labels, n in (row.values() for row in rows)]
