"""Letting go of a connection: forgetting what opens its account, and if asked, all that was read from it."""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from psycopg import sql

from storage.alerts import ALL_OF
from storage.connections import Connection, get
from storage.database import Conn, Database
from storage.locks import write_lock
from storage.tables import StreamTable

PURGE_ROWS = 10_000


async def disconnect(db: Database, connection_id: UUID) -> Connection:
    """Once this returns no sync that was under way can write another row; the credentials are forgotten."""

    async def work() -> None:
        async with db.transaction() as conn:
            await write_lock(conn, connection_id)
            await conn.execute(
                """
                UPDATE syncline.connection
                SET epoch = epoch + 1, state = 'disconnected', credentials = NULL, full_due = false,
                    error = NULL, error_code = NULL, error_at = NULL, updated_at = now()
                WHERE id = %s
                """,
                [connection_id],
            )
            await conn.execute(ALL_OF, [connection_id])

    await db.repeat(work)
    return await get(db, connection_id)


async def purge(db: Database, connection_id: UUID, tables: Iterable[StreamTable]) -> None:
    """The connection and every row of it are gone and cannot come back. Killed half-way it can be run again."""
    await disconnect(db, connection_id)
    async with db.connection() as conn:
        made = [table for table in tables if await _is_made(conn, table)]
    for table in made:
        while await db.repeat(partial(_delete_some, db, connection_id, table)):
            pass
    await db.repeat(partial(_delete_rest, db, connection_id, made))


async def _delete_some(db: Database, connection_id: UUID, table: StreamTable) -> int:
    query = sql.SQL(
        "DELETE FROM {0} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {0} WHERE connection_id = %s LIMIT %s))"
    ).format(table.identifier)
    async with db.connection() as conn:
        return (await conn.execute(query, [connection_id, PURGE_ROWS])).rowcount


async def _delete_rest(db: Database, connection_id: UUID, tables: Sequence[StreamTable]) -> None:
    # Somebody may have reconnected since: rows and connection go together, under the lock of all writers.
    async with db.transaction() as conn:
        await write_lock(conn, connection_id)
        for table in tables:
            query = sql.SQL("DELETE FROM {} WHERE connection_id = %s").format(table.identifier)
            await conn.execute(query, [connection_id])
        await conn.execute("DELETE FROM syncline.connection WHERE id = %s", [connection_id])


async def _is_made(conn: Conn, table: StreamTable) -> bool:
    name = table.identifier.as_string(conn)
    row = await (await conn.execute("SELECT to_regclass(%s) IS NOT NULL AS made", [name])).fetchone()
    return bool(row and row["made"])
