"""Lists that lead in a circle."""

import pytest


@pytest.mark.parametrize("kind", ["loop", "empty_more"])
async def test_a_circle_is_noticed(sync, stripe, invariants, kind):
    """The read stops after three repeats with a sentence, retires nothing, and leaves the other streams to go on."""
    stripe.load("customers", 450)
    stripe.load("products", 7)
    await sync(streams=["customers", "products"])
    before = invariants.snapshot(sync.connection_id)
    stripe.fault(kind, "/v1/customers", after=1, times=None)
    stripe.create("products")
    stripe.forget()

    failed = await sync("failed", streams=["customers", "products"], full=True)

    assert failed["error_code"] == "endless_list"
    assert failed["streams"]["products"]["written"] == 1
    asked = [request["query"] for request in stripe.requests("/v1/customers")]
    assert max(asked.count(query) for query in asked) <= 4
    assert before.items() <= invariants.snapshot(sync.connection_id).items()
    stripe.lift()
    await sync(streams=["customers", "products"])
    invariants.hold(stripe, sync.connection_id, streams=["customers", "products"])


async def test_the_same_page_twice(sync, stripe, invariants):
    """A page that comes again once is read past."""
    stripe.load("customers", 450)
    for after in (1, 2, 3):
        stripe.fault("repeat_page", "/v1/customers", after=after)

    await sync(streams=["customers"])

    assert stripe.faults() == []
    invariants.hold(stripe, sync.connection_id, streams=["customers"])
