"""Full reads: everything of a stream, in parts that each have a checkpoint; a full read may span several runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from storage.checkpoints import Statement
from storage.database import Conn, Database
from storage.runs import Run
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


# Whatever was asked for before is read again by id, unless it is equal: what this read has seen is not told apart.
_MARK_ALL: LiteralString = """
    INSERT INTO syncline.read_mark (connection_id, stream, key, seq) VALUES (%(connection)s, %(stream)s, '', %(seq)s)
    ON CONFLICT (connection_id, stream, key) DO UPDATE SET seq = excluded.seq, at = now()
"""
_MARK_ALL_NOW: LiteralString = """
    INSERT INTO syncline.read_mark (connection_id, stream, key, seq)
    SELECT id, %(stream)s, '', change_seq + 1 FROM syncline.connection WHERE id = %(connection)s
    ON CONFLICT (connection_id, stream, key) DO UPDATE SET seq = excluded.seq, at = now()
"""

_SELECT = "SELECT id, stream, start_seq, change_cursor, confirm_deletes FROM syncline.full_read"


async def unfinished(db: Database, connection_id: UUID) -> dict[str, FullRead]:
    """The full reads of this connection that are to be continued, by stream."""
    async with db.connection() as conn:
        rows = await (await conn.execute(_SELECT + " WHERE connection_id = %s", [connection_id])).fetchall()
    return {row["stream"]: FullRead(**row) for row in rows}


async def begin(
    db: Database,
    run: Run,
    starts: Mapping[str, Sequence[Cursor]],
    *,
    change_cursor: Mapping[str, Any],
    confirm_deletes: bool,
) -> dict[str, FullRead]:
    """A full read of each stream from the first page on, with a part for each start; unfinished ones are forgotten."""

    async def work(conn: Conn, seq: int) -> dict[str, FullRead]:
        # What somebody else has asked for before now, and writes later, is no part of what these reads will judge.
        made = {
            stream: FullRead(uuid4(), stream, began, dict(change_cursor), confirm_deletes)
            for began, stream in enumerate(starts, start=seq + 1)
        }
        counter = "UPDATE syncline.connection SET change_seq = %s WHERE id = %s"
        async with conn.pipeline():
            await conn.execute(counter, [seq + len(made), run.connection_id])
            for stream, full_read in made.items():
                await _begin(conn, run.connection_id, full_read, starts[stream])
        return made

    return await data_transaction(db, run, work)


async def _begin(conn: Conn, connection_id: UUID, full_read: FullRead, starts: Sequence[Cursor]) -> None:
    key = [connection_id, full_read.stream]
    began = {"connection": connection_id, "stream": full_read.stream, "seq": full_read.start_seq}
    read = """
        INSERT INTO syncline.full_read (id, connection_id, stream, start_seq, change_cursor, confirm_deletes)
        VALUES (%s, %s, %s, %s, %s, %s)
    """
    cursor, confirm = Jsonb(full_read.change_cursor), full_read.confirm_deletes
    part = "INSERT INTO syncline.full_read_part (full_read_id, cursor) SELECT %s, jsonb_array_elements(%s)"
    await conn.execute("DELETE FROM syncline.full_read WHERE connection_id = %s AND stream = %s", key)
    await conn.execute(_MARK_ALL, began)
    await conn.execute(read, [full_read.id, *key, full_read.start_seq, cursor, confirm])
    await conn.execute(part, [full_read.id, Jsonb(list(starts))])
    await conn.execute("UPDATE syncline.sync_state SET coverage = NULL WHERE connection_id = %s AND stream = %s", key)


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


def progressed(full_read: FullRead, *, covered: Sequence[str], learned: Cursor | None) -> Statement:
    """These scopes have been read whole, and this is learned for the change cursor that will hold afterwards."""
    return Statement(
        f"progress {uuid4()}",
        """
        UPDATE syncline.full_read
           SET covered = covered || %(covered)s::text[], change_cursor = COALESCE(change_cursor, '{}') || %(learned)s
         WHERE id = %(id)s
        """,
        {"id": full_read.id, "covered": list(covered), "learned": Jsonb(learned or {})},
    )


def finished(connection_id: UUID, full_read: FullRead, *, by_scope: bool = False) -> list[Statement]:
    """The stream has been read in full; its change feed goes on where it stood before the first page.

    *by_scope*: its cursor has a member for each scope. What it knows of those that could not be read stays.
    """
    return [
        Statement(
            f"cursor {full_read.stream}",
            """
            UPDATE syncline.sync_state
               SET cursor = CASE WHEN %(by_scope)s THEN COALESCE(sync_state.cursor, '{}') ELSE '{}' END
                            || f.change_cursor,
                   last_full_sync = now(), last_sync = now(),
                   available = true, unavailable_reason = NULL
              FROM syncline.full_read f
             WHERE sync_state.connection_id = %(connection)s AND sync_state.stream = %(stream)s AND f.id = %(id)s
            """,
            {"id": full_read.id, "connection": connection_id, "stream": full_read.stream, "by_scope": by_scope},
        ),
        Statement(f"mark {full_read.stream}", _MARK_ALL_NOW, {"connection": connection_id, "stream": full_read.stream}),
        Statement(f"end {full_read.stream}", "DELETE FROM syncline.full_read WHERE id = %(id)s", {"id": full_read.id}),
    ]
