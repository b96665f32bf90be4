"""Access tokens: renewed before they expire, by one process at a time, and kept before they are used.

A rotating refresh token is good for one use. So it is spent under a lock of its own, which all processes share and
which holds up no sync, and what came for it is committed before anybody uses it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from storage import connections
from storage.credentials import seal, unseal
from storage.database import Conn, Database
from storage.errors import DatabaseUnreachable
from storage.locks import keys_stay, token_lock

EARLY_SECONDS = 900
"""What a token must still hold for: longer than a run may take."""
COOL_DOWN_SECONDS = 30

Renew = Callable[[Mapping[str, str]], Awaitable[Mapping[str, str]]]
"""Given the stored credentials, new ones from the provider, sooner than the lock's waiters give up."""


class CoolingDown(Exception):
    """The token could not be renewed a moment ago; nobody asks again before half a minute has passed."""


async def fresh(
    db: Database, connection_id: UUID, renew: Renew, *, refused: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """Credentials that hold for a run, whoever renewed them. *refused* are credentials that did not, whatever they say.

    Raises what *renew* raises, after noting that it failed, and CoolingDown. Whoever is cancelled meanwhile waits until
    what was asked for is kept: a refresh token is spent when it is sent, and not when the answer is read.
    """
    found = await connections.credentials(db, connection_id)
    if _holds(found, refused):
        return found
    work = asyncio.create_task(_in_turn(db, connection_id, renew, refused))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


async def _in_turn(
    db: Database, connection_id: UUID, renew: Renew, refused: Mapping[str, str] | None
) -> Mapping[str, str]:
    kept: Mapping[str, str] | None = None
    try:
        # A session of its own: many that wait here must not take the pool from those who renew.
        async with db.session() as conn, conn.transaction():
            await token_lock(conn, connection_id)
            found = await connections.credentials(db, connection_id)  # whoever held the lock may have renewed them
            if _holds(found, refused):
                return found
            await _check_cool(conn, connection_id)
            kept = await _renewed(db, connection_id, found, renew)
    except DatabaseUnreachable:
        if kept is None:  # else only the lock was lost
            raise
    return kept


async def _renewed(db: Database, connection_id: UUID, found: Mapping[str, str], renew: Renew) -> Mapping[str, str]:
    try:
        new = await renew(found)
    except Exception:
        await _note_failure(db, connection_id)
        raise
    # A connection of its own, and tried for a minute: the lock's may be gone, the token must not be.
    return await db.repeat(lambda: _keep(db, connection_id, found, new))


def _holds(found: Mapping[str, str], refused: Mapping[str, str] | None) -> bool:
    if refused is not None and found.get("access_token") == refused.get("access_token"):
        return False
    expires_at = found.get("expires_at")
    return expires_at is None or float(expires_at) - time.time() > EARLY_SECONDS


async def _check_cool(conn: Conn, connection_id: UUID) -> None:
    query = """
        SELECT renewal_failed_at > now() - make_interval(secs => %s) AS hot FROM syncline.connection WHERE id = %s
    """
    row = await (await conn.execute(query, [COOL_DOWN_SECONDS, connection_id])).fetchone()
    if row and row["hot"]:
        raise CoolingDown


async def _note_failure(db: Database, connection_id: UUID) -> None:
    async def work() -> None:
        async with db.connection() as conn:
            query = "UPDATE syncline.connection SET renewal_failed_at = now() WHERE id = %s"
            await conn.execute(query, [connection_id])

    await db.repeat(work)


async def _keep(
    db: Database, connection_id: UUID, found: Mapping[str, str], new: Mapping[str, str]
) -> Mapping[str, str]:
    """What opens the account now: *new*, unless its user signed in again or disconnected it since *found* was read.

    Whoever lost this lock to a restart of Postgres may have found the refresh token spent and asked for a new sign-in;
    that is taken back.
    """
    query = """
        UPDATE syncline.connection
           SET credentials = %s, renewal_failed_at = NULL, updated_at = now(),
               error = CASE WHEN state = 'needs_reconnect' THEN NULL ELSE error END,
               error_code = CASE WHEN state = 'needs_reconnect' THEN NULL ELSE error_code END,
               state = CASE WHEN state = 'needs_reconnect' THEN 'active' ELSE state END
         WHERE id = %s
    """
    async with db.transaction() as conn:
        await keys_stay(conn)
        stored = await _stored(conn, connection_id)
        if stored is None:
            return new
        if stored != found:
            return stored
        await conn.execute(query, [seal(connection_id, new), connection_id])
    return new


async def _stored(conn: Conn, connection_id: UUID) -> Mapping[str, str] | None:
    query = "SELECT credentials FROM syncline.connection WHERE id = %s FOR UPDATE"
    row = await (await conn.execute(query, [connection_id])).fetchone()
    return unseal(connection_id, row["credentials"]) if row and row["credentials"] else None


async def expiring(db: Database, *, within_seconds: float, limit: int = 1000) -> list[UUID]:
    """Connections, paused ones too, whose credentials end within so many seconds or were last renewed long ago."""
    query = """
        SELECT id, credentials, updated_at < now() - interval '7 days' AS idle FROM syncline.connection
         WHERE state IN ('active', 'paused') AND grant_key IS NOT NULL AND credentials IS NOT NULL
         ORDER BY updated_at LIMIT %s
    """
    found: list[UUID] = []
    async with db.connection() as conn:
        rows: list[dict[str, Any]] = await (await conn.execute(query, [limit])).fetchall()
    for row in rows:
        held = unseal(row["id"], row["credentials"])
        ends = float(held["expires_at"]) - time.time() if "expires_at" in held else None
        if "refresh_token" in held and (row["idle"] or (ends is not None and ends < within_seconds)):
            found.append(row["id"])
    return found


async def shared(db: Database, connection_id: UUID) -> bool:
    """Whether another connection that is not disconnected rests on the same grant."""
    query = """
        SELECT EXISTS (
            SELECT FROM syncline.connection me JOIN syncline.connection other USING (grant_key)
             WHERE me.id = %s AND other.id <> me.id AND other.state <> 'disconnected') AS shared
    """
    async with db.connection() as conn:
        row = await (await conn.execute(query, [connection_id])).fetchone()
    return bool(row and row["shared"])
