import asyncio

import pytest

from storage import connections, disconnect, runs
from storage.disconnect import purge
from storage.errors import Fenced, UnknownId
from storage.locks import write_lock
from storage.tables import StreamTable, ensure

THINGS = StreamTable("stripe", "things", ("id",), {})
NEVER_MADE = StreamTable("stripe", "never_made", ("id",), {})


@pytest.fixture
async def things(db):
    """A stream's table."""
    async with db.connection() as conn:
        await ensure(conn, [THINGS])
    return THINGS


async def add(db, connection, first, last):
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO stripe.things (connection_id, id, raw, synced_at, change_seq)
            SELECT %s, n::text, '{}', now(), n FROM generate_series(%s::int, %s::int) AS n
            """,
            [connection.id, first, last],
        )


async def rows_of(db, connection):
    async with db.connection() as conn:
        rows = await conn.execute("SELECT count(*) AS n FROM stripe.things WHERE connection_id = %s", [connection.id])
        return (await rows.fetchone())["n"]


async def test_a_disconnected_connection_keeps_its_rows(db, connection, things):
    """Letting go of an account forgets what opens it, and nothing else."""
    await add(db, connection, 1, 10)

    left = await disconnect.disconnect(db, connection.id)

    assert (left.id, left.state) == (connection.id, "disconnected")
    assert await rows_of(db, connection) == 10


async def test_a_purge_takes_every_row_of_the_connection_and_no_other(db, connect, things, monkeypatch):
    """Rows, runs and the connection are gone; another connection of the same user loses nothing."""
    monkeypatch.setattr(disconnect, "PURGE_ROWS", 7)
    gone, stays = await connect(account="acct_1"), await connect(account="acct_2")
    await add(db, gone, 1, 50)
    await add(db, stays, 1, 50)
    async with runs.take_run(db, gone.id, mode="full", trigger="cli") as run:
        await runs.end(db, run, "done", {})

    await purge(db, gone.id, [things, NEVER_MADE])

    assert await rows_of(db, gone) == 0
    assert await rows_of(db, stays) == 50
    assert await runs.listing(db, gone.id) == []
    with pytest.raises(UnknownId):
        await connections.get(db, gone.id)


async def test_purged_data_never_comes_back(db, connection, things):
    """A sync that writes all the while is fenced off, and adds nothing once the purge has begun to return."""
    written = 0

    async def sync():
        nonlocal written
        async with runs.take_run(db, connection.id, mode="full", trigger="cli") as run:
            while True:
                async with db.transaction() as conn:
                    await write_lock(conn, connection.id)
                    await runs.fence(conn, run)
                    await conn.execute(
                        """
                        INSERT INTO stripe.things (connection_id, id, raw, synced_at, change_seq)
                        VALUES (%s, %s, '{}', now(), 1)
                        """,
                        [connection.id, str(written)],
                    )
                written += 1

    task = asyncio.create_task(sync())
    await asyncio.sleep(0.3)
    await purge(db, connection.id, [things])

    assert await rows_of(db, connection) == 0
    with pytest.raises(Fenced):
        await task
    assert written > 0
    assert await rows_of(db, connection) == 0


async def test_a_purge_that_was_interrupted_is_run_again(db, connection, things):
    """After a kill between its batches the connection is disconnected, and a second purge ends it."""
    await add(db, connection, 1, 20)
    await disconnect.disconnect(db, connection.id)
    await disconnect._delete_some(db, connection.id, things)

    await purge(db, connection.id, [things])

    assert await rows_of(db, connection) == 0
    assert await connections.listing(db) == []
