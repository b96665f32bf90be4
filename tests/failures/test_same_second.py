"""Changes that fall into one second, told in any order."""

import time

ROUNDS = 3


async def test_changes_within_one_second(sync, stripe, invariants):
    """Updates and deletions of one second, permuted and repeated, before and after a sync: the rows end as they are."""
    stripe.load("customers", 60)
    await sync(streams=["customers"])
    stripe.settings(fixed=int(time.time()))
    for seed in range(ROUNDS):
        keys = sorted(stripe.truth("customers"))
        for key in keys[:10]:
            stripe.update("customers", key, name="First")
            stripe.update("customers", key, name="Second")
        for key in keys[10:14]:
            stripe.update("customers", key, name="Last words")
            stripe.delete("customers", key)
        stripe.delete("customers", stripe.create("customers")["id"])
        stripe.create("customers")
        stripe.events(permute=seed, repeat=1)

        await sync(streams=["customers"])

        print(f"\nSEED={seed}")
        invariants.hold(stripe, sync.connection_id, streams=["customers"])
