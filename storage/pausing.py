"""Pausing a connection and resuming it."""

from functools import partial
from uuid import UUID

from storage.connections import Connection, get
from storage.database import Database
from storage.errors import NotActive
from storage.locks import write_lock
from storage.runs import WHY_NOT


async def set_paused(db: Database, connection_id: UUID, *, paused: bool) -> Connection:
    """The connection, paused or active. Once it is paused no sync that was under way writes another row.

    NotActive when it is neither: only its user can make such a connection active. UnknownId when there is none.
    """
    await db.repeat(partial(_set, db, connection_id, "paused" if paused else "active"))
    connection = await get(db, connection_id)
    if connection.state not in {"active", "paused"}:
        raise NotActive(WHY_NOT[connection.state][0], "Connect the account again.")
    return connection


async def _set(db: Database, connection_id: UUID, state: str) -> None:
    query = """
        UPDATE syncline.connection SET state = %s, updated_at = now()
        WHERE id = %s AND state IN ('active', 'paused') AND state <> %s
    """
    async with db.transaction() as conn:
        await write_lock(conn, connection_id)
        await conn.execute(query, [state, connection_id, state])
