"""Records come, change and go at the provider between every two pages of a read."""

import pytest

STREAMS = ["customers", "products", "invoices"]


@pytest.mark.parametrize("refused", [True, False], ids=["deleted cursors refused", "deleted cursors accepted"])
async def test_changes_between_pages(sync, stripe, invariants, refused):
    """However the pages shift under a full read, after the next incremental sync the rows are the provider's."""
    stripe.settings(deleted_cursors=not refused)
    for stream in STREAMS:
        stripe.load(stream, 250, seed=1)
    for seed in range(11 + refused * 2, 13 + refused * 2):
        print(f"\nSEED={seed}")
        for place, stream in enumerate(STREAMS):
            # Of one seed they would draw the same ids, also for their events.
            stripe.fault("shift", f"/v1/{stream}", times=None, seed=seed * 10 + place, changes=3)
        await sync(streams=STREAMS, full=True)
        stripe.lift()
        await sync(streams=STREAMS)
        invariants.hold(stripe, sync.connection_id, streams=STREAMS)
