"""Fields that are unknown, missing, null or of another type than documented."""

import json
import random

SEED = 28
PER_STREAM = 25
STREAMS = ["customers", "subscriptions", "invoices", "charges"]
VALUES = [None, "text", "", 7, -1.5, True, [], [1, None], {}, {"id": 7}, {"data": "none"}, [[]], "2026-11-25"]


async def test_a_hundred_mutations(sync, stripe, invariants):
    """Whatever becomes of the fields, every record is stored whole and the sync is done."""
    chance = random.Random(SEED)
    print(f"\nSEED={SEED}")
    for stream in STREAMS:
        stripe.load(stream, 10)
        pattern = json.loads(next(iter(stripe.truth_raw(stream).values())))
        for place in range(PER_STREAM):
            record = mutated(pattern, chance) | {"id": f"{pattern['id'][:8]}{place}", "object": pattern["object"]}
            stripe.raw(stream, json.dumps(record).encode(), id=record["id"], created=1_700_000_000 + place)

    result = await sync(streams=STREAMS)

    assert {stream: counts["rejected"] for stream, counts in result["streams"].items()} == dict.fromkeys(STREAMS, 0)
    invariants.hold(stripe, sync.connection_id, streams=STREAMS)


def mutated(pattern, chance):
    """The record with a third of its fields gone, strange or new."""
    record = dict(pattern)
    for name in chance.sample(sorted(pattern), len(pattern) // 3):
        if chance.random() < 0.2:
            del record[name]
        else:
            record[name] = chance.choice(VALUES)
    return record | {f"new_{chance.randrange(9)}": chance.choice(VALUES)}
