"""Tries again to store what was set aside."""

from functools import partial
from uuid import UUID

from storage import rejected
from storage.database import Conn, Database
from storage.locks import write_lock
from storage.rejected import SetAside
from storage.write_records import Target, write_records
from tasks.stream_tables import tables_of


async def retry_rejected(db: Database, record_id: str | None = None) -> dict[str, int]:
    """How many of them, or of the one whose id begins so, are `stored` now, and how many are still `rejected`.

    A record whose row was written since is not stored over it. Either way it is read again by id at the next sync.
    """
    waiting = await rejected.waiting(db, record_id)
    stored = 0
    for record in waiting:
        stored += await db.repeat(partial(_retry, db, record))
    return {"stored": stored, "rejected": len(waiting) - stored}


async def _retry(db: Database, record: SetAside) -> bool:
    table = tables_of(record.connector)[record.stream]
    async with db.transaction() as conn:
        await write_lock(conn, record.connection_id)
        seq = await _counter(conn, record.connection_id)
        result = await write_records(conn, Target(record.connection_id, table, 0, None), [record.body], seq)
        if result.rejected:
            return False
        await rejected.stored(conn, record, table, late=result.late, before=seq, born=result.born)
        return True


async def _counter(conn: Conn, connection_id: UUID) -> int:
    query = "SELECT change_seq FROM syncline.connection WHERE id = %s"
    row = await (await conn.execute(query, [connection_id])).fetchone()
    return row["change_seq"] if row else 0
