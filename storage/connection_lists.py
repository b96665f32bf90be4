"""Lists of connections, a part at a time, whatever comes and goes meanwhile."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from storage.connections import SELECT, Connection
from storage.database import Database


class Place(NamedTuple):
    """Where a list goes on: behind the connection made then."""

    created_at: datetime
    id: UUID


async def part(
    db: Database, *, limit: int, after: Place | None = None, connector: str | None = None, user_id: str | None = None
) -> tuple[list[Connection], Place | None]:
    """At most *limit* connections, the oldest first, and where the list goes on; None at its end."""
    where = """
        WHERE (%(connector)s::text IS NULL OR connector = %(connector)s)
          AND (%(user)s::text IS NULL OR user_id = %(user)s)
          AND (%(at)s::timestamptz IS NULL OR (created_at, id) > (%(at)s, %(id)s::uuid))
        ORDER BY created_at, id LIMIT %(limit)s
    """
    values: dict[str, object] = {"connector": connector, "user": user_id, "limit": limit + 1}
    values |= {"at": after.created_at if after else None, "id": after.id if after else None}
    async with db.connection() as conn, conn.cursor(row_factory=class_row(Connection)) as cursor:
        found = await (await cursor.execute(SELECT + where, values)).fetchall()
    shown = found[:limit]
    return shown, Place(shown[-1].created_at, shown[-1].id) if len(found) > limit else None
