"""Stripe's clock is not ours."""

import asyncio

STREAMS = ["customers", "products"]


async def test_ten_minutes_and_a_day_off(another_account, invariants):
    """With Stripe's clock ten minutes or a day before or behind ours no change is lost or made up."""
    accounts = [(skew, await another_account()) for skew in (-86_400, -600, 600, 86_400)]
    for skew, account in accounts:
        account.provider.settings(skew=skew)
        for stream in STREAMS:
            account.provider.load(stream, 130)
    await asyncio.gather(*(account.sync(streams=STREAMS) for _, account in accounts))
    for round_ in range(2):
        for skew, account in accounts:
            account.provider.shake(STREAMS, seed=skew + round_, times=12)
        await asyncio.gather(*(account.sync(streams=STREAMS) for _, account in accounts))
        for _, account in accounts:
            invariants.hold(account.provider, account.sync.connection_id, streams=STREAMS)
