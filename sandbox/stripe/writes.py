"""Creates, updates and deletions by the API: parameters checked, the object changed, consequences drawn."""

from collections.abc import Callable
from typing import Any

from sandbox.stripe import changes, errors, objects
from sandbox.stripe.changes import Origin
from sandbox.stripe.errors import Refusal
from sandbox.stripe.forms import Params
from sandbox.stripe.kinds import KINDS, Kind, Object, Type
from sandbox.stripe.lists import integer
from sandbox.stripe.store import Store


def create(store: Store, stream: str, params: Params, origin: Origin) -> Object:
    """What `POST /v1/{stream}` does."""
    kind = KINDS[stream]
    fields = checked(kind, params, new=True)
    _must_exist(store, fields)
    obj = _CREATE[stream](store, fields, origin)
    return store.find(stream, obj["id"]) or obj


def update(store: Store, stream: str, key: str, params: Params, origin: Origin) -> Object:
    """What `POST /v1/{stream}/{id}` does: metadata is merged, everything else is set."""
    old = existing(store, stream, key)
    fields = checked(KINDS[stream], params, new=False)
    new = old | {name: value for name, value in fields.items() if name not in ("metadata", "items")}
    if stream == "subscriptions":
        new |= _end_of(store, old, fields)
    if "metadata" in fields:
        merged = (old.get("metadata") or {}) | (fields["metadata"] or {})
        new["metadata"] = {name: value for name, value in merged.items() if value != ""} if fields["metadata"] else {}
    return changes.change(store, stream, new, by="api", origin=origin)


def _end_of(store: Store, subscription: Object, fields: Object) -> Object:
    """When a subscription ends that is to end with its period, or that goes on again."""
    if subscription["status"] == "canceled" and fields.keys() - {"metadata"}:
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise Refusal(400, message)
    if "cancel_at_period_end" not in fields:
        return {}
    if not fields["cancel_at_period_end"]:
        return {"cancel_at": None, "canceled_at": None}
    ends = [row["current_period_end"] for row in subscription["items"]["data"]]
    return {"cancel_at": max(ends, default=None), "canceled_at": store.now()}


def delete(store: Store, stream: str, key: str, origin: Origin) -> Object:
    """What `DELETE /v1/{stream}/{id}` does; a subscription is cancelled by it, not deleted."""
    obj = existing(store, stream, key)
    if stream == "subscriptions":
        return cancel(store, obj, origin)
    if not KINDS[stream].deletable:
        raise errors.unknown_url("DELETE", f"/v1/{stream}/{key}")
    if stream == "invoices" and obj["status"] != "draft":
        raise Refusal(400, "You can only delete draft invoices.", code="invoice_not_editable")
    if stream == "products" and any(r.facets.get("product") == key for r in store.shelves["prices"].records.values()):
        raise Refusal(400, "This product cannot be deleted because it has one or more user-created prices.")
    changes.delete(store, stream, key, by="api", origin=origin)
    return {"id": key, "object": KINDS[stream].object, "deleted": True}


def cancel(store: Store, subscription: Object, origin: Origin) -> Object:
    """The subscription ends now."""
    if subscription["status"] == "canceled":
        raise errors.missing("subscription", subscription["id"])
    now = store.now()
    ended = subscription | {"status": "canceled", "canceled_at": now, "ended_at": now}
    return changes.change(store, "subscriptions", ended, by="api", origin=origin)


def existing(store: Store, stream: str, key: str, *, param: str = "id", status: int = 404) -> Object:
    """The object, or Stripe's refusal."""
    obj = store.find(stream, key)
    if obj is None:
        raise errors.missing(KINDS[stream].name, key, param=param, status=status)
    return obj


def checked(kind: Kind, params: Params, *, new: bool) -> Object:
    """Parameters as values of their types, or Stripe's refusal of the first that is wrong."""
    fields: Object = {}
    for name, value in params.items():
        if name == "expand":
            raise Refusal(400, f"This property cannot be expanded ({value[0]}).", param="expand")
        if name not in kind.writable or (not new and name in kind.fixed):
            raise errors.unknown_parameter(name)
        fields[name] = typed(name, value, kind.writable[name])
    if new:
        for name in kind.required:
            if fields.get(name) in (None, ""):
                raise errors.required(name)
    return fields


def typed(name: str, value: Any, type_: Type) -> Any:
    """A form's text as a value; an empty one unsets."""
    if value == "":
        return None
    if type_ == "integer":
        return integer(name, value)
    if type_ == "boolean":
        if value not in ("true", "false"):
            raise Refusal(400, f"Invalid boolean: {value}", param=name)
        return value == "true"
    if type_ == "text" and not isinstance(value, str):
        raise Refusal(400, f"Invalid string: {value}", param=name)
    if type_ == "object" and not isinstance(value, dict):
        raise Refusal(400, "Invalid object", param=name)
    if type_ == "list" and not isinstance(value, list):
        raise Refusal(400, "Invalid array", param=name)
    return value


def _must_exist(store: Store, fields: Object) -> None:
    named = {"customer": "customers", "product": "products", "charge": "charges", "payment_intent": "payment_intents"}
    for name, stream in (named | {"subscription": "subscriptions"}).items():
        if fields.get(name):
            existing(store, stream, fields[name], param=name, status=400)


