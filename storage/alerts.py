"""What somebody should look at. One alert of a kind is open at a time for each connection, until it is cleared."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import ForeignKeyViolation
from psycopg.rows import class_row

from storage.database import Database
from storage.times import iso

NEEDS_RECONNECT, PUSH_EXPIRING, SERVER_ERRORS, STALE = "needs_reconnect", "push_expiring", "server_errors", "stale"
KINDS = (NEEDS_RECONNECT, PUSH_EXPIRING, SERVER_ERRORS, STALE)

CLEAR = "UPDATE syncline.alert SET cleared_at = now() WHERE kind = %s AND connection_id = %s AND cleared_at IS NULL"
ALL_OF = "UPDATE syncline.alert SET cleared_at = now() WHERE connection_id = %s AND cleared_at IS NULL"


async def raise_once(db: Database, kind: str, service: str, connection_id: UUID | None, sentence: str) -> bool:
    """The alert is open, unless its connection is gone; whether it was not before."""
    query = """
        INSERT INTO syncline.alert (kind, service, connection_id, sentence) VALUES (%s, %s, %s, %s)
        ON CONFLICT DO NOTHING
    """

    async def work() -> bool:
        async with db.connection() as conn:
            try:
                return (await conn.execute(query, [kind, service, connection_id, sentence])).rowcount == 1
            except ForeignKeyViolation:  # purged meanwhile
                return False

    return await db.repeat(work)


async def clear(db: Database, kind: str, connection_id: UUID) -> bool:
    """None of that kind is open for the connection; whether one was."""

    async def work() -> bool:
        async with db.connection() as conn:
            return (await conn.execute(CLEAR, [kind, connection_id])).rowcount > 0

    return await db.repeat(work)


async def clear_all_but(db: Database, kind: str, connection_ids: Collection[UUID]) -> int:
    """Alerts of that kind are open for these connections alone; how many were cleared."""
    query = """
        UPDATE syncline.alert SET cleared_at = now()
         WHERE kind = %s AND cleared_at IS NULL AND connection_id <> ALL (%s::uuid[])
    """

    async def work() -> int:
        async with db.connection() as conn:
            return (await conn.execute(query, [kind, list(connection_ids)])).rowcount

    return await db.repeat(work)


async def open_alerts(db: Database) -> list[dict[str, Any]]:
    """All that are open, the newest first."""
    query = """
        SELECT id, kind, service, connection_id, sentence, raised_at FROM syncline.alert
         WHERE cleared_at IS NULL ORDER BY raised_at DESC, id
    """
    async with db.connection() as conn:
        rows = await (await conn.execute(query)).fetchall()
    return [
        row
        | {"id": str(row["id"]), "connection_id": str(row["connection_id"]) if row["connection_id"] else None}
        | {"raised_at": iso(row["raised_at"])}
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Alert:
    """One that Prefect is to be told of."""

    id: UUID
    kind: str
    service: str
    connection_id: UUID | None
    sentence: str
    raised_at: datetime


@asynccontextmanager
async def untold(db: Database, limit: int = 100) -> AsyncIterator[list[Alert]]:
    """Open alerts that Prefect has not been told of; it has been when the block ends well. Nobody else has the same."""
    query = """
        UPDATE syncline.alert SET told_at = now() WHERE id IN (
            SELECT id FROM syncline.alert WHERE told_at IS NULL AND cleared_at IS NULL
             ORDER BY raised_at LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING id, kind, service, connection_id, sentence, raised_at
    """
    async with db.transaction() as conn, conn.cursor(row_factory=class_row(Alert)) as cursor:
        yield await (await cursor.execute(query, [limit])).fetchall()
