"""What was done since somebody last looked, as whoever watches `syncline up` is told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.database import Database

QUIET = timedelta(seconds=2)
"""A flow run of many connections is over when none of them is under way and none has ended for so long. One that waited
for another run of its connection comes later: then the flow run is told again, with all.
"""

RUNS = """
    WITH ended AS MATERIALIZED (
        SELECT id, flow_run_id FROM syncline.sync_run
         WHERE ended_at > %(since)s AND mode <> 'webhook' AND outcome <> 'skipped'
    )
    SELECT coalesce(r.flow_run_id, r.id) AS run, r.mode, min(r.started_at) AS since, max(r.ended_at) AS at,
           count(*) AS connections, count(DISTINCT c.connector) AS connectors,
           min(c.connector) AS connector, min(c.account) AS account,
           count(*) FILTER (WHERE r.outcome IN ('failed', 'crashed')) AS failed, min(r.error) AS error,
           coalesce(sum(counted.written), 0)::bigint AS written, coalesce(sum(counted.deleted), 0)::bigint AS deleted
      FROM syncline.sync_run r JOIN syncline.connection c ON c.id = r.connection_id CROSS JOIN LATERAL (
        SELECT sum((value ->> 'written')::bigint) AS written, sum((value ->> 'deleted')::bigint) AS deleted
          FROM jsonb_each(r.counts)
      ) AS counted
     WHERE r.id IN (
        SELECT id FROM ended
        UNION SELECT other.id FROM syncline.sync_run other JOIN ended ON other.flow_run_id = ended.flow_run_id)
       AND r.mode <> 'webhook' AND r.outcome IS DISTINCT FROM 'skipped'
     GROUP BY run, r.mode
    HAVING bool_and(r.outcome IS NOT NULL) AND max(r.ended_at) > %(since)s AND max(r.ended_at) <= %(until)s
     ORDER BY at
"""
EVENTS = """
    SELECT e.connector, coalesce(c.account, '') AS account, count(*) AS events, min(e.event_type) AS event_type,
           max(e.applied_at) AS at, max(extract(epoch FROM e.applied_at - e.received_at))::float AS seconds
      FROM syncline.webhook_event e LEFT JOIN syncline.connection c ON c.id = e.connection_id
     WHERE e.status = 'applied' AND e.applied_at > %(since)s AND e.applied_at <= %(until)s
     GROUP BY e.connector, c.account, e.connection_id
     ORDER BY at
"""


@dataclass(frozen=True, slots=True)
class Done:
    """`until` is where to look on from."""

    until: datetime
    runs: list[dict[str, Any]]
    events: list[dict[str, Any]]


async def now(db: Database) -> datetime:
    """Postgres' clock, up to which everything that is to be told has been told."""
    async with db.connection() as conn:
        row = await (await conn.execute("SELECT clock_timestamp() AS now")).fetchone()
    assert row is not None  # noqa: S101 -- it is one row
    moment: datetime = row["now"]
    return moment - QUIET


async def done(db: Database, since: datetime) -> Done:
    """Flow runs that ended and events that were applied after *since*, each told once."""
    until = await now(db)
    values = {"since": since, "until": until}
    async with db.connection() as conn:
        runs = await (await conn.execute(RUNS, values)).fetchall()
        events = await (await conn.execute(EVENTS, values)).fetchall()
    return Done(until, runs, events)
