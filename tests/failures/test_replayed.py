"""The same is read again, by the flow that the deployments run, and leaves no trace of secrets."""

STREAMS = ["customers", "products", "prices", "subscriptions", "invoices", "charges", "payment_intents", "refunds"]


async def test_reading_again_changes_nothing(sync, stripe, invariants, another_account):
    """All eight streams are equal to the provider; a second full and incremental sync touch no row, of nobody."""
    for stream in STREAMS:
        stripe.load(stream, 30)
    other = await another_account()
    other.provider.load("customers", 30)
    await other.sync(streams=["customers"])
    bystander = invariants.snapshot(other.sync.connection_id)
    await sync(flow=True)
    invariants.hold(stripe, sync.connection_id)
    first = invariants.snapshot(sync.connection_id)

    full = await sync(full=True, flow=True)
    await sync(flow=True)

    assert all(counts["written"] == counts["deleted"] == 0 for counts in full["streams"].values())
    assert invariants.snapshot(sync.connection_id) == first
    assert invariants.snapshot(other.sync.connection_id) == bystander
    invariants.nowhere(stripe.key, sync.log)


async def test_no_secret_is_left_anywhere_by_failures(sync, stripe, invariants):
    """Refused, revoked and broken off, at DEBUG: the key stands in no table, no log and nowhere in Prefect."""
    sync.patience |= {"budget": 0.3}
    stripe.load("customers", 120)
    stripe.fault("forbid", "/v1/invoices", times=None)
    stripe.fault("html_200", "/v1/products", times=None)
    await sync(None, full=True, flow=True)
    stripe.revoke()

    refused = await sync(None, flow=True)

    assert refused["error_code"] == "key_refused"
    assert stripe.key not in refused["error"]
    assert sync.log.read_text()
    invariants.nowhere(stripe.key, sync.log)
