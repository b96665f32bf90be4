"""Stripe answers 429, with all that a Retry-After may hold."""

import asyncio
import time
from email.utils import formatdate

JUNK = ["0", "-5", "abc", "Wed, 31 Feb 2026 25:00:00", "Thu, 01 Jan 1970 00:00:00 GMT"]


def not_before(said):
    """The seconds to wait, or the moment to wait for, as the header says."""
    return {"2": 2, "1.5": 1.5}.get(said, 0)


async def test_nobody_asks_before_the_time(another_account, invariants):
    """Whatever the header says, the next request comes no earlier; junk means our own back-off; all syncs end done."""
    date = time.time() + 8
    accounts = {said: await another_account() for said in ["2", "1.5", formatdate(date, usegmt=True), *JUNK]}
    for said, account in accounts.items():
        account.provider.load("customers", 250)
        account.provider.fault("status", "/v1/customers", status=429, retry_after=said)

    await asyncio.gather(*(account.sync(streams=["customers"]) for account in accounts.values()))

    for said, account in accounts.items():
        asked = account.provider.requests("/v1/customers")
        [place] = [place for place, request in enumerate(asked) if request["status"] == 429]
        wait = asked[place + 1]["at"] - asked[place]["at"]
        print(f"\nRetry-After: {said}: next request after {wait:.2f} s")
        assert wait >= not_before(said)
        if said.endswith("GMT") and said not in JUNK:
            assert asked[place + 1]["at"] >= int(date) or asked[place]["at"] > date
        invariants.hold(account.provider, account.sync.connection_id, streams=["customers"])


async def test_a_day_is_more_than_a_run_may_wait(sync, stripe, invariants, rows):
    """The run ends continued at once, says why, keeps what it read, and does not ask again before the time."""
    stripe.load("customers", 450)
    stripe.fault("status", "/v1/customers", after=2, status=429, retry_after=86400)

    result = await sync("continued", streams=["customers"])

    assert result["seconds"] < 60
    [run] = rows("SELECT notes FROM syncline.sync_run")
    assert "slow down" in run["notes"][0]
    assert len(invariants.stored(sync.connection_id, "customers")) >= 200
    stripe.forget()
    await sync("continued", streams=["customers"])
    assert stripe.requests("/v1/customers") == []
    rows("DELETE FROM syncline.rate_bucket")  # the day is over
    await sync(streams=["customers"])
    invariants.hold(stripe, sync.connection_id, streams=["customers"])


async def test_three_processes_pause_together(sync, stripe, connect_to, invariants):
    """After one process was told to wait, no process asks on that account before the time."""
    stripe.load("customers", 900)
    sync.alone = False
    stripe.latency(0.1)
    ids = [await connect_to(stripe, f"user {place}") for place in range(3)]
    stripe.fault("status", "/v1/customers", after=8, status=429, retry_after=3)

    results = await asyncio.gather(*(sync(streams=["customers"], connection_id=each) for each in ids))

    assert [result["outcome"] for result in results] == ["done"] * 3
    asked = stripe.requests("/v1/customers")
    [refused] = [request["at"] for request in asked if request["status"] == 429]
    # What was on its way when the answer came is no request against the pause.
    early = [at for at in (request["at"] - refused for request in asked) if 0.35 < at < 3]
    print(f"\nrequests during the pause: {len(early)}")
    assert early == []
    for each in ids:
        invariants.hold(stripe, each, streams=["customers"])
