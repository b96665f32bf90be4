"""Writes records of one stream inside a transaction: all at once where Postgres takes them, else each by itself.

A record that cannot be stored costs only itself: the others of its page are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from storage.database import Conn
from storage.page_sql import write_page
from storage.rejected import Rejected, refusal, without_key
from storage.repair import repair, spoils_key
from storage.tables import StreamTable


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


class OneKeyTwice(Exception):
    """A key stands in several pages, whose order in time nobody knows."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go, and what was known when they were asked for."""

    connection_id: UUID
    table: StreamTable
    note: int
    full_read: UUID | None


async def write_records(
    conn: Conn, target: Target, records: Sequence[bytes], seq: int, *, one_page: bool = True
) -> Written:
    """The records are stored with change_seq above *seq*, at most as many values as there are records.

    With *one_page* false the records come from several pages: OneKeyTwice then, and nothing written, when a key
    stands twice. Within one page the last record of a key wins.
    """
    try:
        async with conn.transaction():
            return await _write(conn, target, records, seq, one_page=one_page)
    except psycopg.Error as error:
        reason = refusal(error)
        if reason is None:
            raise
    mended = [repair(record) for record in records]
    altered = {place for place, record in enumerate(records) if mended[place] != record}
    result = await _write_halves(conn, target, mended, seq, altered=altered)
    result.altered = len(altered) - sum(1 for each in result.rejected if each.body in {mended[p] for p in altered})
    return result


async def _write(conn: Conn, target: Target, records: Sequence[bytes], seq: int, *, one_page: bool) -> Written:
    row = await (
        await conn.execute(
            write_page(target.table),
            {
                "connection": target.connection_id,
                "stream": target.table.stream,
                "body": Jsonb(b"[" + b",".join(records) + b"]", dumps=bytes),
                "note": target.note,
                "seq": seq,
                "full_read": target.full_read,
            },
            prepare=True,
        )
    ).fetchone()
    if row is None:
        raise AssertionError  # an aggregate always has a row
    keyless = [place - 1 for place in row["keyless"] or ()]
    if not one_page and row["keys"] + len(keyless) < len(records):
        raise OneKeyTwice
    return Written(
        written=row["written"],
        born=row["born"],
        late=row["late"] or [],
        rejected=[Rejected(records[place], without_key(records[place], target.table)) for place in keyless],
    )


async def _write_halves(
    conn: Conn, target: Target, records: Sequence[bytes], seq: int, *, altered: set[int], start: int = 0
) -> Written:
    """Each half by itself until what Postgres refuses is alone; then that one record is set aside."""
    if len(records) == 1 and start in altered and spoils_key(records[0], target.table.key):
        return Written(rejected=[Rejected(records[0], "its key holds a character that Postgres cannot store")])
    if not any(start <= place < start + len(records) for place in altered) or len(records) == 1:
        try:
            async with conn.transaction():
                return await _write(conn, target, records, seq, one_page=True)
        except psycopg.Error as error:
            reason = refusal(error)
            if reason is None:
                raise
            if len(records) == 1:
                return Written(rejected=[Rejected(records[0], reason)])
    middle = len(records) // 2
    result = await _write_halves(conn, target, records[:middle], seq, altered=altered, start=start)
    result += await _write_halves(conn, target, records[middle:], seq + middle, altered=altered, start=start + middle)
    return result
