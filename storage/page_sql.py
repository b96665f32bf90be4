"""The statements that put a page of records into a stream's table.

One statement does all for a page: explode it, find its rows, tell what is unchanged, what was written by somebody
newer, and write the rest. It runs under the connection's write lock, so what it finds stays true.
"""

from functools import cache

from psycopg import sql

from storage.columns import take
from storage.tables import StreamTable

KEY_BYTES = 1_200
"""A longer key names no row: two such columns, and a mark with their text, still fit a B-tree's 2,704 bytes."""

# A key that is no text, empty or too long cannot name a row.
_KEY = (
    "CASE WHEN jsonb_typeof(raw -> {name}) = 'string' AND octet_length(raw ->> {name}) BETWEEN 1 AND {most}"
    " THEN raw ->> {name} END AS {column}"
)


@cache
def write_page(table: StreamTable) -> bytes:
    """Parameters: connection, stream, body (a JSON array), note, seq, full_read (or null), listed, not_before and
    not_after (or null). One row comes back.

    `note` is the connection's counter as it stood before the request was sent; `seq` the counter now: the record at
    place n takes seq + n. What is `listed` outside of a full read notes the keys that it found unchanged; what comes
    with its time, by the provider's clock, notes that. Back come how many rows were `written` and `born` (not alive
    before), how many `keys` there were (a key that stands twice counts once, and its last record wins), how many
    records were `given`, the places of `keyless` ones, and as `late` the keys that somebody wrote after the note with
    other content, or all of them, equal or not, where a full read began or ended after it: those are to be read again.

    The lookup stands behind OFFSET 0 so that it is always a probe of the primary key for each record, however little
    the planner knows of a table that is being filled; with a join it may read the whole connection for each page.
    """
    columns = [sql.Identifier(name) for name in table.columns]
    names = sql.SQL(", ").join([*map(sql.Identifier, table.key), *columns])
    values = sql.SQL(", ").join(
        [
            *(sql.SQL("m.{}").format(sql.Identifier(name)) for name in table.key),
            *(take(column, name) for name, column in table.columns.items()),
        ]
    )
    updates = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns)
    statement = sql.SQL(_WRITE_PAGE).format(
        table=table.identifier,
        newer=_NEWER,
        keys=key_of_record(table),
        key=table.key_text("i"),
        key_columns=table.key_columns,
        join=sql.SQL(" AND ").join(sql.SQL("t.{0} = i.{0}").format(sql.Identifier(name)) for name in table.key),
        whole=sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in table.key),
        names=names,
        values=values,
        updates=sql.SQL("{}, ").format(updates) if columns else sql.SQL(""),
    )
    return statement.as_bytes(None)  # composed once a process, not once a page


def key_of_record(table: StreamTable) -> sql.Composed:
    """SQL for each key column out of `raw`, null where it can name no row."""
    return sql.SQL(", ").join(
        sql.SQL(_KEY).format(name=sql.Literal(name), column=sql.Identifier(name), most=sql.Literal(KEY_BYTES))
        for name in table.key
    )


# The keys that somebody read or deleted after the note without a row to show for it. An empty one stands for all: a
# full read began or ended there, and what it had seen is not told apart any more.
_NEWER = sql.SQL("""
    SELECT key FROM syncline.read_mark
     WHERE connection_id = %(connection)s AND stream = %(stream)s AND seq > %(note)s
    UNION ALL
    SELECT unnest(s.keys) FROM syncline.full_read f JOIN syncline.seen s ON s.full_read_id = f.id
     WHERE f.connection_id = %(connection)s AND f.stream = %(stream)s AND s.seq > %(note)s
    UNION ALL
    SELECT unnest(keys) FROM syncline.read_page
     WHERE connection_id = %(connection)s AND stream = %(stream)s AND seq > %(note)s
""")

