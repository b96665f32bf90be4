"""The connection to Postgres is cut between a COMMIT and its answer."""

from tests.fixtures.proxy import Point

STREAMS = ["customers", "invoices"]


async def test_the_outcome_is_looked_up(sync, stripe, points, http_proxy, postgres_proxy, invariants, rows):
    """Whether the COMMIT went through or not, its records are there once, counted once, and the run is done."""
    stripe.load("customers", 900)
    stripe.load("invoices", 300)
    cuts = 0
    for round_ in range(3):
        # Cut without a word before the COMMIT reached Postgres, or before its answer reached us.
        waiting = [
            Point(("after commit", "before commit")[place % 2], lambda: None, "^/v1/", nth=place + 1 + place // 2)
            for place in range(8)
        ]
        points.set(*waiting)
        result = await sync(streams=STREAMS, full=round_ == 0)
        cuts += sum(point.happened for point in waiting)
        if round_ == 0:
            assert {s: c["written"] for s, c in result["streams"].items()} == {"customers": 900, "invoices": 300}
        points.set()
        invariants.hold(stripe, sync.connection_id, streams=STREAMS)
        for stream in STREAMS:
            [state] = rows("SELECT rows FROM syncline.sync_state WHERE stream = %s", [stream])
            assert state["rows"] == len(stripe.truth(stream))
        stripe.shake(STREAMS, seed=round_, times=20)

    print(f"\nCOMMITs without an answer: {cuts}")
    assert cuts >= 10
    await sync(streams=STREAMS)
    before = invariants.snapshot(sync.connection_id)
    await sync(streams=STREAMS, full=True)
    assert invariants.snapshot(sync.connection_id) == before
