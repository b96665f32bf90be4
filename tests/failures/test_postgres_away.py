"""Postgres is down when a sync starts, goes down in the middle, and cuts its sessions again and again."""

import asyncio
import random

from tests.fixtures.proxy import Point
from tests.fixtures.syncing import until

SEED = 34
STREAMS = ["customers", "invoices"]
OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'syncline'
"""


async def test_down_at_the_start(sync, stripe, postgres_proxy, invariants, rows):
    """The sync says that Postgres cannot be reached, and where; nothing else happens, and the next one is fine."""
    stripe.load("customers", 30)
    postgres_proxy.down()

    failed = await sync("failed", streams=["customers"])

    assert "cannot be reached" in failed["error"]
    assert rows("SELECT * FROM syncline.sync_run") == []
    postgres_proxy.up()
    await sync(streams=["customers"])
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_down_in_the_middle(sync, stripe, points, http_proxy, postgres_proxy, invariants):
    """A run waits for Postgres for a while, then goes on, or the next one does, from what is committed."""
    stripe.load("customers", 900)
    point = Point("before send", postgres_proxy.down, "^/v1/customers", nth=4)
    points.set(point)
    under_way = await sync.start(streams=["customers"])
    await until(lambda: point.happened, "the fourth page")
    await asyncio.sleep(1)  # the outage
    postgres_proxy.up()

    result = await under_way.result()
    print(f"\noutcome after an outage: {result['outcome']} {result['error']}")

    assert result["outcome"] in {"done", "skipped", "failed"}
    invariants.no_checkpoint_ahead(stripe, sync.connection_id, ["customers"])
    await sync(streams=["customers"])
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_sessions_that_are_ended_again_and_again(sync, stripe, invariants, rows):
    """With every session ended several times a run, the syncs lose and repeat nothing, and recover by themselves."""
    chance = random.Random(SEED)
    print(f"\nSEED={SEED}")
    stripe.load("customers", 600, seed=SEED)
    stripe.load("invoices", 200, seed=SEED)
    stripe.latency(0.05)
    ended = 0
    for round_ in range(2):
        under_way = asyncio.create_task((await sync.start(streams=STREAMS, full=round_ != 1)).result())
        while not under_way.done():
            await asyncio.wait([under_way], timeout=chance.uniform(0.1, 0.3))
            if ended < 4 * (round_ + 1):
                ended += len(rows(OTHERS))
        invariants.no_checkpoint_ahead(stripe, sync.connection_id, STREAMS)
        stripe.shake(STREAMS, seed=SEED + round_, times=10)
    print(f"sessions ended: {ended}")

    await sync(streams=STREAMS)

    assert ended >= 8
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)
