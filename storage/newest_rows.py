"""The rows of a stream that changed last, for people to look at."""

import json
from typing import Any
from uuid import UUID

from psycopg import sql

from storage.database import Database
from storage.tables import StreamTable

SHOWN = 20
CHARACTERS = 4_000
"""Of each record; a mail can be megabytes long."""


async def newest(db: Database, connection_id: UUID, table: StreamTable) -> list[dict[str, Any]]:
    """The rows of this connection that changed last, the newest first, each with its record as JSON text.

    Empty where the table has not been made yet.
    """
    query = sql.SQL(
        """
        SELECT {key} AS key, synced_at, deleted_at, change_seq, left(jsonb_pretty(raw), {most}) AS record
          FROM {table} AS t WHERE connection_id = %s ORDER BY change_seq DESC LIMIT {shown}
        """
    ).format(
        key=table.key_text("t"),
        table=table.identifier,
        most=sql.Literal(CHARACTERS + 1),
        shown=sql.Literal(SHOWN),
    )
    async with db.connection() as conn:
        made = await (await conn.execute("SELECT to_regclass(%s) AS it", [table.identifier.as_string(conn)])).fetchone()
        if not made or made["it"] is None:
            return []
        rows = await (await conn.execute(query, [connection_id])).fetchall()
    return [row | {"key": _key(row["key"]), "record": _cut(row["record"])} for row in rows]


def _key(text: str) -> str:
    """`C012 1700000000.0001` rather than a JSON array of the two."""
    return " ".join(json.loads(text)) if text.startswith('["') else text


def _cut(record: str) -> str:
    return record if len(record) <= CHARACTERS else record[:CHARACTERS] + "\n… (the row holds the rest)"
