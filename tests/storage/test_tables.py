"""Stream tables are made and widened from what is declared, and lose nothing."""

import asyncio
from dataclasses import replace

import pytest

from connectors.columns import integer, moment, text, texts
from storage import tables
from storage.database import open_database
from storage.tables import StreamTable
from tests.fixtures.copies import PAIRS, THINGS, new_copy, thing


async def ensure(db, *wanted):
    async with db.connection() as conn:
        await tables.ensure(conn, wanted)


async def described(db, table):
    query = """
        SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS needed,
               col_description(attrelid, attnum) AS note
          FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
    """
    async with db.connection() as conn:
        rows = await (await conn.execute(query, [f"{table.connector}.{table.stream}"])).fetchall()
    return {row.pop("name"): row for row in rows}


async def test_a_table_has_what_its_stream_declares(db):
    """Key, typed columns and bookkeeping, each with its type, and a comment where there is something to tell."""
    await ensure(db, StreamTable("shop", "orders", ("id",), {"total": integer(note="in cents"), "tags": texts()}))

    columns = await described(db, StreamTable("shop", "orders", ("id",), {}))

    assert {name: column["type"] for name, column in columns.items()} == {
        "connection_id": "uuid",
        "id": "text",
        "total": "bigint",
        "tags": "text[]",
        "raw": "jsonb",
        "synced_at": "timestamp with time zone",
        "deleted_at": "timestamp with time zone",
        "change_seq": "bigint",
    }
    assert columns["total"]["note"] == "in cents"
    assert columns["raw"]["note"]
    assert columns["raw"]["needed"]
    assert not columns["total"]["needed"]


async def test_making_tables_again_changes_nothing(copy):
    """What is there already is left as it is, rows and all."""
    await copy.commit(copy.load(0, thing("a", name="A")))
    before = await copy.rows()

    await ensure(copy.db, THINGS, PAIRS)

    assert await copy.rows() == before


async def test_a_new_column_is_filled_from_raw_and_no_column_is_dropped(copy):
    """Widening fills the new column of every row, tombstones too; a column no longer declared stays with its values."""
    await copy.commit(copy.load(0, thing("a", name="A", at=0, tags=["x"]), thing("b", at="never"), thing("c", at=1)))
    await copy.commit(copy.load(await copy.note(), deleted=["c"]))
    declared = {name: column for name, column in THINGS.columns.items() if name != "name"}
    wider = replace(THINGS, columns=declared | {"at": moment(), "tags": texts()})

    await ensure(copy.db, wider)

    copy.table = replace(wider, columns=wider.columns | THINGS.columns)
    rows = await copy.rows()
    assert rows["a"]["name"] == "A"
    assert rows["a"]["at"].year == 1970
    assert rows["a"]["tags"] == ["x"]
    assert rows["b"]["at"] is None
    assert rows["c"]["at"].second == 1
    copy.table = wider
    await copy.commit(copy.load(await copy.note(), thing("b", at=2)))
    assert (await copy.rows())["b"]["at"].second == 2


async def test_processes_make_tables_at_once(db, database_url):
    """Many that make and widen the same tables at the same time all succeed, and the widest table is there."""
    names = ["one", "two", "three", "four"]

    async def process(width):
        async with open_database(database_url) as own:
            table = StreamTable("shop", "crowded", ("id",), {name: text() for name in names[:width]})
            await ensure(own, table, THINGS)

    await asyncio.gather(*(process(width) for width in (1, 2, 3, 4, 4, 1)))

    assert set(names) <= set(await described(db, StreamTable("shop", "crowded", ("id",), {})))


async def test_polling_by_change_seq_uses_its_index(copy):
    """Asking what changed since a number reads no more than that."""
    await copy.commit(copy.load(0, *(thing(f"id{number}") for number in range(2000))))
    query = "SELECT * FROM shop.things WHERE connection_id = %s AND change_seq > %s ORDER BY change_seq"

    async with copy.db.connection() as conn:
        await conn.execute("ANALYZE shop.things")
        plan = await (await conn.execute(f"EXPLAIN {query}", [copy.connection_id, 1990])).fetchall()

    told = " ".join(row["QUERY PLAN"] for row in plan)
    assert "things_change_seq" in told
    assert "Seq Scan" not in told


@pytest.mark.parametrize(
    "name", ['x"; DROP TABLE y; --', "Upper", "", "1st", "a b", "a.b", "a%s", "ä", "a\x00", "x" * 49, "new\n"]
)
def test_a_name_that_could_mean_more_is_no_name(name):
    """Schemas, tables and columns are short lower-case identifiers, or there is no table."""
    for made in (
        lambda: StreamTable(name, "things", ("id",), {}),
        lambda: StreamTable("shop", name, ("id",), {}),
        lambda: StreamTable("shop", "things", (name,), {}),
        lambda: StreamTable("shop", "things", ("id",), {name: text()}),
    ):
        with pytest.raises(ValueError, match="identifier"):
            made()


@pytest.mark.parametrize(("key", "column"), [(("id",), "id"), (("id",), "raw"), (("raw",), "name"), ((), "name")])
def test_no_column_stands_twice(key, column):
    """A typed column is none of the key's and none of the bookkeeping's, and there is a key."""
    with pytest.raises(ValueError, match="twice"):
        StreamTable("shop", "things", key, {column: text()})


def test_words_of_sql_are_names_like_others():
    """A provider's field may be called like a word of SQL."""
    assert StreamTable("shop", "order", ("id",), {"user": text(), "select": text(), "end": text()})


async def test_tables_named_by_words_of_sql_work(db):
    """They are made once, widened and written like any other."""
    table = StreamTable("shop", "order", ("group",), {"user": text()})
    await ensure(db, table)
    await ensure(db, table)
    table = StreamTable("shop", "order", ("group",), {"user": text(), "select": text()})
    await ensure(db, table)
    copy = await new_copy(db, table)

    await copy.commit(copy.load(0, b'{"group": "a", "user": "u", "select": "s"}'))

    assert (await copy.rows())["a"]["select"] == "s"
    await copy.stack.aclose()
