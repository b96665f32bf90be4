"""The kinds of object that the Stripe sandbox keeps, and what their endpoints take.

The example objects in `templates.json` are derived from Stripe's own (MIT, LICENSE beside it).
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import orjson

Type = Literal["text", "integer", "boolean", "object", "list"]
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: the stream it is listed in, how its ids begin, what may be written."""

    stream: str
    object: str
    prefix: str
    event: str
    writable: dict[str, Type]
    required: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    """Writable only at creation."""
    filters: tuple[str, ...] = ()
    deletable: bool = False
    created_event: str = "created"
    title: str = ""

    @property
    def name(self) -> str:
        """As Stripe's messages name it."""
        return self.title or self.object


def _kind(stream: str, obj: str, prefix: str, event: str, fields: str, **more: Any) -> Kind:
    """Fields as `name` for a text, `name:integer` and so on; `!` is required, `=` cannot be changed afterwards."""
    writable: dict[str, Type] = {"metadata": "object"}
    required, fixed = [], []
    for word in fields.split():
        name, _, type_ = word.rstrip("!=").partition(":")
        writable[name] = type_ or "text"  # type: ignore[assignment]
        if "!" in word:
            required.append(name)
        if "=" in word:
            fixed.append(name)
    return Kind(stream, obj, prefix, event, writable, tuple(required), tuple(fixed), **more)


KINDS: dict[str, Kind] = {
    kind.stream: kind
    for kind in (
        _kind(
            "customers",
            "customer",
            "cus_",
            "customer",
            "email name phone description address:object shipping:object balance:integer invoice_prefix"
            " preferred_locales:list tax_exempt next_invoice_sequence:integer test_clock=",
            filters=("email", "test_clock"),
            deletable=True,
        ),
        _kind(
            "products",
            "product",
            "prod_",
            "product",
            "name! active:boolean description images:list shippable:boolean url unit_label statement_descriptor id=",
            filters=("active", "shippable", "url"),
            deletable=True,
        ),
        _kind(
            "prices",
            "price",
            "price_",
            "price",
            "currency!= product= product_data:object= unit_amount:integer= recurring:object= active:boolean nickname"
            " lookup_key tax_behavior",
            filters=("active", "currency", "product", "type"),
        ),
        _kind(
            "subscriptions",
            "subscription",
            "sub_",
            "customer.subscription",
            "customer!= items:list description cancel_at_period_end:boolean collection_method days_until_due:integer"
            " payment_behavior trial_end:integer off_session:boolean",
            filters=("customer", "status", "price", "collection_method", "test_clock"),
        ),
        _kind(
            "invoices",
            "invoice",
            "in_",
            "invoice",
            "customer!= description currency= collection_method days_until_due:integer auto_advance:boolean"
            " subscription= footer statement_descriptor",
            filters=("customer", "status", "subscription", "collection_method"),
            deletable=True,
        ),
        _kind(
            "charges",
            "charge",
            "ch_",
            "charge",
            "amount:integer!= currency!= customer= source= description receipt_email",
            filters=("customer", "payment_intent"),
            created_event="succeeded",
        ),
        _kind(
            "payment_intents",
            "payment_intent",
            "pi_",
            "payment_intent",
            "amount:integer! currency! customer description receipt_email confirm:boolean= payment_method"
            " payment_method_types:list automatic_payment_methods:object=",
            filters=("customer",),
        ),
        _kind(
            "refunds",
            "refund",
            "re_",
            "refund",
            "charge= payment_intent= amount:integer= reason=",
            filters=("charge", "payment_intent"),
        ),
        Kind("events", "event", "evt_", "", {}, filters=("type", "types", "delivery_success")),
    )
}
OBJECTS = {kind.object: kind for kind in KINDS.values()}
NESTED = {"subscriptions": "items", "invoices": "lines"}
"""The list inside an object of which an answer shows only the first ten."""


@cache
def _templates() -> dict[str, bytes]:
    text = files("sandbox.stripe").joinpath("templates.json").read_bytes()
    return {name: orjson.dumps(value) for name, value in orjson.loads(text).items()}


def template(name: str) -> Object:
    """A fresh example object of that type."""
    return orjson.loads(_templates()[name])  # type: ignore[no-any-return]


def facets(kind: Kind, obj: Object) -> Object:
    """The values by which lists of this kind are filtered."""
    found = {name: obj.get(name) for name in kind.filters}
    if kind.stream == "subscriptions":
        items = obj.get("items")
        rows = items.get("data", ()) if isinstance(items, dict) else ()
        found["price"] = [item["price"]["id"] for item in rows if isinstance(item.get("price"), dict)]
    if kind.stream == "invoices":
        found["subscription"] = subscription_of(obj)
    return found


def subscription_of(invoice: Object) -> str | None:
    """The subscription that an invoice bills, which newer API versions keep inside `parent`."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return details.get("subscription")
