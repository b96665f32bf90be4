"""A transaction that writes a connection's data: under its write lock, fenced, done again after a conflict.

When the answer to a COMMIT is lost, Postgres is asked what became of it; nothing is guessed.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg

from storage.database import Conn, Database
from storage.errors import DatabaseUnreachable
from storage.runs import Run, fence

Result = TypeVar("Result")

# Lookups are probes of a primary key, whatever the planner believes of a table that is being filled.
_BEGIN = """
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
           pg_advisory_xact_lock(hashtextextended('write:' || %s, 0))
"""


async def data_transaction(db: Database, run: Run, work: Callable[[Conn, int], Awaitable[Result]]) -> Result:
    """The result of *work*, which is given the connection's counter, once it is committed.

    Raises Fenced when this run may write no more.
    """
    return await db.repeat(lambda: _once(db, run, work))


async def _once(db: Database, run: Run, work: Callable[[Conn, int], Awaitable[Result]]) -> Result:
    xid: str | None = None
    result: Result | None = None
    try:
        async with db.transaction() as conn:
            await conn.execute(_BEGIN, [str(run.connection_id)])
            seq = await fence(conn, run)
            result = await work(conn, seq)
            row = await (await conn.execute("SELECT pg_current_xact_id()::text AS xid")).fetchone()
            xid = row["xid"] if row else None
    except (psycopg.OperationalError, DatabaseUnreachable):
        if xid is None or result is None or not await _committed(db, xid):
            raise
    if result is None:
        raise AssertionError  # a transaction that failed has raised
    return result


async def _committed(db: Database, xid: str) -> bool:
    """What became of the transaction; a backend that is still at it is waited for by the write lock of the next try."""

    async def ask() -> bool:
        async with db.connection() as conn:
            row = await (await conn.execute("SELECT pg_xact_status(%s::xid8) AS status", [xid])).fetchone()
        return bool(row and row["status"] == "committed")

    return await db.repeat(ask)
