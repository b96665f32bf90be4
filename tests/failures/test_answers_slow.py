"""Answers that trickle, break off or never come, and addresses at which nobody is."""

import pytest


async def test_one_byte_a_second(sync, stripe, invariants):
    """The deadline is for the whole request, not for each byte: the trickle is given up and asked for again."""
    sync.patience |= {"attempt": 1.5}
    stripe.load("customers", 300)
    stripe.fault("slow", "/v1/customers", bytes_per_second=1)
    stripe.fault("hang", "/v1/customers", after=1)

    result = await sync(streams=["customers"])

    assert result["seconds"] < 60
    assert stripe.faults() == []
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_resets(sync, stripe, invariants):
    """Connections that are reset in the middle of a body, before it, or closed without a word cost nothing."""
    stripe.load("customers", 800)
    for kind in ("reset", "reset_before", "drop"):
        stripe.fault(kind, "/v1/customers", times=2)
        stripe.fault(kind, "/v1/events")

    await sync(streams=["customers"])
    stripe.update("customers", min(stripe.truth("customers")), name="Ada Lovelace")
    await sync(streams=["customers"])

    assert stripe.faults() == []
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


@pytest.mark.parametrize("scheme", ["unknown name", "no TLS there", "nobody listens"])
async def test_nobody_is_there(sync, stripe, invariants, scheme):
    """No such name, no TLS, nobody at the port: a sentence within the budget, and nothing is lost."""
    sync.patience |= {"budget": 0.5}
    url = {
        "unknown name": "https://no-such-host.invalid",
        "no TLS there": stripe.url.replace("http:", "https:"),
        "nobody listens": "http://127.0.0.1:9",
    }[scheme]
    stripe.load("customers", 3)
    await sync(streams=["customers"])
    before = invariants.snapshot(sync.connection_id)

    failed = await sync("failed", streams=["customers"], SYNCLINE_STRIPE_API_URL=url)

    assert failed["seconds"] < 60
    assert failed["error_code"] == "unavailable"
    assert "Stripe" in failed["error"]
    assert invariants.snapshot(sync.connection_id) == before
