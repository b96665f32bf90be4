"""The demo's Stripe account: a small business, and three changes made through Stripe's own API."""

import json
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, LiteralString

from sandbox.stories import Pushed, Story
from sandbox.stripe.accounts import DEMO_KEY

BUSINESS = {
    "customers": 600,
    "products": 12,
    "prices": 24,
    "subscriptions": 250,
    "invoices": 500,
    "charges": 500,
    "payment_intents": 500,
    "refunds": 25,
}

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback, whatever proxy the machine has


def fill(url: str) -> None:
    """A business has been going on for a year."""
    for seed, (stream, count) in enumerate(BUSINESS.items()):
        said = json.dumps({"stream": stream, "count": count, "seed": seed}).encode()
        _ask("POST", f"{url}/_sandbox/stripe/load", said)


def change(url: str) -> list[str]:
    """One customer comes, one changes its address, one is deleted."""
    moved, gone = _ask("GET", f"{url}/v1/customers?limit=2")["data"]
    fields = {"name": "Ada Lovelace", "email": "ada@example.com"}
    come = _ask("POST", f"{url}/v1/customers", urllib.parse.urlencode(fields).encode())
    _ask("POST", f"{url}/v1/customers/{moved['id']}", b"email=moved%40example.com")
    _ask("DELETE", f"{url}/v1/customers/{gone['id']}")
    return [
        f"stripe  POST /v1/customers → {come['id']}",
        f"stripe  POST /v1/customers/{moved['id']}",
        f"stripe  DELETE /v1/customers/{gone['id']}",
    ]


def subscription(url: str) -> dict[str, Any]:
    """What to subscribe whom to."""
    (customer,) = _ask("GET", f"{url}/v1/customers?limit=1")["data"]
    (product,) = _ask("GET", f"{url}/v1/products?limit=1")["data"]
    monthly = {"product": product["id"], "currency": "eur", "unit_amount": "1500", "recurring[interval]": "month"}
    price = _ask("POST", f"{url}/v1/prices", urllib.parse.urlencode(monthly).encode())
    return {"customer": customer["id"], "price": price["id"]}


def push(url: str) -> Pushed:
    """A customer changes its name."""
    (customer,) = _ask("GET", f"{url}/v1/customers?limit=1")["data"]
    _ask("POST", f"{url}/v1/customers/{customer['id']}", b"name=Grace+Hopper")
    found: LiteralString = "select 1 from stripe.customers where id = %s and name = 'Grace Hopper'"
    return Pushed(f"customer.updated {customer['id']}", found, [customer["id"]])


def courier(url: str, call: str) -> None:
    """Its deliveries wait, or go on."""
    _ask("POST", f"{url}/_sandbox/stripe/webhooks/{call}")


def fault(url: str, call: str, body: Mapping[str, Any]) -> None:
    """Something goes wrong with requests to come, or no more."""
    _ask("POST", f"{url}/_sandbox/stripe/{call}", json.dumps(body).encode())


def revoke(url: str) -> None:
    """The key has expired, until that is lifted."""
    fault(url, "fault", {"kind": "unauthorized", "times": None})


def _ask(method: str, url: str, body: bytes | None = None) -> Any:
    request = urllib.request.Request(url, body, {"Authorization": f"Bearer {DEMO_KEY}"}, method=method)  # noqa: S310 -- ours
    with _OPENER.open(request, timeout=30) as answer:
        return json.load(answer)


STORIES = (
    Story(
        connector="stripe",
        title="Stripe",
        fill=fill,
        change=change,
        query="select id, name, email, deleted_at from stripe.customers order by change_seq desc limit 3",
        key=DEMO_KEY,
        action=("stripe.create_subscription", subscription),
        push=push,
        courier=courier,
        fault=fault,
        revoke=revoke,
    ),
)
