"""When somebody should look: conditions that Postgres alone can judge. Each raises an alert once, and clears it again.

Where two processes look at the same moment, one of them raises it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from psycopg import sql

from storage.alerts import NEEDS_RECONNECT, SERVER_ERRORS, STALE
from storage.database import Database

TOO_MANY_ERRORS = 10
"""So many server errors of a service in five minutes are still borne."""

_ERRORS = sql.SQL(
    """
    SELECT count(*) FROM syncline.api_request
     WHERE connector = {service} AND at > now() - interval '5 minutes' AND (status IS NULL OR status >= 500)
       AND error IS DISTINCT FROM 'cancelled'
    """
)
# A webhook that was applied says nothing of the syncs; whoever has just signed in is not late yet.
_LATE = sql.SQL(
    """
    SELECT c.id, c.connector, c.account, c.user_id, last.at FROM syncline.connection c CROSS JOIN LATERAL (
        SELECT greatest(c.signed_in_at, max(done.at)) AS at
          FROM unnest('{{done,continued,needs_confirmation}}'::text[]) AS kind CROSS JOIN LATERAL (
            SELECT ended_at AS at FROM syncline.sync_run r
             WHERE r.connection_id = c.id AND r.outcome = kind AND r.mode <> 'webhook' ORDER BY ended_at DESC LIMIT 1
          ) AS done
    ) AS last
    WHERE c.state = 'active' AND last.at < now() - %(age)s AND {only}
    """
)
RAISE_ERRORS = sql.SQL(
    """
    INSERT INTO syncline.alert (kind, service, sentence)
    SELECT %(kind)s, %(service)s, %(sentence)s WHERE ({errors}) > %(most)s ON CONFLICT DO NOTHING
    """
).format(errors=_ERRORS.format(service=sql.Placeholder("service")))
CLEAR_ERRORS = sql.SQL(
    """
    UPDATE syncline.alert SET cleared_at = now()
     WHERE kind = %(kind)s AND cleared_at IS NULL AND ({errors}) <= %(most)s
    """
).format(errors=_ERRORS.format(service=sql.Identifier("alert", "service")))
RAISE_STALE = sql.SQL(
    """
    INSERT INTO syncline.alert (kind, service, connection_id, sentence)
    SELECT %(kind)s, connector, id, account || ' (user ' || user_id || ') was last synced at '
           || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC. Its runs say why.'
      FROM ({late}) AS late ON CONFLICT DO NOTHING
    """
).format(
    late=_LATE.format(
        only=sql.SQL("NOT EXISTS (SELECT FROM syncline.sync_run r WHERE r.connection_id = c.id AND r.outcome IS NULL)")
    )
)
CLEAR_STALE = sql.SQL(
    """
    UPDATE syncline.alert SET cleared_at = now()
     WHERE kind = %(kind)s AND cleared_at IS NULL AND NOT EXISTS ({late})
    """
).format(late=_LATE.format(only=sql.SQL("c.id = alert.connection_id")))
CLEAR_RECONNECTED = sql.SQL(
    """
    UPDATE syncline.alert SET cleared_at = now()
     WHERE kind = %(kind)s AND cleared_at IS NULL AND NOT EXISTS (
        SELECT FROM syncline.connection c WHERE c.id = alert.connection_id AND c.state = 'needs_reconnect'
     )
    """
)


async def look_for_server_errors(db: Database, service: str, sentence: str) -> bool:
    """Whether an alert was raised: the service has answered with more than ten server errors in five minutes."""
    values = {"kind": SERVER_ERRORS, "service": service, "sentence": sentence, "most": TOO_MANY_ERRORS}
    return await _change(db, RAISE_ERRORS, values) == 1


async def look_for_stale(db: Database, age: timedelta) -> int:
    """How many alerts were raised: connections whose last success is older than that, while they are not syncing."""
    return await _change(db, RAISE_STALE, {"kind": STALE, "age": age})


async def clear_what_healed(db: Database, age: timedelta) -> int:
    """How many alerts were cleared: services that are well again, connections that were synced or reconnected since."""
    return (
        await _change(db, CLEAR_ERRORS, {"kind": SERVER_ERRORS, "most": TOO_MANY_ERRORS})
        + await _change(db, CLEAR_STALE, {"kind": STALE, "age": age})
        + await _change(db, CLEAR_RECONNECTED, {"kind": NEEDS_RECONNECT})
    )


async def _change(db: Database, query: sql.SQL | sql.Composed, values: Mapping[str, Any]) -> int:
    async def work() -> int:
        async with db.connection() as conn:
            return (await conn.execute(query, values)).rowcount

    return await db.repeat(work)
