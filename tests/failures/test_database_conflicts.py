"""Postgres gives up a transaction: deadlock, serialization, shutdown; or somebody else holds the table."""

import asyncio

import psycopg
import pytest

# Fails so many inserts with a code, whatever transaction they are in: a sequence is not rolled back.
TROUBLE = """
    CREATE SEQUENCE watch.trouble;
    CREATE FUNCTION watch.fail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('watch.trouble') <= 3 THEN RAISE EXCEPTION 'trouble' USING ERRCODE = '{}'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER trouble BEFORE INSERT OR UPDATE ON stripe.customers FOR EACH STATEMENT EXECUTE FUNCTION watch.fail();
"""


@pytest.mark.parametrize("code", ["40001", "40P01", "57P01", "55P03"])
async def test_the_whole_transaction_is_done_again(sync, stripe, invariants, rows, code):
    """After a conflict nothing of the transaction is left, and it is repeated until it holds."""
    rows(TROUBLE.format(code).replace("RETURN NEW", "RETURN NULL"))
    stripe.load("customers", 250)

    result = await sync(streams=["customers"])

    [hits] = rows("SELECT last_value FROM watch.trouble")
    assert hits["last_value"] > 3
    assert result["streams"]["customers"]["written"] == 250
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_a_table_that_somebody_holds(sync, stripe, invariants, database_url):
    """A host's own ALTER or long transaction on the table is waited out."""
    stripe.load("customers", 250)
    with psycopg.connect(database_url) as host:
        host.execute("LOCK TABLE stripe.customers IN ACCESS EXCLUSIVE MODE")
        under_way = asyncio.create_task((await sync.start(streams=["customers"])).result())
        await asyncio.wait([under_way], timeout=3)
        assert not under_way.done()
        host.rollback()

    assert (await under_way)["outcome"] == "done"
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_a_database_that_takes_no_changes(sync, stripe, invariants, rows, database_url):
    """A standby is named as one, nothing is lost, and as a primary it is synced again."""
    stripe.load("customers", 50)
    name = database_url.split("?")[0].rsplit("/", 1)[1]
    rows(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    failed = await sync("failed", streams=["customers"])

    assert "takes no changes" in failed["error"]
    rows("SET default_transaction_read_only = off")
    rows(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await sync(streams=["customers"])
    invariants.hold(stripe, sync.connection_id, streams=["customers"])
