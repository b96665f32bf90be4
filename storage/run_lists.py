"""Runs as the status page shows them: the newest of all connections, and the last ones of each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from storage.database import Database

STRIP = 30
"""Runs of a connection that its strip shows."""

SELECT = """
    SELECT r.id, r.connection_id, c.connector, c.account, r.flow_run_id, r.mode, r.trigger, r.outcome, r.started_at,
           r.ended_at, r.error, r.notes, read, written, deleted, rejected
      FROM {runs} r JOIN syncline.connection c ON c.id = r.connection_id CROSS JOIN LATERAL (
        SELECT coalesce(sum((value ->> 'read')::bigint), 0)::bigint AS read,
               coalesce(sum((value ->> 'written')::bigint), 0)::bigint AS written,
               coalesce(sum((value ->> 'deleted')::bigint), 0)::bigint AS deleted,
               coalesce(sum((value ->> 'rejected')::bigint), 0)::bigint AS rejected
          FROM jsonb_each(r.counts)
      ) AS counted
"""


NEWEST = """
     WHERE (%(connection)s::uuid IS NULL OR r.connection_id = %(connection)s)
       AND (%(before)s::uuid IS NULL OR (r.started_at, r.id)
            < (SELECT started_at, id FROM syncline.sync_run WHERE id = %(before)s))
     ORDER BY r.started_at DESC, r.id DESC LIMIT %(limit)s
"""
LAST_OF_EACH = """(
    SELECT run.* FROM unnest(%(ids)s::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
        SELECT * FROM syncline.sync_run WHERE connection_id = wanted.id
         ORDER BY started_at DESC, id DESC LIMIT %(strip)s
    ) AS run
)"""


async def latest(
    db: Database, *, limit: int, before: UUID | None = None, connection_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Runs, the newest first, of all connections or of one; *before* is the id of the last one known already."""
    query = SELECT.format(runs="syncline.sync_run") + NEWEST
    values = {"limit": limit, "before": before, "connection": connection_id}
    async with db.connection() as conn:
        return await (await conn.execute(query, values)).fetchall()


async def strips(db: Database, connection_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The last runs of each of these connections, the oldest first."""
    query = SELECT.format(runs=LAST_OF_EACH) + " ORDER BY r.started_at, r.id"
    found: dict[UUID, list[dict[str, Any]]] = {id_: [] for id_ in connection_ids}
    async with db.connection() as conn:
        async for row in await conn.execute(query, {"ids": list(connection_ids), "strip": STRIP}):
            found[row["connection_id"]].append(row)
    return found
