"""Stripe's events: what a change is called, and the snapshot it leaves in the feed."""

from typing import Any

import orjson

from sandbox.stripe.kinds import KINDS, Kind, Object, template
from sandbox.stripe.store import Record, Store
from sandbox.stripe.versions import rendered

KEPT_SECONDS = 30 * 86400

# There is no payment_intent.updated: only these changes of a PaymentIntent's status are told.
_INTENT = {
    "succeeded": "succeeded",
    "canceled": "canceled",
    "processing": "processing",
    "requires_action": "requires_action",
    "requires_payment_method": "payment_failed",
}
_INVOICE = {"open": "finalized", "paid": "paid", "void": "voided", "uncollectible": "marked_uncollectible"}


def name_of_update(kind: Kind, obj: Object, previous: Object) -> str | None:
    """What this change is called, or None where Stripe says nothing of it."""
    status = obj.get("status") if "status" in previous else None
    if kind.stream == "payment_intents":
        return f"payment_intent.{_INTENT[status]}" if status in _INTENT else None
    if kind.stream == "subscriptions" and status == "canceled":
        return "customer.subscription.deleted"
    if kind.stream == "invoices" and status in _INVOICE:
        return f"invoice.{_INVOICE[status]}"
    return f"{kind.event}.updated"


def previous_attributes(old: Object, new: Object) -> Object:
    """What *old* had where it differs from *new*."""
    return {key: old.get(key) for key in {**old, **new} if old.get(key) != new.get(key)}


def emit(
    store: Store,
    name: str,
    obj: Object,
    *,
    previous: Object | None = None,
    origin: dict[str, Any] | None = None,
    created: int | None = None,
) -> str:
    """Put an event into the feed, and say its id. It may be seen only after a while."""
    event = template("event")
    data: Object = {"object": rendered(obj, store.api_version)}
    if previous is not None:
        data["previous_attributes"] = previous
    event |= {
        "id": store.new_id("evt_1"),
        "api_version": store.api_version,
        "created": store.now() if created is None else created,
        "data": data,
        "livemode": store.live,
        "request": origin or {"id": None, "idempotency_key": None},
        "type": name,
    }
    return keep(store, event)


def keep(store: Store, event: Object) -> str:
    """Put a finished event into the feed."""
    place = (event["created"], store.arrive(), event["id"])
    body = orjson.dumps(event)
    visible = store.clock.now() + store.random.uniform(*store.event_delay)
    store.shelves["events"].put(Record(event["id"], place, body, body, {"type": event["type"]}, visible_at=visible))
    for listener in store.listeners:
        listener(event)
    return str(event["id"])


def seen(store: Store, record: Record) -> bool:
    """Whether the feed shows this event: not yet delayed, not older than 30 days."""
    now = store.clock.now()
    return record.visible_at <= now and record.place[0] >= now - KEPT_SECONDS


def deleted_event(stream: str) -> str | None:
    """What a deletion is called, where Stripe tells of one."""
    told = {"customers", "products", "prices", "invoices"}
    return f"{KINDS[stream].event}.deleted" if stream in told else None
