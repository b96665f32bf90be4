"""What the status page needs beside the status itself, each by a query that stays quick with a million rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from psycopg import sql

from storage.connection_lists import Place
from storage.database import Database
from storage.locks import run_lock_held
from storage.status import CONFIRMATION_DUE

Show = Literal["all", "attention", "syncing", "paused"]

STANDING = sql.SQL(
    """
    WITH open AS MATERIALIZED (
        SELECT DISTINCT connection_id FROM syncline.sync_run WHERE outcome IS NULL AND {held}
    ), standing AS (
        SELECT id, connector, user_id, account, external_account_id, state, created_at,
               id IN (SELECT connection_id FROM open) AS syncing,
               state = 'needs_reconnect' OR (state = 'active' AND {confirmation_due}) AS attention
          FROM syncline.connection
    )
    """
).format(held=run_lock_held("connection_id"), confirmation_due=CONFIRMATION_DUE)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which connections a person wants to see; *text* is a part of the user's id or of the account's name or id."""

    show: Show = "all"
    connector: str | None = None
    text: str | None = None


async def counts(db: Database) -> dict[str, int]:
    """How many connections there are: all, needing attention, syncing, paused, disconnected."""
    query = STANDING + sql.SQL(
        """
        SELECT count(*) AS all, count(*) FILTER (WHERE attention) AS attention,
               count(*) FILTER (WHERE syncing) AS syncing, count(*) FILTER (WHERE state = 'paused') AS paused,
               count(*) FILTER (WHERE state = 'disconnected') AS disconnected
          FROM standing
        """
    )
    async with db.connection() as conn:
        row = await (await conn.execute(query)).fetchone()
    return dict(row or {})


async def find(
    db: Database, sought: Sought, *, limit: int, after: Place | None = None
) -> tuple[list[UUID], Place | None]:
    """At most *limit* connections, those that need somebody first, then the oldest; and where the list goes on."""
    query = STANDING + sql.SQL(
        """
        SELECT id, created_at FROM standing
         WHERE (%(show)s = 'all' OR (%(show)s = 'attention' AND attention) OR (%(show)s = 'syncing' AND syncing)
                OR state = %(show)s)
           AND (%(connector)s::text IS NULL OR connector = %(connector)s)
           AND (%(text)s::text IS NULL
                OR position(lower(%(text)s) IN lower(concat_ws(' ', user_id, account, external_account_id))) > 0)
           AND (%(at)s::timestamptz IS NULL OR (created_at, id) > (%(at)s, %(id)s::uuid))
         ORDER BY created_at, id LIMIT %(limit)s
        """
    )
    values: dict[str, Any] = {"show": sought.show, "connector": sought.connector, "text": sought.text or None}
    values |= {"at": after.created_at if after else None, "id": after.id if after else None, "limit": limit + 1}
    async with db.connection() as conn:
        rows = await (await conn.execute(query, values)).fetchall()
    shown = rows[:limit]
    more = Place(shown[-1]["created_at"], shown[-1]["id"]) if len(rows) > limit else None
    return [row["id"] for row in shown], more


async def waiting_for_people(db: Database, limit: int) -> list[UUID]:
    """Connections that somebody has to do something about."""
    found, _ = await find(db, Sought("attention"), limit=limit)
    return found


async def inbox_counts(db: Database) -> dict[str, int]:
    """Events that wait and events that failed."""
    query = """
        SELECT (SELECT count(*) FROM syncline.webhook_event WHERE status = 'pending') AS pending,
               (SELECT count(*) FROM syncline.webhook_event WHERE status = 'failed') AS failed
    """
    async with db.connection() as conn:
        row = await (await conn.execute(query)).fetchone()
    return dict(row or {})


async def rejected_groups(db: Database) -> list[dict[str, Any]]:
    """What is set aside, by stream and reason, the most first."""
    query = """
        SELECT connector, stream, reason, count(*) AS n, max(last_at) AS last_at FROM syncline.rejected_record
         GROUP BY connector, stream, reason ORDER BY n DESC, connector, stream, reason LIMIT 50
    """
    async with db.connection() as conn:
        return await (await conn.execute(query)).fetchall()


async def rejected_count(db: Database) -> int:
    """How many records are set aside."""
    async with db.connection() as conn:
        row = await (await conn.execute("SELECT count(*) AS n FROM syncline.rejected_record")).fetchone()
    return int(row["n"]) if row else 0


async def version(db: Database) -> str:
    """Another text whenever something that the page shows has changed, and every minute, as times are told in words."""
    query = """
        SELECT md5(concat_ws('|', date_trunc('minute', now()),
            (SELECT sum(n) FROM syncline.tally
              WHERE hour > now() - interval '2 hours' AND name IN ('runs', 'records', 'events')),
            (SELECT string_agg(concat(id, progress), ',' ORDER BY id) FROM syncline.sync_run WHERE outcome IS NULL),
            (SELECT concat(count(*), max(updated_at), count(error)) FROM syncline.connection),
            (SELECT concat(count(*), max(last_at)) FROM syncline.rejected_record),
            (SELECT concat(count(*), max(created_at)) FROM syncline.action WHERE status = 'unknown'),
            (SELECT concat(count(*), max(raised_at)) FROM syncline.alert WHERE cleared_at IS NULL),
            (SELECT count(*) FROM syncline.webhook_event WHERE status = 'pending'),
            (SELECT count(*) FROM syncline.webhook_event WHERE status = 'failed')
        )) AS version
    """
    async with db.connection() as conn:
        row = await (await conn.execute(query)).fetchone()
    return str(row["version"]) if row else ""


async def requests_of(db: Database, connector: str, connection_id: UUID) -> list[dict[str, Any]]:
    """What was asked of the provider for this connection in the last hour, by route and answer, the most first."""
    query = """
        SELECT method, route, status, error, count(*) AS n, max(at) AS last_at,
               round(avg(duration_ms))::int AS average_ms, sum(waited_ms)::bigint AS waited_ms
          FROM syncline.api_request
         WHERE connector = %s AND at > now() - interval '1 hour' AND connection_id = %s
         GROUP BY method, route, status, error ORDER BY n DESC, route LIMIT 50
    """
    async with db.connection() as conn:
        return await (await conn.execute(query, [connector, connection_id])).fetchall()


async def oldest_successes(db: Database, limit: int = 10) -> Sequence[dict[str, Any]]:
    """Active connections whose last success is the longest ago."""
    query = """
        SELECT c.id, c.connector, c.account, coalesce(last.at, c.created_at) AS at
          FROM syncline.connection c LEFT JOIN LATERAL (
            SELECT max(s.last_sync) AS at FROM syncline.sync_state s WHERE s.connection_id = c.id
          ) AS last ON true
         WHERE c.state = 'active' ORDER BY 4 LIMIT %s
    """
    async with db.connection() as conn:
        return await (await conn.execute(query, [limit])).fetchall()


async def accounts(db: Database, connection_ids: Sequence[UUID]) -> dict[str, str]:
    """The accounts' names by their connections' ids."""
    query = "SELECT id, account FROM syncline.connection WHERE id = ANY(%s)"
    async with db.connection() as conn:
        rows = await (await conn.execute(query, [list(connection_ids)])).fetchall()
    return {str(row["id"]): row["account"] for row in rows}
