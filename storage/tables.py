"""The tables that hold the copies: one schema a connector, one table a stream, made and widened from what it declares.

Nothing is ever dropped. A column that is new is filled from `raw` in the statement's own transaction.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow

from storage.columns import TYPES, Column, take

BOOKKEEPING = ("connection_id", "raw", "synced_at", "deleted_at", "change_seq")
"""Columns that every stream table has beside its key and its typed columns."""

# Postgres cuts longer names, and an index has the stream's name and more.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")

NOTES = {
    "connection_id": "the connection this row belongs to: syncline.connection.id",
    "raw": "the whole record as received",
    "synced_at": "when the content last changed here",
    "deleted_at": "tombstone: set when the provider no longer has the record",
    "change_seq": "rises per connection, in commit order, with every change",
}


@dataclass(frozen=True, eq=False)
class StreamTable:
    """One stream's table: where it lies, its key columns (all text) and its typed columns."""

    connector: str
    stream: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    absent_where: Mapping[str, str] = field(default_factory=dict)
    """Only rows with these values, as text, may be retired for being absent."""
    parent: "StreamTable | None" = None
    """The table whose key is the first key column of this one."""
    versions: tuple[tuple[str, ...], ...] = ()
    """Paths in a record to texts that only grow, the weightiest first."""

    def __post_init__(self) -> None:
        names = [*self.key, *self.columns]
        if not all(_NAME.fullmatch(name) for name in (self.connector, self.stream, *names)):
            raise ValueError(f"{self.connector}.{self.stream}: a name is no lower-case identifier")
        if not self.key or len({*names, *BOOKKEEPING}) < len(names) + len(BOOKKEEPING):
            raise ValueError(f"{self.connector}.{self.stream}: no key, or a column stands twice")

    @cached_property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.connector, self.stream)

    @cached_property
    def key_columns(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.key))

    def key_text(self, alias: str) -> sql.Composable:
        """SQL for a row's key as one text: the value itself, or a JSON array of the values."""
        parts = [sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(column)) for column in self.key]
        if len(parts) == 1:
            return parts[0]
        return sql.SQL("jsonb_build_array({})::text").format(sql.SQL(", ").join(parts))


async def ensure(conn: AsyncConnection[DictRow], tables: Sequence[StreamTable]) -> None:
    """Make what is missing; several processes may do so at once."""
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('syncline.tables', 0))")
        for table in tables:
            await _ensure(conn, table)


async def _ensure(conn: AsyncConnection[DictRow], table: StreamTable) -> None:
    have = await _columns_of(conn, table)
    if not have:
        await _make(conn, table)
        return
    missing = {name: column for name, column in table.columns.items() if name not in have}
    if missing:
        await _widen(conn, table, missing)


async def _columns_of(conn: AsyncConnection[DictRow], table: StreamTable) -> set[str]:
    rows = await conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        [table.identifier.as_string(conn)],
    )
    return {row["attname"] async for row in rows}


async def _make(conn: AsyncConnection[DictRow], table: StreamTable) -> None:
    await conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(table.connector)))
    columns = [
        sql.SQL("connection_id uuid NOT NULL"),
        *(sql.SQL("{} text NOT NULL").format(sql.Identifier(name)) for name in table.key),
        *(_declared(name, column) for name, column in table.columns.items()),
        sql.SQL("raw jsonb NOT NULL"),
        sql.SQL("synced_at timestamptz NOT NULL"),
        sql.SQL("deleted_at timestamptz"),
        sql.SQL("change_seq bigint NOT NULL"),
        sql.SQL("PRIMARY KEY (connection_id, {})").format(table.key_columns),
    ]
    await conn.execute(
        sql.SQL("CREATE TABLE {} ({})").format(table.identifier, sql.SQL(", ").join(columns)),
    )
    await conn.execute(
        sql.SQL("CREATE INDEX {} ON {} (connection_id, change_seq) WHERE change_seq IS NOT NULL").format(
            sql.Identifier(f"{table.stream}_change_seq"), table.identifier
        )
    )
    notes = NOTES | {name: column.note for name, column in table.columns.items() if column.note}
    for name, note in notes.items():
        await conn.execute(
            sql.SQL("COMMENT ON COLUMN {} IS {}").format(
                sql.Identifier(table.connector, table.stream, name), sql.Literal(note)
            )
        )


async def _widen(conn: AsyncConnection[DictRow], table: StreamTable, missing: Mapping[str, Column]) -> None:
    added = [sql.SQL("ADD COLUMN {}").format(_declared(name, column)) for name, column in missing.items()]
    await conn.execute(sql.SQL("ALTER TABLE {} {}").format(table.identifier, sql.SQL(", ").join(added)))
    filled = [sql.SQL("{} = {}").format(sql.Identifier(name), take(column, name)) for name, column in missing.items()]
    await conn.execute(sql.SQL("UPDATE {} SET {}").format(table.identifier, sql.SQL(", ").join(filled)))


def _declared(name: str, column: Column) -> sql.Composable:
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(TYPES[column.kind]))
