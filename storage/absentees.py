"""Rows that a complete read has not met: candidates for a tombstone.

A row that was written since the read began, or whose record was read by somebody else, is none, whatever the read has
met.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, Self
from uuid import UUID

from psycopg import sql

from storage.database import Database
from storage.full_reads import FullRead
from storage.page_sql import absent_where
from storage.tables import StreamTable

_ABSENT = """
WITH met AS MATERIALIZED (
    {met}
    UNION
    SELECT unnest(keys) FROM syncline.read_page
     WHERE connection_id = %(connection)s AND stream = %(stream)s AND seq > %(start)s
), absent AS (
    SELECT {key} AS key FROM {table} t
     WHERE t.connection_id = %(connection)s AND t.deleted_at IS NULL AND t.change_seq <= %(start)s AND {only}
       AND NOT EXISTS (SELECT FROM met WHERE met.key = {key})
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

_SEEN = "SELECT DISTINCT unnest(keys) AS key FROM syncline.seen WHERE full_read_id = %(full_read)s"
_KEYS = "SELECT DISTINCT unnest(%(keys)s::text[]) AS key"
_NOTHING = "SELECT NULL::text AS key WHERE false"
_COVERED = "{scope} = ANY (SELECT unnest(covered) FROM syncline.full_read WHERE id = %(full_read)s)"
_ORPHAN = """
    EXISTS (SELECT FROM {parent} p
             WHERE p.connection_id = t.connection_id AND p.{parent_key} = {scope} AND p.deleted_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Absentees:
    """The living rows of a stream that a read, begun when the counter was `start_seq`, has not met."""

    db: Database
    connection_id: UUID
    table: StreamTable
    start_seq: int
    met: LiteralString
    only: Sequence[sql.Composable]
    values: Mapping[str, Any]

    @classmethod
    def of_full_read(cls, db: Database, connection_id: UUID, table: StreamTable, full_read: FullRead) -> Self:
        """What a full read with all its parts read has not met; of scopes that it could not read whole, nothing."""
        only = absent_where(table)
        if table.parent:
            covered = sql.SQL(_COVERED).format(scope=_column(table.key[0]))
            only.append(sql.SQL("({} OR {})").format(covered, _orphan(table, table.parent)))
        return cls(db, connection_id, table, full_read.start_seq, _SEEN, only, {"full_read": full_read.id})

    @classmethod
    def of_window(
        cls,
        db: Database,
        connection_id: UUID,
        table: StreamTable,
        start_seq: int,
        *,
        keys: Sequence[str],
        scope: str | None,
        low: str | None,
        high: str | None,
        belonging: tuple[str, str | None] | None = None,
    ) -> Self:
        """What lies in a part of the stream that was read whole, and was not among *keys*."""
        only = absent_where(table)
        if scope is not None:
            only.append(sql.SQL("{} = %(scope)s").format(_column(table.key[0])))
        last = _column(table.key[-1])
        if low is not None:
            only.append(sql.SQL('{} COLLATE "C" >= %(low)s').format(last))
        if high is not None:
            only.append(sql.SQL('{} COLLATE "C" <= %(high)s').format(last))
        values = {"keys": list(keys), "scope": scope, "low": low, "high": high}
        if belonging is not None:
            column, values["belonging"] = belonging
            form = "COALESCE({0}, {1}) = {1}" if values["belonging"] is None else "{0} = %(belonging)s"
            only.append(sql.SQL(form).format(_column(column), last))
        return cls(db, connection_id, table, start_seq, _KEYS, only, values)

    @classmethod
    def of_retired_parents(cls, db: Database, connection_id: UUID, table: StreamTable, start_seq: int) -> Self:
        """Rows whose parent has become a tombstone; none for a stream without parents."""
        only = [_orphan(table, table.parent)] if table.parent else [sql.SQL("false")]
        return cls(db, connection_id, table, start_seq, _NOTHING, only, {})

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
        names = {"table": self.table.identifier, "key": self.table.key_text("t")}
        only = sql.SQL(" AND ").join([*self.only, sql.SQL("true")])
        query = sql.SQL(_ABSENT).format(
            **names, met=sql.SQL(self.met), only=only, select=sql.SQL(select).format(**names)
        )
        values |= {
            **self.values,
            "connection": self.connection_id,
            "stream": self.table.stream,
            "start": self.start_seq,
        }

        async def ask() -> list[dict[str, Any]]:
            async with self.db.transaction() as conn:
                # However little the planner knows of a table just filled: never every row against every key.
                await conn.execute("SET LOCAL enable_nestloop = off")
                return await (await conn.execute(query, values)).fetchall()

        return await self.db.repeat(ask)


def _column(name: str) -> sql.Composed:
    return sql.SQL("t.{}").format(sql.Identifier(name))


def _orphan(table: StreamTable, parent: StreamTable) -> sql.Composed:
    return sql.SQL(_ORPHAN).format(
        parent=parent.identifier, parent_key=sql.Identifier(parent.key[0]), scope=_column(table.key[0])
    )
