"""How far each stream of a connection has come: change cursors, and what is still to be read again by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from storage.database import Conn, Database


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL to be run in the transaction of the records it belongs to.

    Of several about one `subject` in a transaction only the last is run: the others would be overwritten.
    """

    subject: str
    query: LiteralString
    values: Mapping[str, Any]

    async def run(self, conn: Conn) -> None:
        await conn.execute(self.query, self.values)


@dataclass(frozen=True, slots=True)
class State:
    """One stream's state as a run finds it. `cursor` is None until a full read has ended."""

    cursor: dict[str, Any] | None
    available: bool
    unavailable_reason: str | None
    last_full_sync: datetime | None


async def states(db: Database, connection_id: UUID, streams: Sequence[str]) -> dict[str, State]:
    """The state of each of these streams; what is missing is made."""
    make = """
        INSERT INTO syncline.sync_state (connection_id, stream) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING
    """
    query = """
        SELECT stream, cursor, available, unavailable_reason, last_full_sync
          FROM syncline.sync_state WHERE connection_id = %s AND stream = ANY(%s)
    """

    async def ask() -> list[dict[str, Any]]:
        async with db.transaction() as conn:
            await conn.execute(make, [connection_id, list(streams)])
            return await (await conn.execute(query, [connection_id, list(streams)])).fetchall()

    return {row.pop("stream"): State(**row) for row in await db.repeat(ask)}


def change_cursor(connection_id: UUID, stream: str, cursor: Mapping[str, Any]) -> Statement:
    """The stream's change feed goes on there."""
    return Statement(
        f"cursor {stream}",
        """
        UPDATE syncline.sync_state SET cursor = %(cursor)s
         WHERE connection_id = %(connection)s AND stream = %(stream)s
        """,
        {"connection": connection_id, "stream": stream, "cursor": Jsonb(dict(cursor))},
    )


def up_to_date(connection_id: UUID, stream: str) -> Statement:
    """The stream was read to its end just now, and may be read."""
    return Statement(
        f"up to date {stream}",
        """
        UPDATE syncline.sync_state SET last_sync = now(), available = true, unavailable_reason = NULL
         WHERE connection_id = %(connection)s AND stream = %(stream)s
        """,
        {"connection": connection_id, "stream": stream},
    )


def coverage(connection_id: UUID, stream: str, shown: Mapping[str, Any]) -> Statement:
    """What people are shown of how much of the stream has been read."""
    return Statement(
        f"coverage {stream}",
        """
        UPDATE syncline.sync_state SET coverage = %(shown)s
         WHERE connection_id = %(connection)s AND stream = %(stream)s
        """,
        {"connection": connection_id, "stream": stream, "shown": Jsonb(dict(shown))},
    )


def unreadable(connection_id: UUID, stream: str, reasons: Mapping[str, str]) -> Statement:
    """These scopes of the stream could not be read, beside those that are known already."""
    return Statement(
        f"unreadable {stream} {sorted(reasons)}",
        """
        UPDATE syncline.sync_state
           SET coverage = COALESCE(coverage, '{}') || jsonb_build_object(
                   'unreadable', COALESCE(coverage -> 'unreadable', '{}') || %(reasons)s)
         WHERE connection_id = %(connection)s AND stream = %(stream)s
        """,
        {"connection": connection_id, "stream": stream, "reasons": Jsonb(dict(reasons))},
    )


async def unavailable(db: Database, connection_id: UUID, stream: str, reason: str) -> None:
    """The stream may not be read at present; its rows stay."""
    query = """
        UPDATE syncline.sync_state SET available = false, unavailable_reason = %s
         WHERE connection_id = %s AND stream = %s
    """
    async with db.connection() as conn:
        await conn.execute(query, [reason, connection_id, stream])


async def add_rereads(conn: Conn, connection_id: UUID, stream: str, keys: Sequence[str], seq: int) -> None:
    """These records are to be read again by id, with a note of *seq* or newer."""
    query = """
        INSERT INTO syncline.reread (connection_id, stream, key, seq) SELECT %s, %s, unnest(%s::text[]), %s
        ON CONFLICT (connection_id, stream, key) DO UPDATE SET seq = excluded.seq
    """
    await conn.execute(query, [connection_id, stream, sorted(set(keys)), seq])


async def settle_rereads(conn: Conn, connection_id: UUID, stream: str, keys: Sequence[str], note: int) -> None:
    """These records were read again with that note; what was asked for since is still to be read."""
    query = """
        DELETE FROM syncline.reread WHERE connection_id = %s AND stream = %s AND key = ANY(%s) AND seq <= %s
    """
    await conn.execute(query, [connection_id, stream, list(keys), note])


async def rereads(db: Database, connection_id: UUID, stream: str, *, limit: int) -> list[str]:
    """Keys still to be read again, the oldest first."""
    query = """
        SELECT key FROM syncline.reread WHERE connection_id = %s AND stream = %s ORDER BY since, key LIMIT %s
    """
    async with db.connection() as conn:
        rows = await (await conn.execute(query, [connection_id, stream, limit])).fetchall()
    return [row["key"] for row in rows]


async def still_to_reread(db: Database, connection_id: UUID, stream: str, keys: Sequence[str]) -> set[str]:
    """Those of the keys that are still to be read again."""
    query = "SELECT key FROM syncline.reread WHERE connection_id = %s AND stream = %s AND key = ANY(%s)"
    async with db.connection() as conn:
        return {row["key"] async for row in await conn.execute(query, [connection_id, stream, list(keys)])}


async def streams_to_reread(db: Database, connection_id: UUID) -> list[str]:
    """The streams that still have records to read again."""
    query = "SELECT DISTINCT stream FROM syncline.reread WHERE connection_id = %s ORDER BY stream"
    async with db.connection() as conn:
        return [row["stream"] async for row in await conn.execute(query, [connection_id])]
