"""Stripe answers with 5xx, for a moment or for longer."""


async def test_a_few_of_each(sync, stripe, invariants):
    """500, 502, 503 and 504 with HTML are waited out by the sync itself."""
    stripe.load("customers", 700)
    for status in (500, 502, 503, 504, 500, 502):
        stripe.fault("html", "/v1/customers", status=status)
    stripe.fault("html", "/v1/events", status=503)

    await sync(streams=["customers"])

    assert stripe.faults() == []
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_for_longer_than_a_run_may_wait(sync, stripe, invariants, rows):
    """The run ends within its budget with a sentence for the user, as its status does; a later one recovers."""
    sync.patience |= {"budget": 0.5}
    stripe.load("customers", 150)
    await sync(streams=["customers"])
    stripe.fault("html", times=None, status=503)
    stripe.update("customers", min(stripe.truth("customers")), name="Ada Lovelace")

    failed = await sync("failed", streams=["customers"])

    assert failed["seconds"] < 60
    assert (failed["error_code"], "tries again by itself" in failed["error"]) == ("unavailable", True)
    [told] = rows("SELECT state, error, error_code FROM syncline.connection")
    assert told == {"state": "active", "error": failed["error"], "error_code": "unavailable"}
    stripe.lift()
    await sync(streams=["customers"])
    assert rows("SELECT error FROM syncline.connection") == [{"error": None}]
    invariants.hold(stripe, sync.connection_id, streams=["customers"])
