"""How a new object of each kind looks, given some of its fields."""

from collections.abc import Callable
from typing import Any

from sandbox.stripe.kinds import KINDS, NESTED, Object, template
from sandbox.stripe.store import Store

PERIODS = {"day": 86400, "week": 7 * 86400, "month": 30 * 86400, "year": 365 * 86400}


def build(store: Store, stream: str, fields: Object) -> Object:
    """A whole new object: Stripe's example, made this account's own, with *fields* in place.

    `items` and `lines` may be a number: so many are made.
    """
    kind = KINDS[stream]
    obj = template(kind.object)
    obj["id"] = store.new_id(kind.prefix)
    obj["created"] = store.now()
    if "livemode" in obj:
        obj["livemode"] = store.live
    inner = NESTED.get(stream)
    rows = fields.get(inner) if inner else None
    obj |= {name: value for name, value in fields.items() if name != inner}
    _FINISH.get(stream, _nothing)(store, obj, rows if rows is not None else 1)
    return obj


def item(store: Store, subscription: Object, price: Object | None, quantity: int = 1) -> Object:
    """A subscription item for that price."""
    created = subscription["created"]
    price = price or _example_price(store)
    period = PERIODS.get((price.get("recurring") or {}).get("interval", "month"), PERIODS["month"])
    return template("subscription_item") | {
        "id": store.new_id("si_"),
        "created": created,
        "current_period_start": created,
        "current_period_end": created + period,
        "price": price,
        "quantity": quantity,
        "subscription": subscription["id"],
    }


def line(store: Store, invoice: Object, amount: int, description: str | None = None) -> Object:
    """An invoice line of that amount."""
    return template("line_item") | {
        "id": store.new_id("il_1"),
        "amount": amount,
        "currency": invoice["currency"],
        "description": description,
        "invoice": invoice["id"],
        "livemode": store.live,
        "period": {"start": invoice["created"], "end": invoice["created"]},
        "subtotal": amount,
    }


def with_items(subscription: Object, rows: list[Object]) -> Object:
    """The subscription with exactly these items."""
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    return subscription | {"items": {"object": "list", "data": rows, "has_more": False, "url": url}}


def with_lines(invoice: Object, rows: list[Object]) -> Object:
    """The invoice with exactly these lines, and their sum."""
    total = sum(row["amount"] for row in rows)
    paid = invoice["amount_paid"]
    sums = dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), total)
    due = {"amount_due": total, "amount_remaining": total - paid}
    url = f"/v1/invoices/{invoice['id']}/lines"
    return invoice | sums | due | {"lines": {"object": "list", "data": rows, "has_more": False, "url": url}}


def _nothing(store: Store, obj: Object, rows: Any) -> None:
    del store, obj, rows


def _customer(store: Store, obj: Object, rows: Any) -> None:
    del rows
    prefix = "".join(store.random.choices("0123456789ABCDEF", k=7))
    obj["invoice_prefix"] = obj.get("invoice_prefix") or prefix


def _product(store: Store, obj: Object, rows: Any) -> None:
    del store, rows
    obj["updated"] = obj["created"]


def _price(store: Store, obj: Object, rows: Any) -> None:
    del store, rows
    if obj.get("unit_amount") is not None:
        obj["unit_amount_decimal"] = str(obj["unit_amount"])
    if obj.get("recurring"):
        obj["recurring"] = {
            "interval": "month",
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        } | obj["recurring"]
        obj["type"] = "recurring"


def _subscription(store: Store, obj: Object, rows: Any) -> None:
    for name in ("start_date", "billing_cycle_anchor"):
        obj[name] = obj["created"]
    if isinstance(rows, int):
        rows = [item(store, obj, None) for _ in range(rows)]
    obj.update(with_items(obj, rows))


def _invoice(store: Store, obj: Object, rows: Any) -> None:
    for name in ("period_start", "period_end"):
        obj[name] = obj["created"]
    if isinstance(rows, int):
        rows = [line(store, obj, 1000 + number, f"Line {number + 1}") for number in range(rows)]
    obj.update(with_lines(obj, rows))


def _charge(store: Store, obj: Object, rows: Any) -> None:
    del rows
    obj |= {"captured": True, "amount_captured": obj["amount"], "payment_method": store.new_id("card_1")}


def _intent(store: Store, obj: Object, rows: Any) -> None:
    del rows
    obj["client_secret"] = f"{obj['id']}_{store.new_id('secret_')}"


def _example_price(store: Store) -> Object:
    first = next(store.shelves["prices"].listed(), None)
    if first is not None:
        return first.load()
    return build(store, "prices", {"recurring": {"interval": "month"}})


_FINISH: dict[str, Callable[[Store, Object, Any], None]] = {
    "customers": _customer,
    "products": _product,
    "prices": _price,
    "subscriptions": _subscription,
    "invoices": _invoice,
    "charges": _charge,
    "payment_intents": _intent,
}
