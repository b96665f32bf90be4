"""Records that are gone, of which something is left: a row keeps what it has, where there is none the remains make one.

Either way the row is a tombstone afterwards.
"""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from storage.columns import take
from storage.database import Conn
from storage.page_sql import key_of_record
from storage.rejected import refusal
from storage.repair import repair
from storage.tables import StreamTable


async def bury(
    conn: Conn, connection_id: UUID, table: StreamTable, records: Sequence[bytes], seq: int
) -> tuple[list[str], int]:
    """The keys of these records that had rows already, which are as they were, and how many tombstones were made.

    The tombstones take change_seq above *seq*, at most as many values as there are records. What Postgres refuses, and
    what has no key, leaves nothing: the remains of a record are not worth setting aside.
    """
    try:
        async with conn.transaction():
            return await _bury(conn, connection_id, table, records, seq)
    except psycopg.Error as error:
        if refusal(error) is None:
            raise
    if len(records) > 1:
        middle = len(records) // 2
        known, made = await bury(conn, connection_id, table, records[:middle], seq)
        more, others = await bury(conn, connection_id, table, records[middle:], seq + middle)
        return known + more, made + others
    mended = repair(records[0])
    return await bury(conn, connection_id, table, [mended], seq) if mended != records[0] else ([], 0)


async def _bury(
    conn: Conn, connection_id: UUID, table: StreamTable, records: Sequence[bytes], seq: int
) -> tuple[list[str], int]:
    body = Jsonb(b"[" + b",".join(records) + b"]", dumps=bytes)
    values = {"connection": connection_id, "body": body, "seq": seq}
    row = await (await conn.execute(_statement(table), values)).fetchone()
    if row is None:
        raise AssertionError  # an aggregate always has a row
    return row["known"] or [], row["made"]


@cache
def _statement(table: StreamTable) -> bytes:
    columns = [sql.Identifier(name) for name in table.columns]
    keys = [sql.Identifier(name) for name in table.key]
    values = [
        *(sql.SQL("m.{}").format(name) for name in keys),
        *(take(column, name) for name, column in table.columns.items()),
    ]
    statement = sql.SQL(_BURY).format(
        table=table.identifier,
        keys=key_of_record(table),
        key=table.key_text("i"),
        key_columns=table.key_columns,
        join=sql.SQL(" AND ").join(sql.SQL("t.{0} = i.{0}").format(name) for name in keys),
        whole=sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(name) for name in keys),
        names=sql.SQL(", ").join([*keys, *columns]),
        values=sql.SQL(", ").join(values),
    )
    return statement.as_bytes(None)


_BURY = """
WITH given AS MATERIALIZED (
    SELECT n, raw, {keys} FROM jsonb_array_elements(%(body)s) WITH ORDINALITY AS e(raw, n)
), incoming AS MATERIALIZED (
    SELECT DISTINCT ON ({key_columns}) * FROM given WHERE {whole} ORDER BY {key_columns}, n DESC
), judged AS MATERIALIZED (
    SELECT i.*, {key} AS key, t.change_seq IS NOT NULL AS known
      FROM incoming i LEFT JOIN LATERAL (
               SELECT change_seq FROM {table} t WHERE t.connection_id = %(connection)s AND {join} OFFSET 0
           ) t ON true
), made AS (
    INSERT INTO {table} (connection_id, {names}, raw, synced_at, deleted_at, change_seq)
    SELECT %(connection)s, {values}, raw, clock_timestamp(), clock_timestamp(), %(seq)s + n
      FROM judged m WHERE NOT known RETURNING 1
)
SELECT array_agg(key) FILTER (WHERE known) AS known, (SELECT count(*) FROM made) AS made FROM judged
"""
