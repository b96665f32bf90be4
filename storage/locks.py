"""Two locks per connection, each in a key space of its own.

The run lock lives as long as the database session that took it: one sync of a connection at a time, and whoever
dies frees it. The write lock lives as long as a transaction: all writes of one connection happen in turn.
"""

import asyncio
import random
import time
from uuid import UUID

from psycopg import sql

from storage.database import Conn

POLL_SECONDS = 0.5

_HELD = """
    SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The keys of all session and transaction locks that anybody holds here."""


def run_lock_held(connection_id: str) -> sql.Composed:
    """SQL that tells whether the run lock of the connection in that column is held.

    It looks without taking it for a moment: whoever wants the lock must never find us in the way.
    """
    return sql.SQL("hashtextextended('run:' || {}, 0) IN ({})").format(
        sql.Identifier(*connection_id.split(".")), sql.SQL(_HELD)
    )


async def write_lock(conn: Conn, connection_id: UUID) -> None:
    """From here to the end of the transaction nobody else writes for this connection. Take it as the first statement:
    what is read afterwards is then what the last writer committed.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('write:' || %s, 0))", (str(connection_id),))


async def token_lock(conn: Conn, connection_id: UUID) -> None:
    """To the end of the transaction nobody else renews this connection's access token. It holds up no sync."""
    await conn.execute("SET LOCAL lock_timeout = '30s'")
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('token:' || %s, 0))", (str(connection_id),))


async def take_run_lock(session: Conn, connection_id: UUID, *, wait: float) -> bool:
    """Whether the run lock was got within *wait* seconds; it is the session's until freed or closed.

    It is asked for again and again rather than waited for in Postgres, where a waiting statement would hold back
    vacuum for as long.
    """
    give_up = time.monotonic() + wait
    while not await _try_run_lock(session, connection_id):
        left = give_up - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(left, POLL_SECONDS * random.uniform(0.5, 1)))  # noqa: S311  # spreads the askers
    return True


async def free_run_lock(session: Conn, connection_id: UUID) -> None:
    """The lock is free when this returns; closing the session would free it a moment later."""
    await session.execute("SELECT pg_advisory_unlock(hashtextextended('run:' || %s, 0))", (str(connection_id),))


async def _try_run_lock(session: Conn, connection_id: UUID) -> bool:
    query = "SELECT pg_try_advisory_lock(hashtextextended('run:' || %s, 0)) AS got"
    row = await (await session.execute(query, (str(connection_id),))).fetchone()
    return bool(row and row["got"])


async def keys_stay(conn: Conn) -> None:
    """To the end of the transaction a rotation waits before it relies on nobody encrypting with an older key."""
    await conn.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended('syncline:keys', 0))")


async def keys_left(conn: Conn) -> None:
    """Everybody who might have encrypted with an older key has committed."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('syncline:keys', 0))")


async def one_rotation(session: Conn) -> None:
    """Rotations take turns; the turn is the session's until it is closed."""
    await session.execute("SELECT pg_advisory_lock(hashtextextended('syncline:rotate', 0))")


_DRAIN = "hashtextextended('syncline:drain', 0)"


async def take_drain_lock(session: Conn) -> bool:
    """Whether this session alone drains the inbox from now on, until it lets go or is closed."""
    row = await (await session.execute(f"SELECT pg_try_advisory_lock({_DRAIN}) AS got")).fetchone()
    return bool(row and row["got"])


async def free_drain_lock(session: Conn) -> None:
    """Somebody else may drain the inbox."""
    await session.execute(f"SELECT pg_advisory_unlock({_DRAIN})")


def drain_lock_held() -> sql.Composed:
    """SQL with one column `held`: whether somebody drains the inbox. It takes nothing."""
    return sql.SQL("SELECT {} IN ({}) AS held").format(sql.SQL(_DRAIN), sql.SQL(_HELD))
