"""Changes of an account's data, with the events that Stripe would send: the one path for the API and for tests."""

from typing import Any

from sandbox.stripe import events, objects
from sandbox.stripe.kinds import KINDS, NESTED, Object
from sandbox.stripe.store import Store

Origin = dict[str, Any] | None
"""The request that an event names as its cause; None for a change that no request made."""


def create(
    store: Store, stream: str, fields: Object, *, by: str = "control", origin: Origin = None, event: bool = True
) -> Object:
    """A new object, told of by its event."""
    obj = objects.build(store, stream, fields)
    add(store, stream, obj, by=by, origin=origin, event=event)
    return obj


def add(
    store: Store, stream: str, obj: Object, *, by: str = "control", origin: Origin = None, event: bool = True
) -> None:
    """Keep a finished new object, told of by its event."""
    kind = KINDS[stream]
    store.put(stream, obj, by, "created")
    if event:
        events.emit(store, f"{kind.event}.{kind.created_event}", obj, origin=origin)


def change(
    store: Store, stream: str, new: Object, *, by: str = "control", origin: Origin = None, event: bool = True
) -> Object:
    """Put *new* in place of what has its id; an event tells of it where Stripe has one, and if anything changed."""
    old = store.find(stream, new["id"])
    if old is None:
        raise KeyError(new["id"])
    previous = events.previous_attributes(old, new)
    if not previous:
        return old
    if stream == "products" and "updated" not in previous:
        new = new | {"updated": store.now()}
        previous = events.previous_attributes(old, new)
    store.put(stream, new, by, "updated")
    name = events.name_of_update(KINDS[stream], new, previous)
    if event and name:
        events.emit(store, name, new, previous=previous, origin=origin)
    return new


def delete(
    store: Store, stream: str, key: str, *, by: str = "control", origin: Origin = None, event: bool = True
) -> Object | None:
    """Take an object away, told of by its event where Stripe has one; what it was last."""
    obj = store.remove(stream, key, by)
    name = events.deleted_event(stream)
    if obj is not None and event and name:
        events.emit(store, name, obj, origin=origin)
    return obj


def update(store: Store, stream: str, key: str, fields: Object, *, event: bool = True) -> Object:
    """The object with some fields set, however Stripe itself would take that."""
    old = store.find(stream, key)
    if old is None:
        raise KeyError(key)
    inner = NESTED.get(stream)
    new = old | {name: value for name, value in fields.items() if name != inner}
    if inner in fields:
        rows = fields[inner]
        new = objects.with_items(new, rows) if inner == "items" else objects.with_lines(new, rows)
    return change(store, stream, new, event=event)


def shake(
    store: Store, streams: list[str], *, seed: int | None, times: int, only: list[str] | None = None
) -> list[str]:
    """So many random inserts, updates and deletions, the same for the same seed; what was done, in order."""
    if seed is not None:
        store.random.seed(seed)
    done = []
    for _ in range(times):
        stream = store.random.choice(streams)
        what = store.random.choice(only or ["create", "update", "delete"])
        # What a test put in as bare bytes has no facets, and is left alone.
        keys = [key for key, record in store.shelves[stream].records.items() if record.facets]
        key = store.random.choice(keys) if keys else None
        done.append(_shake(store, stream, what, key))
    return done


def _shake(store: Store, stream: str, what: str, key: str | None) -> str:
    if what == "create" or key is None:
        return f"create {stream} {create(store, stream, {})['id']}"
    if what == "update":
        update(store, stream, key, {"metadata": {"shaken": store.new_id("")}})
    else:
        delete(store, stream, key)
    return f"{what} {stream} {key}"