def _plain(stream: str) -> Callable[[Store, Object, Origin], Object]:
    def make(store: Store, fields: Object, origin: Origin) -> Object:
        return changes.create(store, stream, fields, by="api", origin=origin)

    return make


def _price(store: Store, fields: Object, origin: Origin) -> Object:
    data = fields.pop("product_data", None)
    if data:
        fields["product"] = _plain("products")(store, checked(KINDS["products"], data, new=True), origin)["id"]
    if not fields.get("product"):
        raise errors.required("product")
    recurring = fields.get("recurring")
    if recurring and "interval_count" in recurring:
        recurring["interval_count"] = integer("recurring[interval_count]", recurring["interval_count"])
    return changes.create(store, "prices", fields, by="api", origin=origin)


def _subscription(store: Store, fields: Object, origin: Origin) -> Object:
    wanted = fields.pop("items", None)
    if not wanted:
        raise errors.required("items")
    incomplete = fields.pop("payment_behavior", None) == "default_incomplete"
    fields.pop("off_session", None)
    obj = objects.build(store, "subscriptions", fields | {"items": []})
    rows = []
    for number, row in enumerate(wanted):
        price = existing(store, "prices", row.get("price", ""), param=f"items[{number}][price]", status=400)
        rows.append(objects.item(store, obj, price, integer("quantity", row.get("quantity", 1))))
    obj = objects.with_items(obj, rows) | {"currency": rows[0]["price"]["currency"]}
    obj["status"] = "incomplete" if incomplete else "active"
    invoice = _first_invoice(store, obj, paid=not incomplete)
    obj["latest_invoice"] = invoice["id"]
    changes.add(store, "subscriptions", obj, by="api", origin=origin)
    changes.add(store, "invoices", invoice, by="api", origin=origin)
    return obj


def _first_invoice(store: Store, subscription: Object, *, paid: bool) -> Object:
    fields = {
        "customer": subscription["customer"],
        "currency": subscription["currency"],
        "billing_reason": "subscription_create",
        "status": "paid" if paid else "open",
        "parent": {
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": subscription["id"]},
            "type": "subscription_details",
        },
    }
    invoice = objects.build(store, "invoices", fields | {"lines": []})
    amounts = [(row["price"].get("unit_amount") or 0) * row["quantity"] for row in subscription["items"]["data"]]
    invoice = objects.with_lines(invoice, [objects.line(store, invoice, amount) for amount in amounts])
    return invoice | {"amount_paid": invoice["total"], "amount_remaining": 0} if paid else invoice


def _invoice(store: Store, fields: Object, origin: Origin) -> Object:
    subscription = fields.pop("subscription", None)
    if subscription:
        details = {"metadata": {}, "subscription": subscription}
        fields["parent"] = {
            "quote_details": None,
            "subscription_details": details,
            "type": "subscription_details",
        }
    fields.pop("days_until_due", None)
    return changes.create(store, "invoices", {"currency": "usd", "lines": []} | fields, by="api", origin=origin)


def _charge(store: Store, fields: Object, origin: Origin) -> Object:
    if not fields.pop("source", None) and not fields.get("customer"):
        raise Refusal(400, "Must provide source or customer.", code="parameter_missing", param="source")
    return changes.create(store, "charges", fields, by="api", origin=origin)


def _intent(store: Store, fields: Object, origin: Origin) -> Object:
    wanted = fields.pop("confirm", None)
    fields.pop("automatic_payment_methods", None)
    obj = changes.create(store, "payment_intents", fields, by="api", origin=origin)
    return confirm(store, obj, origin) if wanted else obj


def confirm(store: Store, intent: Object, origin: Origin) -> Object:
    """The PaymentIntent succeeds, by a charge."""
    if intent["status"] in ("succeeded", "canceled"):
        message = f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
        raise Refusal(400, message, code="payment_intent_unexpected_state")
    fields = {name: intent[name] for name in ("amount", "currency", "customer")} | {"payment_intent": intent["id"]}
    charge = changes.create(store, "charges", fields, by="api", origin=origin)
    paid = {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
    return changes.change(store, "payment_intents", intent | paid, by="api", origin=origin)


def _refund(store: Store, fields: Object, origin: Origin) -> Object:
    key = fields.get("charge")
    if fields.get("payment_intent"):
        key = existing(store, "payment_intents", fields["payment_intent"]).get("latest_charge")
    if not key:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise Refusal(400, message, code="parameter_missing")
    charge = existing(store, "charges", key, param="charge", status=400)
    left = charge["amount"] - charge["amount_refunded"]
    amount = fields.get("amount") or left
    if left <= 0:
        raise Refusal(400, f"Charge {key} has already been refunded.", code="charge_already_refunded")
    if amount > left:
        raise Refusal(400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})")
    made = {"charge": key, "amount": amount, "currency": charge["currency"], "payment_intent": charge["payment_intent"]}
    refund = changes.create(store, "refunds", fields | made, by="api", origin=origin)
    refunded = charge["amount_refunded"] + amount
    after = {"amount_refunded": refunded, "refunded": refunded == charge["amount"]}
    changes.change(store, "charges", charge | after, by="api", origin=origin)
    return refund


_CREATE: dict[str, Callable[[Store, Object, Origin], Object]] = {
    "customers": _plain("customers"),
    "products": _plain("products"),
    "prices": _price,
    "subscriptions": _subscription,
    "invoices": _invoice,
    "charges": _charge,
    "payment_intents": _intent,
    "refunds": _refund,
}
