"""Records that cannot be stored at all: set aside whole, with the reason, so that the rest of their page is stored."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from storage.checkpoints import add_rereads
from storage.database import Conn, Database
from storage.errors import UnknownId
from storage.page_sql import KEY_BYTES
from storage.tables import StreamTable
from storage.times import iso

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_REASONS = {
    "22P02": "it is not valid JSON",
    "22P05": "it holds a character that Postgres cannot store",
    "22021": "it is not valid UTF-8",
    "22003": "it holds a number too large to be stored exactly",
    "54000": "its key is too long",
    "54001": "it is nested too deeply",
}
PREVIEW = 200
"""Characters of a rejected record that a list shows."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record as received, and why it could not be stored."""

    body: bytes
    reason: str


def refusal(error: psycopg.Error) -> str | None:
    """Why Postgres refuses this record's content; None when the error is about something else."""
    code = error.sqlstate or ""
    if code in _REASONS:
        return _REASONS[code]
    return f"Postgres refuses it ({code})" if code.startswith("22") else None


def without_key(record: bytes, table: StreamTable) -> str:
    """Why a record has no key."""
    if not record.lstrip().startswith(b"{"):
        return "it is not an object"
    return f"it has no {' and '.join(table.key)} that is a text of 1 to {KEY_BYTES} bytes"


async def set_aside(conn: Conn, connection_id: UUID, table: StreamTable, records: Sequence[Rejected]) -> None:
    """The records are kept as received; the same one again only counts as another attempt."""
    query = """
        INSERT INTO syncline.rejected_record (connection_id, connector, stream, reason, body, digest)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (connection_id, stream, digest)
        DO UPDATE SET attempts = rejected_record.attempts + 1, last_at = now(), reason = excluded.reason
    """
    for record in records:
        digest = hashlib.sha256(record.body).digest()
        await conn.execute(
            query, [connection_id, table.connector, table.stream, record.reason, record.body, digest], prepare=True
        )


async def listing(db: Database, *, limit: int = 50, before: UUID | None = None) -> list[dict[str, Any]]:
    """What is set aside, newest first; *before* is the id of the last one known already."""
    query = """
        SELECT id, connection_id, connector, stream, reason, attempts, first_at, last_at,
               octet_length(body) AS bytes, substring(body FROM 1 FOR %(preview)s) AS beginning
          FROM syncline.rejected_record
         WHERE %(before)s::uuid IS NULL
            OR (last_at, id) < (SELECT last_at, id FROM syncline.rejected_record WHERE id = %(before)s)
         ORDER BY last_at DESC, id DESC LIMIT %(limit)s
    """
    async with db.connection() as conn:
        rows = await (await conn.execute(query, {"before": before, "limit": limit, "preview": PREVIEW})).fetchall()
    return [
        row
        | {"id": str(row["id"]), "connection_id": str(row["connection_id"])}
        | {"first_at": iso(row["first_at"]), "last_at": iso(row["last_at"])}
        | {"beginning": row["beginning"].decode("utf-8", errors="replace")}
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class SetAside:
    """One rejected record, to be tried again."""

    id: UUID
    connection_id: UUID
    connector: str
    stream: str
    body: bytes


async def waiting(db: Database, beginning: str | None = None) -> list[SetAside]:
    """All that is set aside, or the one whose id begins so. UnknownId when that is none, or more than one."""
    query = """
        SELECT id, connection_id, connector, stream, body FROM syncline.rejected_record
         WHERE %(beginning)s::text IS NULL OR starts_with(id::text, lower(%(beginning)s)) ORDER BY first_at, id
    """
    async with db.connection() as conn:
        rows = await (await conn.execute(query, {"beginning": beginning})).fetchall()
    if beginning is not None and len(rows) != 1:
        how_many = "No rejected record" if not rows else "More than one rejected record"
        raise UnknownId(f"{how_many} has an id that begins with {beginning!r}.", "`syncline rejected` lists them.")
    return [SetAside(**row) for row in rows]


async def stored(
    conn: Conn, record: SetAside, table: StreamTable, *, late: Sequence[str], before: int, born: int
) -> None:
    """The record is no longer set aside; it was stored in this transaction, which found the counter at *before*.

    It is read again by id at the next sync: nobody knows how old it is, or what became of it since.
    """
    written = sql.SQL("SELECT {} AS key FROM {} t WHERE connection_id = %s AND change_seq > %s").format(
        table.key_text("t"), table.identifier
    )
    keys = [row["key"] async for row in await conn.execute(written, [record.connection_id, before])]
    seq = before + 1
    await add_rereads(conn, record.connection_id, record.stream, [*late, *keys], seq)
    await conn.execute("UPDATE syncline.connection SET change_seq = %s WHERE id = %s", [seq, record.connection_id])
    await conn.execute(
        "UPDATE syncline.sync_state SET rows = rows + %s WHERE connection_id = %s AND stream = %s",
        [born, record.connection_id, record.stream],
    )
    await conn.execute("DELETE FROM syncline.rejected_record WHERE id = %s", [record.id])
