"""Answers that would fill the memory."""

import pytest

MEGABYTE = 1024**2


@pytest.mark.parametrize("kind", ["bomb", "big"])
async def test_more_than_the_cap(sync, stripe, invariants, kind):
    """A gzip bomb of 1 GB and a page of 200 MB are given up at the cap: a sentence, and at most 100 MB of memory."""
    stripe.load("customers", 150)
    stripe.load("products", 3)
    usual = (await sync(streams=["products"]))["peak"]
    stripe.fault(kind, "/v1/customers", after=1)

    failed = await sync("failed", streams=["customers", "products"])

    print(f"\n{kind}: {(failed['peak'] - usual) / MEGABYTE:.0f} MB above {usual / MEGABYTE:.0f} MB")
    assert failed["error_code"] == "too_large"
    assert "larger than 64 MiB" in failed["error"]
    assert failed["peak"] - usual <= 100 * MEGABYTE
    assert len(invariants.stored(sync.connection_id, "customers")) == 100
    stripe.lift()
    await sync(streams=["customers", "products"])
    invariants.hold(stripe, sync.connection_id, streams=["customers", "products"])
