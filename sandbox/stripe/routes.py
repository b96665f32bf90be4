"""Stripe's endpoints: which template a path fits, and what each method does there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.stripe import changes, errors, events, expanding, lists, objects, writes
from sandbox.stripe.changes import Origin
from sandbox.stripe.forms import Params
from sandbox.stripe.kinds import KINDS, NESTED, Object, template
from sandbox.stripe.store import Record, Store
from sandbox.stripe.versions import is_old, rendered


@dataclass(frozen=True, slots=True)
class Call:
    """A request as far as an endpoint needs it."""

    store: Store
    params: Params
    values: dict[str, str]
    version: str
    origin: Origin


Endpoint = Callable[[Call], bytes]
Route = tuple[str, str]
"""Method and path template."""


def find(method: str, path: str) -> tuple[str, Endpoint, dict[str, str]]:
    """The template that *path* fits, what is done there, and the values in the path; or Stripe's refusal."""
    for (wanted, shape), (pattern, endpoint) in _ROUTES.items():
        if wanted == method and (match := pattern.fullmatch(path)):
            return shape, endpoint, match.groupdict()
    raise errors.unknown_url(method, path)


def _account(call: Call) -> bytes:
    return orjson.dumps(template("account") | {"id": call.store.account})


def _listing(stream: str) -> Endpoint:
    def endpoint(call: Call) -> bytes:
        rows, more = lists.cut(lists.page(call.store, stream, call.params), call.params)
        return lists.envelope([_body(row, call.version) for row in rows], f"/v1/{stream}", more=more)

    return endpoint


def _retrieve(stream: str) -> Endpoint:
    def endpoint(call: Call) -> bytes:
        key = call.values["id"]
        shelf = call.store.shelves[stream]
        record = shelf.records.get(key)
        if record is not None and (stream != "events" or events.seen(call.store, record)):
            wanted = expanding.asked_for(call.params) if stream == "subscriptions" else []
            return expanding.expanded(call.store, _body(record, call.version), wanted)
        if stream == "customers" and key in shelf.deleted:
            return orjson.dumps({"id": key, "object": "customer", "deleted": True})
        raise errors.missing(shelf.kind.name, key)

    return endpoint


def _create(stream: str) -> Endpoint:
    return _write(stream, lambda call: writes.create(call.store, stream, call.params, call.origin))


def _update(stream: str) -> Endpoint:
    return _write(stream, lambda call: writes.update(call.store, stream, call.values["id"], call.params, call.origin))


def _write(stream: str, do: Callable[[Call], Object]) -> Endpoint:
    def endpoint(call: Call) -> bytes:
        wanted = expanding.asked_for(call.params) if stream == "subscriptions" else []
        return expanding.expanded(call.store, _one(call, stream, do(call)), wanted)

    return endpoint


def _delete(stream: str) -> Endpoint:
    return lambda call: _one(call, stream, writes.delete(call.store, stream, call.values["id"], call.origin))


def _one(call: Call, stream: str, obj: Object) -> bytes:
    """An object as an answer gives it: nested lists cut, in the version asked for."""
    record = call.store.shelves[stream].records.get(obj["id"])
    return _body(record, call.version) if record else orjson.dumps(obj)


def _body(record: Record, version: str) -> bytes:
    return orjson.dumps(rendered(orjson.loads(record.shown), version)) if is_old(version) else record.shown


def _step(stream: str, do: Callable[[Store, Object, Origin], Object]) -> Endpoint:
    """`POST /v1/{stream}/{id}/{verb}`."""

    def endpoint(call: Call) -> bytes:
        obj = writes.existing(call.store, stream, call.values["id"])
        return _one(call, stream, do(call.store, obj, call.origin))

    return endpoint


def _invoice_to(status: str, **fields: Any) -> Callable[[Store, Object, Origin], Object]:
    def do(store: Store, invoice: Object, origin: Origin) -> Object:
        new = invoice | {"status": status} | fields
        if status == "paid":
            new |= {"amount_paid": invoice["total"], "amount_remaining": 0}
        return changes.change(store, "invoices", new, by="api", origin=origin)

    return do


def _cancel_intent(store: Store, intent: Object, origin: Origin) -> Object:
    new = intent | {"status": "canceled", "canceled_at": store.now()}
    return changes.change(store, "payment_intents", new, by="api", origin=origin)


def _items(call: Call) -> bytes:
    key = call.params.get("subscription")
    if not key:
        raise errors.required("subscription")
    return _nested(call, "subscriptions", key, "/v1/subscription_items", "subscription item", "subscription")


def _lines(call: Call) -> bytes:
    key = call.values["id"]
    return _nested(call, "invoices", key, f"/v1/invoices/{key}/lines", "invoice line item")


