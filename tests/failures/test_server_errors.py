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


async def test_more_than_ten_raise_one_alert(sync, stripe, rows):
    """The eleventh server error within five minutes is an alert at once, of the process that met it; and only one."""
    sync.patience |= {"budget": 2}
    stripe.load("customers", 150)
    stripe.fault("html", times=None, status=503)

    await sync("failed", streams=["customers"])
    first = rows("SELECT kind, service FROM syncline.alert")
    while rows("SELECT count(*) AS n FROM syncline.api_request WHERE status = 503")[0]["n"] <= 30:
        await sync("failed", streams=["customers"])

    [alert] = rows("SELECT kind, service, sentence, raised_at, cleared_at FROM syncline.alert")
    [errors] = rows("SELECT (array_agg(at ORDER BY at))[11] AS eleventh FROM syncline.api_request WHERE status = 503")
    late = (alert["raised_at"] - errors["eleventh"]).total_seconds()
    print(f"raised {late:.1f} s after the eleventh error; after the first run: {first}")
    assert (alert["kind"], alert["service"], alert["cleared_at"]) == ("server_errors", "stripe", None)
    assert "Nothing is lost" in alert["sentence"]
    assert late < 60
