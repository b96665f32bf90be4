"""Full reads: everything of a stream, in parts that each have a checkpoint; a full read may span several runs.

What was neither seen nor written since it began is a candidate for a tombstone, once every part has been read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg import sql
from psycopg.types.json import Jsonb

from storage.checkpoints import Statement
from storage.database import Conn, Database
from storage.runs import Run
from storage.tables import StreamTable
from storage.transactions import data_transaction

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A slice of a full read that is still to be read from *cursor* on."""

    id: UUID
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class FullRead:
    """A full read that is not finished."""

    id: UUID
    stream: str
    start_seq: int
    change_cursor: Cursor
    confirm_deletes: bool


_SELECT = "SELECT id, stream, start_seq, change_cursor, confirm_deletes FROM syncline.full_read"


async def unfinished(db: Database, connection_id: UUID) -> dict[str, FullRead]:
    """The full reads of this connection that are to be continued, by stream."""
    async with db.connection() as conn:
        rows = await (await conn.execute(_SELECT + " WHERE connection_id = %s", [connection_id])).fetchall()
    return {row["stream"]: FullRead(**row) for row in rows}


async def begin(
    db: Database, run: Run, stream: str, *, change_cursor: Mapping[str, Any], start: Cursor, confirm_deletes: bool
) -> FullRead:
    """A full read from the first page on; one of this stream that was unfinished is forgotten."""

    async def work(conn: Conn, seq: int) -> FullRead:
        key = [run.connection_id, stream]
        await conn.execute("DELETE FROM syncline.full_read WHERE connection_id = %s AND stream = %s", key)
        insert = """
            INSERT INTO syncline.full_read (connection_id, stream, start_seq, change_cursor, confirm_deletes)
            VALUES (%s, %s, %s, %s, %s) RETURNING id, stream, start_seq, change_cursor, confirm_deletes
        """
        values = [*key, seq, Jsonb(dict(change_cursor)), confirm_deletes]
        row = await (await conn.execute(insert, values)).fetchone()
        if row is None:
            raise AssertionError  # RETURNING of an insert
        made = FullRead(**row)
        part = "INSERT INTO syncline.full_read_part (full_read_id, cursor) VALUES (%s, %s)"
        await conn.execute(part, [made.id, Jsonb(start)])
        return made

    return await data_transaction(db, run, work)


async def parts(db: Database, full_read: FullRead) -> tuple[list[Part], int]:
    """The parts still to be read, and how many have been."""
    query = "SELECT id, cursor, done FROM syncline.full_read_part WHERE full_read_id = %s ORDER BY updated_at, id"
    async with db.connection() as conn:
        rows = await (await conn.execute(query, [full_read.id])).fetchall()
    left = [Part(row["id"], row["cursor"]) for row in rows if not row["done"]]
    return left, len(rows) - len(left)


def part_checkpoint(part: Part, cursor: Cursor, *, done: bool = False) -> Statement:
    """The part goes on at *cursor*; *done*: it has been read from there to its end."""
    return Statement(
        f"part {part.id}",
        """
        UPDATE syncline.full_read_part SET cursor = %(cursor)s, done = %(done)s, updated_at = now()
         WHERE id = %(part)s
        """,
        {"part": part.id, "cursor": Jsonb(cursor), "done": done},
    )


def split(full_read: FullRead, part: Part, cursors: tuple[Cursor, Cursor]) -> tuple[Part, list[Statement]]:
    """The new part, which reads what is past the second cursor, and what makes it so: the old one goes on at the first.

    The statements belong to the page that the cursors come after: so no cursor is ahead of its records.
    """
    new = Part(uuid4(), cursors[1])
    insert: LiteralString = """
        INSERT INTO syncline.full_read_part (full_read_id, id, cursor) VALUES (%(full_read)s, %(part)s, %(cursor)s)
    """
    values = {"full_read": full_read.id, "part": new.id, "cursor": Jsonb(new.cursor)}
    return new, [part_checkpoint(part, cursors[0]), Statement(f"new part {new.id}", insert, values)]


def finished(connection_id: UUID, full_read: FullRead) -> list[Statement]:
    """The stream has been read in full; its change feed goes on where it stood before the first page."""
    return [
        Statement(
            f"cursor {full_read.stream}",
            """
            UPDATE syncline.sync_state
               SET cursor = %(cursor)s, last_full_sync = now(), last_sync = now(),
                   available = true, unavailable_reason = NULL
             WHERE connection_id = %(connection)s AND stream = %(stream)s
            """,
            {"cursor": Jsonb(full_read.change_cursor), "connection": connection_id, "stream": full_read.stream},
        ),
        Statement(f"end {full_read.stream}", "DELETE FROM syncline.full_read WHERE id = %(id)s", {"id": full_read.id}),
    ]


# A record that was read by id since the read began, and is alive, is no candidate either.
_ABSENT = """
WITH seen AS MATERIALIZED (
    SELECT DISTINCT unnest(keys) AS key FROM syncline.seen WHERE full_read_id = %(full_read)s
), absent AS (
    SELECT {key} AS key FROM {table} t
     WHERE t.connection_id = %(connection)s AND t.deleted_at IS NULL AND t.change_seq <= %(start)s
       AND NOT EXISTS (SELECT FROM seen WHERE seen.key = {key})
       AND NOT EXISTS (
           SELECT FROM syncline.read_mark r
            WHERE r.connection_id = %(connection)s AND r.stream = %(stream)s AND r.key = {key} AND r.seq > %(start)s)
) {select}
"""
_COUNT = """
SELECT (SELECT count(*) FROM absent) AS absent,
       (SELECT count(*) FROM {table} WHERE connection_id = %(connection)s AND deleted_at IS NULL) AS alive
"""
_NEXT = "SELECT key FROM absent WHERE key > %(after)s ORDER BY key LIMIT %(limit)s"
_SAMPLE = "SELECT key FROM absent ORDER BY random() LIMIT %(limit)s"


@dataclass(frozen=True, slots=True)
class Absentees:
    """The living rows that a full read, with all its parts read, has not met."""

    db: Database
    connection_id: UUID
    table: StreamTable
    full_read: FullRead

    async def count(self) -> tuple[int, int]:
        """How many they are, and how many living rows there are in all."""
        (row,) = await self._select(_COUNT)
        return row["absent"], row["alive"]

    async def after(self, key: str, *, limit: int) -> list[str]:
        """The first *limit* keys past *key*, in their order."""
        return [row["key"] for row in await self._select(_NEXT, after=key, limit=limit)]

    async def sample(self, size: int) -> list[str]:
        """Some of the keys, by chance."""
        return [row["key"] for row in await self._select(_SAMPLE, limit=size)]

    async def _select(self, select: LiteralString, **values: Any) -> list[dict[str, Any]]:
        table = self.table
        names = {"table": table.identifier, "key": table.key_text("t")}
        query = sql.SQL(_ABSENT).format(**names, select=sql.SQL(select).format(**names))
        values |= {
            "connection": self.connection_id,
            "stream": table.stream,
            "full_read": self.full_read.id,
            "start": self.full_read.start_seq,
        }

        async def ask() -> list[dict[str, Any]]:
            async with self.db.transaction() as conn:
                # However little the planner knows of a table just filled: never every row against every key.
                await conn.execute("SET LOCAL enable_nestloop = off")
                return await (await conn.execute(query, values)).fetchall()

        return await self.db.repeat(ask)
