"""API versions: which dates Stripe takes, and the older shapes of its objects.

Events are rendered in the account's default version whatever a request asks for, so an older default shows.
"""

import re

from sandbox.stripe.errors import Refusal
from sandbox.stripe.kinds import Object, subscription_of

NEWEST = "2026-10-28.endive"
OLDEST = "2011-01-01"
ITEM_PERIODS = "2025-03-31"  # basil: periods move to the items, an invoice's subscription into `parent`
REFUNDS_ON_REQUEST = "2022-11-15"  # from here on a charge no longer carries its refunds

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


def checked(version: str) -> str:
    """*version* if Stripe knows it."""
    if not _FORM.fullmatch(version) or not OLDEST <= version[:10] <= NEWEST[:10]:
        raise Refusal(400, f"Invalid Stripe API version: {version}")
    return version


def is_old(version: str) -> bool:
    """Whether objects look different in *version*."""
    return version[:10] < ITEM_PERIODS


def rendered(obj: Object, version: str) -> Object:
    """*obj* in the shape that it has in *version*."""
    if not is_old(version):
        return obj
    shape = _SHAPES.get(str(obj.get("object")))
    return shape(obj, version) if shape else obj


def _subscription(obj: Object, version: str) -> Object:
    del version
    items = obj.get("items") or {}
    first = (items.get("data") or [{}])[0]
    periods = {name: first.get(name) for name in ("current_period_start", "current_period_end")}
    bare = [{key: value for key, value in item.items() if key not in periods} for item in items.get("data", ())]
    return obj | periods | {"items": items | {"data": bare}}


def _invoice(obj: Object, version: str) -> Object:
    del version
    older = {
        "subscription": subscription_of(obj),
        "charge": None,
        "payment_intent": None,
        "paid": obj.get("status") == "paid",
        "tax": None,
    }
    return {key: value for key, value in obj.items() if key not in ("parent", "total_taxes")} | older


def _charge(obj: Object, version: str) -> Object:
    if version[:10] >= REFUNDS_ON_REQUEST:
        return obj
    url = f"/v1/charges/{obj['id']}/refunds"
    return obj | {"refunds": {"object": "list", "data": [], "has_more": False, "url": url}}


_SHAPES = {"subscription": _subscription, "invoice": _invoice, "charge": _charge}
