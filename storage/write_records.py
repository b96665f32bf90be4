"""Writes records of one stream inside a transaction: all at once where Postgres takes them, else each by itself.

A record that cannot be stored costs only itself: the others of its page are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

import psycopg
from psycopg import AsyncCursor
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from storage.database import Conn
from storage.page_sql import write_page
from storage.rejected import Rejected, refusal, without_key
from storage.repair import repair, spoils_key
from storage.tables import StreamTable

Cursor = AsyncCursor[DictRow]


@dataclass(slots=True)
class Written:
    """What became of some records."""

    written: int = 0
    born: int = 0
    late: list[str] = field(default_factory=list)
    altered: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def __iadd__(self, other: "Written") -> Self:
        self.written += other.written
        self.born += other.born
        self.late += other.late
        self.altered += other.altered
        self.rejected += other.rejected
        return self


class NotTogether(Exception):
    """These pages are to be written one by one: a key stands in several of them, or Postgres refuses a record."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go, and what was known when they were asked for."""

    connection_id: UUID
    table: StreamTable
    note: int
    full_read: UUID | None
    listed: bool = False
    """Whether the records came in a list, outside of a full read: then those that are unchanged are noted too."""
    read_between: tuple[float, float] | None = None
    """When the provider told them, by its own clock."""


async def write_records(
    conn: Conn, target: Target, records: Sequence[bytes], seq: int, *, one_page: bool = True
) -> Written:
    """The records are stored with change_seq above *seq*, at most as many values as there are records.

    With *one_page* false the records come from several pages, whose order in time nobody knows: NotTogether then,
    and nothing written, when a key stands twice or a record is refused. Within one page the last record of a key wins.
    """
    try:
        async with conn.transaction():
            return await _write(conn, target, records, seq, one_page=one_page)
    except psycopg.Error as error:
        if refusal(error) is None:
            raise
    if not one_page:
        raise NotTogether
    return await _write_halves(conn, target, list(records), [repair(record) for record in records], seq)


async def _write(conn: Conn, target: Target, records: Sequence[bytes], seq: int, *, one_page: bool) -> Written:
    return await received(await send(conn, target, records, seq), target, records, one_page=one_page)


async def send(conn: Conn, target: Target, records: Sequence[bytes], seq: int) -> Cursor:
    """The statement that stores the records is on its way; in a pipeline others may follow before it is answered."""
    values = {
        "connection": target.connection_id,
        "stream": target.table.stream,
        "body": Jsonb(b"[" + b",".join(records) + b"]", dumps=bytes),
        "note": target.note,
        "seq": seq,
        "full_read": target.full_read,
        "listed": target.listed,
        "not_before": target.read_between[0] if target.read_between else None,
        "not_after": target.read_between[1] if target.read_between else None,
    }
    return await conn.execute(write_page(target.table), values, prepare=True)


async def received(cursor: Cursor, target: Target, records: Sequence[bytes], *, one_page: bool) -> Written:
    """What became of the records, as Postgres answered. Raises NotTogether, and what Postgres refused."""
    row = await cursor.fetchone()
    if row is None:
        raise AssertionError  # an aggregate always has a row
    if row["given"] != len(records):  # one of them is blank, or more than one value
        raise psycopg.errors.InvalidTextRepresentation
    keyless = [place - 1 for place in row["keyless"] or ()]
    if not one_page and row["keys"] + len(keyless) < len(records):
        raise NotTogether
    return Written(
        written=row["written"],
        born=row["born"],
        late=row["late"] or [],
        rejected=[Rejected(records[place], without_key(records[place], target.table)) for place in keyless],
    )


async def _write_halves(
    conn: Conn, target: Target, records: Sequence[bytes], mended: Sequence[bytes], seq: int
) -> Written:
    """Each half by itself until what Postgres refuses, or what was mended, is alone."""
    if len(records) == 1:
        return await _write_one(conn, target, records[0], mended[0], seq)
    if records == mended:
        try:
            async with conn.transaction():
                return await _write(conn, target, records, seq, one_page=True)
        except psycopg.Error as error:
            if refusal(error) is None:
                raise
    middle = len(records) // 2
    result = await _write_halves(conn, target, records[:middle], mended[:middle], seq)
    result += await _write_halves(conn, target, records[middle:], mended[middle:], seq + middle)
    return result


async def _write_one(conn: Conn, target: Target, record: bytes, mended: bytes, seq: int) -> Written:
    """The record is stored as it was mended, or set aside as it was received."""
    altered = mended != record
    if altered and spoils_key(mended, target.table.key):
        return Written(rejected=[Rejected(record, "its key holds a character that Postgres cannot store")])
    try:
        async with conn.transaction():
            result = await _write(conn, target, [mended], seq, one_page=True)
    except psycopg.Error as error:
        reason = refusal(error)
        if reason is None:
            raise
        return Written(rejected=[Rejected(record, reason)])
    result.rejected = [Rejected(record, each.reason) for each in result.rejected]
    result.altered = int(altered and not result.rejected)
    return result
