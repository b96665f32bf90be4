"""Records that events carry, which may come late, twice, and in any order, beside what was read.

An event is an exact moment of the provider's clock, a read a stretch of it. What an event tells is written where it is
newer than the stretch, dropped where it is older, and where neither can be said the record's own versions decide, such
as when it was edited; where they are equal too, the record is read again by id. A deletion is final.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from storage.database import Conn
from storage.loads import Told
from storage.page_sql import key_of_record
from storage.rejected import Rejected, refusal, without_key
from storage.repair import repair
from storage.tables import StreamTable

KNOWN_SECONDS = 20 * 3600
"""What is deleted and when something was read is remembered for a day: what an older event tells may be older."""

Verdict = Literal["write", "retire", "bury", "again", "nothing"]


@dataclass(slots=True)
class Sorted:
    """What is to become of what was told, each key once."""

    write: list[Told] = field(default_factory=list)
    bury: list[bytes] = field(default_factory=list)
    """Of what is gone and was never here."""
    retire: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    """To be read by id."""
    same: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    altered: int = 0


async def sort(conn: Conn, connection_id: UUID, table: StreamTable, told: Sequence[Told]) -> Sorted:
    """What is to become of these records; nothing is written yet. Holds as long as the write lock is held."""
    found = Sorted()
    rows = await _looked_up(conn, connection_id, table, list(told), found)
    newest: dict[str, tuple[Told, dict[str, Any]]] = {}
    for one, row in rows:
        if row["key"] is None:
            found.rejected.append(Rejected(one.record, without_key(one.record, table)))
            continue
        before = newest.get(row["key"])
        if before is None or _rank(before[0], before[1]) <= _rank(one, row):
            newest[row["key"]] = (one, row)
    for key, (one, row) in newest.items():
        match _verdict(one, row):
            case "write":
                found.write.append(one)
            case "retire":
                found.retire.append(key)
            case "bury":
                found.bury.append(one.record)
            case "again":
                found.again.append(key)
            case "nothing":
                found.same += 1
    found.same += sum(row["key"] is not None for _, row in rows) - len(newest)
    return found


async def remember(conn: Conn, connection_id: UUID, table: StreamTable, told: Sequence[Told], *, seq: int) -> None:
    """When the records that were written with change_seq above *seq*, each the next, were as they are."""
    query = """
        INSERT INTO syncline.read_page (connection_id, stream, after_seq, seq, keys, not_before, not_after)
        SELECT %s, %s, %s + n - 1, %s + n, '{}', at, at FROM unnest(%s::float8[]) WITH ORDINALITY AS e(at, n)
    """
    await conn.execute(query, [connection_id, table.stream, seq, seq, [one.at for one in told]])


def _rank(one: Told, row: dict[str, Any]) -> tuple[bool, bool, tuple[str, ...], float]:
    return one.gone, not one.made, _version(row["told"]), one.at


def _verdict(one: Told, row: dict[str, Any]) -> Verdict:
    if one.gone:
        return "bury" if not row["known"] else "nothing" if row["retired"] else "retire"
    long_ago = one.at < time.time() - KNOWN_SECONDS
    if not row["known"]:
        return "again" if long_ago or row["marked"] else "write"
    if row["retired"] or row["same"] or one.made:
        return "nothing"
    if newer := _by_time(one.at, row["not_before"], row["not_after"]) or _by_version(row["told"], row["held"]):
        return "write" if newer > 0 else "nothing"
    return "nothing" if row["not_before"] is None and long_ago else "again"


def _by_time(at: float, not_before: float | None, not_after: float | None) -> int:
    """1: the event is newer than the read, -1: it is older, 0: that cannot be said."""
    if not_before is None or not_after is None:
        return 0
    return (at > not_after) - (at < not_before)


def _by_version(told: Sequence[str | None], held: Sequence[str | None]) -> int:
    return (_version(told) > _version(held)) - (_version(told) < _version(held))


def _version(texts: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(text or "" for text in texts)


async def _looked_up(
    conn: Conn, connection_id: UUID, table: StreamTable, told: list[Told], found: Sorted
) -> list[tuple[Told, dict[str, Any]]]:
    """Each record with what is known of its row. What Postgres refuses is mended, or else set aside."""
    try:
        async with conn.transaction():
            return await _look_up(conn, connection_id, table, told)
    except psycopg.Error as error:
        reason = refusal(error)
        if reason is None:
            raise
    if len(told) > 1:
        middle = len(told) // 2
        first = await _looked_up(conn, connection_id, table, told[:middle], found)
        return first + await _looked_up(conn, connection_id, table, told[middle:], found)
    (one,) = told
    mended = Told(repair(one.record), one.at, one.made, one.gone)
    if mended == one:
        found.rejected.append(Rejected(one.record, reason))
        return []
    rows = await _looked_up(conn, connection_id, table, [mended], found)
    found.altered += len(rows)
    return rows


async def _look_up(
    conn: Conn, connection_id: UUID, table: StreamTable, told: Sequence[Told]
) -> list[tuple[Told, dict[str, Any]]]:
    body = Jsonb(b"[" + b",".join(one.record for one in told) + b"]", dumps=bytes)
    values = {"connection": connection_id, "stream": table.stream, "body": body}
    rows = await (await conn.execute(_statement(table), values, prepare=True)).fetchall()
    if len(rows) != len(told):  # one of them is blank, or more than one value
        raise psycopg.errors.InvalidTextRepresentation
    return list(zip(told, rows, strict=True))


@cache
def _statement(table: StreamTable) -> bytes:
    def version(raw: str) -> sql.Composable:
        texts = [sql.SQL("{} #>> {}").format(sql.SQL(raw), sql.Literal(list(path))) for path in table.versions]
        return sql.SQL("ARRAY[{}]::text[]").format(sql.SQL(", ").join(texts))

    names = [sql.Identifier(name) for name in table.key]
    statement = sql.SQL(_LOOK_UP).format(
        table=table.identifier,
        keys=key_of_record(table),
        key=table.key_text("g"),
        whole=sql.SQL(" AND ").join(sql.SQL("g.{} IS NOT NULL").format(name) for name in names),
        join=sql.SQL(" AND ").join(sql.SQL("t.{0} = g.{0}").format(name) for name in names),
        told=version("j.raw"),
        held=version("t.raw"),
    )
    return statement.as_bytes(None)


# A row's content was last read where it was written, or where it was last found unchanged.
_LOOK_UP = """
WITH given AS MATERIALIZED (
    SELECT n, raw, {keys} FROM jsonb_array_elements(%(body)s) WITH ORDINALITY AS e(raw, n)
), keyed AS MATERIALIZED (
    SELECT g.*, CASE WHEN {whole} THEN {key} END AS key FROM given g
), seen AS MATERIALIZED (
    SELECT key, max(seq) AS seq FROM (
        SELECT key, seq FROM syncline.read_mark
         WHERE connection_id = %(connection)s AND stream = %(stream)s AND key = ANY (ARRAY(SELECT key FROM keyed))
        UNION ALL
        SELECT key, p.seq FROM syncline.read_page p, unnest(p.keys) AS key
         WHERE connection_id = %(connection)s AND stream = %(stream)s AND at > now() - interval '20 minutes'
           AND key = ANY (ARRAY(SELECT key FROM keyed))
        UNION ALL
        SELECT key, s.seq FROM syncline.full_read f JOIN syncline.seen s ON s.full_read_id = f.id, unnest(s.keys) AS key
         WHERE f.connection_id = %(connection)s AND f.stream = %(stream)s AND key = ANY (ARRAY(SELECT key FROM keyed))
    ) AS of_any_kind GROUP BY key
), judged AS MATERIALIZED (
    SELECT g.n, g.key, g.raw, t.change_seq, t.change_seq IS NOT NULL AS known, t.deleted_at IS NOT NULL AS retired,
           COALESCE(t.same, false) AS same, t.held, s.seq IS NOT NULL AS marked,
           greatest(t.change_seq, s.seq) AS seq
      FROM keyed g
      LEFT JOIN seen s ON s.key = g.key
      LEFT JOIN LATERAL (
          SELECT t.change_seq, t.deleted_at, t.raw = g.raw AS same, {held} AS held FROM {table} t
           WHERE t.connection_id = %(connection)s AND {join} OFFSET 0
      ) t ON true
)
SELECT j.key, j.known, j.retired, j.same, j.marked, {told} AS told, COALESCE(j.held, ARRAY[]::text[]) AS held,
       CASE WHEN p.after_seq < j.seq THEN p.not_before END AS not_before,
       CASE WHEN p.after_seq < j.seq THEN p.not_after END AS not_after
  FROM judged j LEFT JOIN LATERAL (
      SELECT after_seq, not_before, not_after FROM syncline.read_page p
       WHERE p.connection_id = %(connection)s AND p.stream = %(stream)s AND p.seq >= j.seq
       ORDER BY p.seq LIMIT 1
  ) p ON true
 ORDER BY j.n
"""
