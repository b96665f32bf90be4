"""A run is stopped, loses its lock without noticing, and wakes up when another has taken over."""

import asyncio
import signal

from tests.fixtures.proxy import Point
from tests.fixtures.syncing import until

ROUNDS = 2

# The session that holds the run lock, and transactions under way in others.
HOLDERS = """
    SELECT pg_terminate_backend(pid) FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (classid::bigint << 32) | objid::bigint = hashtextextended('run:' || %s, 0)
"""
UNDER_WAY = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""


async def test_who_was_taken_over_from_writes_nothing(sync, stripe, points, http_proxy, invariants, rows):
    """Woken after another run completed, the first one writes no row and ends skipped."""
    sync.alone = False
    stripe.load("customers", 300)
    for round_ in range(ROUNDS):
        first = await stopped(sync, points, rows)
        assert rows(HOLDERS, [str(sync.connection_id)]) == [{"pg_terminate_backend": True}]
        stripe.shake(["customers"], seed=round_, times=10)

        await sync(streams=["customers"], full=True)
        [before] = rows("SELECT count(*) AS changes FROM watch.change")
        snapshot = invariants.snapshot(sync.connection_id)
        first.signal(signal.SIGCONT)
        ended = await first.result()

        assert (ended["outcome"], ended["error_code"]) == ("skipped", "fenced")
        assert rows("SELECT count(*) AS changes FROM watch.change") == [before]
        assert invariants.snapshot(sync.connection_id) == snapshot
        [noted] = rows("SELECT outcome FROM syncline.sync_run WHERE id = %s", [ended["run_id"]])
        assert noted == {"outcome": "skipped"}
        await sync(streams=["customers"])
        invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def stopped(sync, points, rows):
    """A full sync that stands still before its second page, in no transaction."""
    waits = asyncio.Event()
    point = Point("before send", waits.wait, "^/v1/customers", nth=2)
    points.set(point)
    under_way = await sync.start(full=True, streams=["customers"], confirm_deletes=True)
    await until(lambda: point.happened, "the second page")
    under_way.signal(signal.SIGSTOP)
    while rows(UNDER_WAY):
        under_way.signal(signal.SIGCONT)
        await asyncio.sleep(0.05)
        under_way.signal(signal.SIGSTOP)
        await asyncio.sleep(0.05)
    waits.set()
    points.set()
    return under_way