_WRITE_PAGE = """
WITH given AS MATERIALIZED (
    SELECT n, raw, {keys} FROM jsonb_array_elements(%(body)s) WITH ORDINALITY AS e(raw, n)
), incoming AS MATERIALIZED (
    SELECT DISTINCT ON ({key_columns}) * FROM given WHERE {whole} ORDER BY {key_columns}, n DESC
), newer AS MATERIALIZED (
    {newer}
), judged AS MATERIALIZED (
    SELECT i.*, {key} AS key, t.change_seq IS NOT NULL AS known, t.deleted_at IS NOT NULL AS retired,
           COALESCE(t.same, false) AS same,
           (NOT COALESCE(t.same, false)
            AND (COALESCE(t.change_seq > %(note)s, false) OR {key} IN (SELECT key FROM newer)))
               OR (%(note)s > 0 AND %(full_read)s::uuid IS NULL AND '' IN (SELECT key FROM newer)) AS late
      FROM incoming i LEFT JOIN LATERAL (
               SELECT change_seq, deleted_at, deleted_at IS NULL AND t.raw = i.raw AS same FROM {table} t
                WHERE t.connection_id = %(connection)s AND {join} OFFSET 0
           ) t ON true
), born AS (
    INSERT INTO {table} (connection_id, {names}, raw, synced_at, deleted_at, change_seq)
    SELECT %(connection)s, {values}, raw, clock_timestamp(), NULL, %(seq)s + n
      FROM judged m WHERE NOT known AND NOT late
), changed AS (
    INSERT INTO {table} (connection_id, {names}, raw, synced_at, deleted_at, change_seq)
    SELECT %(connection)s, {values}, raw, clock_timestamp(), NULL, %(seq)s + n
      FROM judged m WHERE known AND NOT same AND NOT late
    ON CONFLICT (connection_id, {key_columns}) DO UPDATE
       SET {updates}raw = excluded.raw, synced_at = excluded.synced_at, deleted_at = NULL,
           change_seq = excluded.change_seq
), noted AS (
    INSERT INTO syncline.seen (full_read_id, seq, keys)
    SELECT %(full_read)s::uuid, %(seq)s + (SELECT count(*) FROM given), array_agg(key) FROM judged
     WHERE same AND %(full_read)s::uuid IS NOT NULL HAVING count(*) > 0
), listed AS (
    INSERT INTO syncline.read_page (connection_id, stream, after_seq, seq, keys, not_before, not_after)
    SELECT %(connection)s, %(stream)s, %(seq)s, %(seq)s + (SELECT count(*) FROM given),
           COALESCE(array_agg(key) FILTER (WHERE same AND NOT late AND %(full_read)s::uuid IS NULL), '{{}}'),
           %(not_before)s::float8, %(not_after)s::float8
      FROM judged WHERE %(listed)s OR %(not_before)s::float8 IS NOT NULL
    HAVING %(not_before)s::float8 IS NOT NULL
        OR count(*) FILTER (WHERE same AND NOT late AND %(full_read)s::uuid IS NULL) > 0
)
SELECT count(*) FILTER (WHERE NOT same AND NOT late) AS written,
       count(*) FILTER (WHERE NOT late AND (NOT known OR retired)) AS born,
       array_agg(key) FILTER (WHERE late) AS late,
       count(*) AS keys,
       (SELECT count(*) FROM given) AS given,
       (SELECT array_agg(n) FROM given WHERE NOT ({whole})) AS keyless
  FROM judged
"""


@cache
def retire_keys(table: StreamTable) -> bytes:
    """Parameters: connection, stream, keys, note, seq, told. Back come how many were `retired`, and the `late`.

    A deletion that finds no living row leaves a mark, so that a page still under way does not bring the record back.
    Rows of which absence may be access that was lost stay, unless the provider has told of the deletion.
    """
    columns = key_values(table, "g.key")
    statement = sql.SQL(_RETIRE_KEYS).format(
        table=table.identifier,
        newer=_NEWER,
        join=sql.SQL(" AND ").join(
            sql.SQL("t.{} = {}").format(sql.Identifier(name), value)
            for name, value in zip(table.key, columns, strict=True)
        ),
        absent=sql.SQL(" AND ").join([*absent_where(table), sql.SQL("true")]),
    )
    return statement.as_bytes(None)


def absent_where(table: StreamTable) -> list[sql.Composable]:
    """SQL for the rows `t` of which absence tells that they are gone."""
    return [
        sql.SQL("t.{}::text = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in table.absent_where.items()
    ]


def key_values(table: StreamTable, key: str) -> list[sql.Composable]:
    """SQL for each key column's value out of a key's text."""
    text = sql.SQL(key)
    if len(table.key) == 1:
        return [text]
    return [sql.SQL("({}::jsonb ->> {})").format(text, sql.Literal(place)) for place in range(len(table.key))]


_RETIRE_KEYS = """
WITH given AS MATERIALIZED (
    SELECT key, n FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS e(key, n)
), newer AS MATERIALIZED (
    {newer}
), judged AS MATERIALIZED (
    SELECT g.*, t.place, t.deleted_at IS NULL AND t.place IS NOT NULL AS alive, %(told)s OR t.goes AS goes,
           COALESCE(t.change_seq > %(note)s, false) OR g.key IN (SELECT key FROM newer)
               OR '' IN (SELECT key FROM newer) AS late
      FROM given g LEFT JOIN LATERAL (
               SELECT t.ctid AS place, change_seq, deleted_at, COALESCE({absent}, false) AS goes FROM {table} t
                WHERE t.connection_id = %(connection)s AND {join} OFFSET 0
           ) t ON true
), retired AS (
    UPDATE {table} t SET deleted_at = clock_timestamp(), change_seq = %(seq)s + j.n
      FROM judged j WHERE t.ctid = j.place AND j.alive AND j.goes AND NOT j.late
), marked AS (
    INSERT INTO syncline.read_mark (connection_id, stream, key, seq)
    SELECT %(connection)s, %(stream)s, key, %(seq)s + n FROM judged WHERE NOT alive
    ON CONFLICT (connection_id, stream, key) DO UPDATE SET seq = excluded.seq, at = now()
)
SELECT count(*) FILTER (WHERE alive AND goes AND NOT late) AS retired,
       array_agg(key) FILTER (WHERE alive AND late) AS late
  FROM judged
"""
