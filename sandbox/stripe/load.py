"""Many objects at once: 100,000 customers in a second or two, none of them told of by an event."""

import orjson

from sandbox.stripe import objects
from sandbox.stripe.kinds import KINDS, Object, facets
from sandbox.stripe.store import Record, Store

YEAR = 365 * 86400
# What stands for each object's own values in the bytes that all of them are made from.
_ID, _OWNER, _NUMBER, _CREATED = "~id~", "~owner~", "~number~", 1_999_999_999


def load(
    store: Store, stream: str, count: int, *, seed: int, spread: float = YEAR, size: int = 1000
) -> tuple[str, str] | None:
    """So many objects of about *size* bytes, created evenly over the last *spread* seconds, the same for the same seed.

    Says the ids of the oldest and the newest.
    """
    store.random.seed(seed)
    owners = list(store.shelves["customers"].records) or ["cus_Sandbox"]
    pattern = _pattern(store, stream, size)
    whole = orjson.dumps(pattern)
    found = facets(KINDS[stream], pattern)
    shelf = store.shelves[stream]
    first, now = "", store.now()
    key = ""
    for number in range(count):
        created = now - int(spread * (count - 1 - number) / max(count, 1))
        key = store.new_id(KINDS[stream].prefix)
        first = first or key
        own = {_ID: key, _OWNER: store.random.choice(owners), _NUMBER: str(number)}
        body = whole.replace(b"%d" % _CREATED, b"%d" % created)
        for mark, value in own.items():
            body = body.replace(mark.encode(), value.encode())
        place = (created, store.arrive(), key)
        shelf.records[key] = Record(key, place, body, body, _own(found, own))
        shelf.order.append(place)
    shelf.order.sort()
    store.note(stream, f"{count} objects", "control", "loaded")
    return (first, key) if count else None


def _pattern(store: Store, stream: str, size: int) -> Object:
    """One object of the stream with marks where each gets its own value, filled up to *size*."""
    fields: Object = {"created": _CREATED, "metadata": {"number": _NUMBER}}
    if stream == "customers":
        address = {"city": "Zürich", "country": "CH", "line1": f"Street {_NUMBER}", "line2": None}
        fields |= {
            "email": f"customer{_NUMBER}@example.com",
            "name": f"Customer {_NUMBER}",
            "address": address | {"postal_code": "8000", "state": None},
        }
    if "customer" in KINDS[stream].filters:
        fields["customer"] = _OWNER
    obj = objects.build(store, stream, fields) | {"id": _ID}
    short = size - len(orjson.dumps(obj))
    if short > 0:
        obj["metadata"]["about"] = "x" * short
    return obj


def _own(found: Object, own: dict[str, str]) -> Object:
    """The pattern's facets with the object's own values in them."""
    result = dict(found)
    for name, value in found.items():
        if isinstance(value, str) and "~" in value:
            for mark, text in own.items():
                result[name] = result[name].replace(mark, text)
    return result
