"""Many processes start to sync one connection at the same moment."""

import asyncio

from tests.fixtures.proxy import Point

WORKERS = 8
ROUNDS = 2


async def test_one_runs_and_the_others_are_skipped(sync, stripe, points, http_proxy, invariants, rows):
    """Of eight processes one runs and the others are skipped; never do two overlap."""
    sync.alone = False
    stripe.load("customers", 120)
    for _ in range(ROUNDS):
        others_ended = asyncio.Event()
        points.set(Point("before send", others_ended.wait, "^/v1/"))
        started = await asyncio.gather(*(sync.start(streams=["customers"]) for _ in range(WORKERS)))
        waiting = {asyncio.create_task(each.result()) for each in started}
        results = []
        while waiting:
            ended, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            results += [task.result()["outcome"] for task in ended]
            if len(waiting) == 1:
                others_ended.set()
        assert sorted(results) == ["done"] + ["skipped"] * (WORKERS - 1)

    overlaps = rows("""
        SELECT a.id FROM syncline.sync_run a
          JOIN syncline.sync_run b ON a.id < b.id AND a.connection_id = b.connection_id
         WHERE 'skipped' NOT IN (a.outcome, b.outcome)
           AND (a.started_at, a.ended_at) OVERLAPS (b.started_at, b.ended_at)
    """)
    assert overlaps == []
    invariants.hold(stripe, sync.connection_id, streams=["customers"])
