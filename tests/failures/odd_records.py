"""Records as no provider should send them, put among good ones."""

import json

CREATED = 1_700_000_000


def customer(key, **fields):
    """A small customer, as bytes."""
    return json.dumps({"id": key, "object": "customer", "created": CREATED, "name": "Ada Lovelace", **fields}).encode()


def put(stripe, records, stream="customers"):
    """Good records of the provider's own around the odd ones, which are given by their ids."""
    stripe.load(stream, 40, seed=1, spread=1000 * 86_400)
    for place, (key, body) in enumerate(records.items()):
        stripe.raw(stream, body, id=key, created=CREATED + place * 60)
    return set(stripe.truth_raw(stream)) - set(records)
