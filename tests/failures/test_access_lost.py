"""A key that may no longer read one kind of record."""

STREAMS = ["customers", "invoices", "products"]
STATE = "SELECT stream, available, unavailable_reason FROM syncline.sync_state ORDER BY stream"


async def test_one_list_is_forbidden(sync, stripe, invariants, rows):
    """In a full sync the stream becomes unavailable and keeps its rows; the others are done; it recovers by itself."""
    for stream in STREAMS:
        stripe.load(stream, 30)
    await sync(streams=STREAMS)
    before = invariants.stored(sync.connection_id, "invoices")
    stripe.fault("forbid", "/v1/invoices*", times=None)
    stripe.delete("invoices", min(before))
    stripe.create("customers")

    result = await sync(streams=STREAMS, full=True)

    assert result["streams"]["customers"]["written"] == 1
    assert invariants.stored(sync.connection_id, "invoices") == before
    states = {row["stream"]: row for row in rows(STATE)}
    assert {stream: row["available"] for stream, row in states.items()} == {
        "customers": True, "invoices": False, "products": True
    }  # fmt: skip
    assert "permission" in states["invoices"]["unavailable_reason"]
    invariants.hold(stripe, sync.connection_id, streams=["customers", "products"])
    stripe.lift()
    await sync(streams=STREAMS)
    assert all(row["available"] for row in rows(STATE))
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)


async def test_single_records_are_forbidden(sync, stripe, invariants, rows):
    """When changes may no longer be read again by id, that stream waits, unavailable, and the others are brought up."""
    for stream in STREAMS:
        stripe.load(stream, 30)
    await sync(streams=STREAMS)
    stripe.fault("forbid", "/v1/customers*", times=None)
    for stream in STREAMS:
        stripe.update(stream, min(stripe.truth(stream)), metadata={"changed": "yes"})

    await sync(None, streams=STREAMS)

    invariants.hold(stripe, sync.connection_id, streams=["invoices", "products"])
    assert {row["stream"]: row["available"] for row in rows(STATE)} == {
        "customers": False, "invoices": True, "products": True
    }  # fmt: skip
    assert len(invariants.stored(sync.connection_id, "customers")) == 30
    stripe.lift()
    await sync(streams=STREAMS)
    assert all(row["available"] for row in rows(STATE))
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)