def _nested(call: Call, stream: str, key: str, url: str, title: str, *names: str) -> bytes:
    obj = writes.existing(call.store, stream, key)
    rows = lists.nested(obj[NESTED[stream]]["data"], call.params, title, names)
    shown, more = lists.cut(rows, call.params)
    return lists.envelope([orjson.dumps(row) for row in shown], url, more=more)


def _owner(store: Store, key: str) -> tuple[Object, int]:
    """The subscription that has the item, and where in it."""
    for record in store.shelves["subscriptions"].records.values():
        if key.encode() in record.full:
            obj = record.load()
            ids = [row["id"] for row in obj["items"]["data"]]
            if key in ids:
                return obj, ids.index(key)
    raise errors.missing("subscription item", key)


def _item(call: Call) -> bytes:
    obj, place = _owner(call.store, call.values["id"])
    return orjson.dumps(obj["items"]["data"][place])


def _new_item(call: Call) -> bytes:
    for name in ("subscription", "price"):
        if not call.params.get(name):
            raise errors.required(name)
    obj = writes.existing(call.store, "subscriptions", call.params["subscription"], param="subscription", status=400)
    price = writes.existing(call.store, "prices", call.params["price"], param="price", status=400)
    row = objects.item(call.store, obj, price, lists.integer("quantity", call.params.get("quantity", 1)))
    return _with_items(call, obj, [*obj["items"]["data"], row], row)


def _change_item(call: Call) -> bytes:
    obj, place = _owner(call.store, call.values["id"])
    rows = list(obj["items"]["data"])
    if "quantity" in call.params:
        rows[place] = rows[place] | {"quantity": lists.integer("quantity", call.params["quantity"])}
    if "metadata" in call.params:
        rows[place] = rows[place] | {"metadata": rows[place]["metadata"] | call.params["metadata"]}
    return _with_items(call, obj, rows, rows[place])


def _delete_item(call: Call) -> bytes:
    obj, place = _owner(call.store, call.values["id"])
    rows = list(obj["items"]["data"])
    gone = rows.pop(place)
    return _with_items(call, obj, rows, {"id": gone["id"], "object": "subscription_item", "deleted": True})


def _with_items(call: Call, obj: Object, rows: list[Object], answer: Object) -> bytes:
    new = objects.with_items(obj, rows)
    changes.change(call.store, "subscriptions", new, by="api", origin=call.origin)
    return orjson.dumps(answer)


def _add_lines(call: Call) -> bytes:
    obj = writes.existing(call.store, "invoices", call.values["id"])
    rows = list(obj["lines"]["data"])
    for number, wanted in enumerate(call.params.get("lines", [])):
        amount = lists.integer(f"lines[{number}][amount]", wanted.get("amount"))
        rows.append(objects.line(call.store, obj, amount, wanted.get("description")))
    new = changes.change(call.store, "invoices", objects.with_lines(obj, rows), by="api", origin=call.origin)
    return _one(call, "invoices", new)


def _table() -> dict[Route, Endpoint]:
    table: dict[Route, Endpoint] = {("GET", "/v1/account"): _account}
    for stream in KINDS:
        table["GET", f"/v1/{stream}"] = _listing(stream)
        table["GET", f"/v1/{stream}/{{id}}"] = _retrieve(stream)
        if stream != "events":
            table["POST", f"/v1/{stream}"] = _create(stream)
            table["POST", f"/v1/{stream}/{{id}}"] = _update(stream)
            table["DELETE", f"/v1/{stream}/{{id}}"] = _delete(stream)
    steps = {"finalize": _invoice_to("open"), "pay": _invoice_to("paid"), "void": _invoice_to("void")}
    for verb, do in steps.items():
        table["POST", f"/v1/invoices/{{id}}/{verb}"] = _step("invoices", do)
    table["POST", "/v1/payment_intents/{id}/confirm"] = _step("payment_intents", writes.confirm)
    table["POST", "/v1/payment_intents/{id}/cancel"] = _step("payment_intents", _cancel_intent)
    table["GET", "/v1/invoices/{id}/lines"] = _lines
    table["POST", "/v1/invoices/{id}/add_lines"] = _add_lines
    table["GET", "/v1/subscription_items"] = _items
    table["POST", "/v1/subscription_items"] = _new_item
    table["GET", "/v1/subscription_items/{id}"] = _item
    table["POST", "/v1/subscription_items/{id}"] = _change_item
    table["DELETE", "/v1/subscription_items/{id}"] = _delete_item
    return table


def _compiled(shape: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", shape))


_ROUTES = {route: (_compiled(route[1]), endpoint) for route, endpoint in _table().items()}
