"""The hand on the Stripe sandbox's other side: what a test does to an account, under `/_sandbox/stripe`.

Every call but `keys` names its account by carrying a key of it, as the API does; a revoked key still serves here.
"""

import base64
from collections.abc import Callable
from typing import Any

import orjson

from sandbox.faults import Fault
from sandbox.http import Request
from sandbox.provider import WrongCall
from sandbox.stripe import changes, events
from sandbox.stripe.accounts import Accounts, Key, bearer
from sandbox.stripe.kinds import KINDS
from sandbox.stripe.load import YEAR, load
from sandbox.stripe.mishaps import KINDS as FAULTS
from sandbox.stripe.store import Store
from sandbox.stripe.versions import checked
from sandbox.stripe.webhooks import Webhooks, call_of
from sandbox.wire import Answer

Body = dict[str, Any]


def answer(accounts: Accounts, webhooks: Webhooks, request: Request, path: str) -> Answer:
    """Do what *path* (behind `/_sandbox/stripe/`) and the JSON body say."""
    body: Body = orjson.loads(request.body) if request.body else dict(request.params)
    if path == "keys":
        return _json(_new_key(accounts, body))
    key = accounts.keys.get(bearer(request.headers.get("authorization")) or "")
    if key is None:
        raise WrongCall("send a key of the account as the API's own Authorization header")
    if path == "truth":
        return Answer(200, _truth(key.store, body), {"Content-Type": "application/octet-stream"})
    if path == "revoke":
        key.revoked = not body.get("restore", False)
        return _json({"revoked": key.revoked})
    if path == "webhooks":
        account = None if body.get("connect") else key.store.account
        return _json(webhooks.register(account, key.store.mode if account else None, body))
    if path.startswith("webhooks/"):
        return _json(webhooks.courier.control(key.store.account, call_of(path), body))
    if path not in _CALLS:
        raise WrongCall(f"no such call; there are {', '.join(sorted([*_CALLS, 'keys', 'truth', 'revoke']))}")
    try:
        return _json(_CALLS[path](key.store, body))
    except KeyError as error:
        raise WrongCall(f"missing or unknown: {error}") from error


def _json(value: Any) -> Answer:
    return Answer(200, orjson.dumps(value), {"Content-Type": "application/json"})


def _new_key(accounts: Accounts, body: Body) -> Body:
    """`{account?, mode?, prefix?, forbidden?}`: a key, for a new account unless one is named."""
    key: Key = accounts.open(
        account=body.get("account"),
        mode=body.get("mode", "test"),
        prefix=body.get("prefix", "sk"),
        secret=body.get("key"),
        forbidden=tuple(body.get("forbidden", ())),
    )
    return {"key": key.secret, "account": key.store.account, "mode": key.store.mode}


def _create(store: Store, body: Body) -> Body:
    """`{stream, fields, event?}`: the new object."""
    return changes.create(store, body["stream"], body.get("fields", {}), event=body.get("event", True))


def _update(store: Store, body: Body) -> Body:
    """`{stream, id, fields, event?}`: the object with these fields set."""
    return changes.update(store, body["stream"], body["id"], body["fields"], event=body.get("event", True))


def _delete(store: Store, body: Body) -> Body:
    """`{stream, id, event?}`: gone, whatever the API would have allowed."""
    gone = changes.delete(store, body["stream"], body["id"], event=body.get("event", True))
    if gone is None:
        raise KeyError(body["id"])
    return {"id": body["id"], "deleted": True}


def _load(store: Store, body: Body) -> Body:
    """`{stream, count, seed?, spread?, size?}`: that many objects at once."""
    options = {"spread": body.get("spread", YEAR), "size": body.get("size", 1000)}
    ends = load(store, body["stream"], body["count"], seed=body.get("seed", 0), **options)
    return {"count": body["count"], "oldest": ends and ends[0], "newest": ends and ends[1]}


def _raw(store: Store, body: Body) -> Body:
    """`{stream, body (base64), id?, created?}`: bytes put into the list as they are."""
    key = body.get("id") or store.new_id(KINDS[body["stream"]].prefix)
    store.put_raw(body["stream"], key, base64.b64decode(body["body"]), body.get("created"))
    return {"id": key}


def _shake(store: Store, body: Body) -> Body:
    """`{streams, seed, times?, only?}`: random changes, the same for the same seed."""
    times = body.get("times", 1)
    return {"done": changes.shake(store, body["streams"], seed=body["seed"], times=times, only=body.get("only"))}


def _event(store: Store, body: Body) -> Body:
    """`{type, stream, id, created?, count?}`: an event about an object, once or several times over."""
    obj = store.find(body["stream"], body["id"]) or {"id": body["id"], "object": KINDS[body["stream"]].object}
    ids = [events.emit(store, body["type"], obj, created=body.get("created")) for _ in range(body.get("count", 1))]
    return {"ids": ids}


def _events(store: Store, body: Body) -> Body:
    """`{delay?: [min, max], permute?: seed, repeat?: n}`: the feed is late, in another order, or says things twice."""
    if "delay" in body:
        store.event_delay = (float(body["delay"][0]), float(body["delay"][1]))
    shelf = store.shelves["events"]
    if "permute" in body:
        store.random.seed(body["permute"])
        rows = [record.load() for record in shelf.records.values()]
        times = [row["created"] for row in rows]
        store.random.shuffle(times)
        for row, created in zip(rows, times, strict=True):
            events.keep(store, row | {"created": created})
    for _ in range(body.get("repeat", 0)):
        for record in list(shelf.records.values()):
            events.keep(store, record.load() | {"id": store.new_id("evt_1")})
    return {"count": len(shelf.records)}


def _settings(store: Store, body: Body) -> Body:
    """`{latency?, account_limit?, endpoint_limit?, skew?, fixed?, api_version?, deleted_cursors?}`: as they are."""
    store.latency = float(body.get("latency", store.latency))
    store.limits.account = body.get("account_limit", store.limits.account)
    store.limits.endpoint = body.get("endpoint_limit", store.limits.endpoint)
    store.clock.skew = float(body.get("skew", store.clock.skew))
    store.clock.fixed = body.get("fixed", store.clock.fixed)
    store.api_version = checked(body.get("api_version", store.api_version))
    store.deleted_cursors = bool(body.get("deleted_cursors", store.deleted_cursors))
    return {
        "latency": store.latency,
        "account_limit": store.limits.account,
        "endpoint_limit": store.limits.endpoint,
        "now": store.clock.now(),
        "api_version": store.api_version,
    }


def _fault(store: Store, body: Body) -> Body:
    """`{kind, method?, route?, query?, after?, times?, options?}`: something goes wrong with requests to come."""
    if body["kind"] not in FAULTS:
        raise WrongCall(f"no such fault; there are {', '.join(sorted(FAULTS))}")
    store.faults.add(Fault(**body))
    return {"waiting": len(store.faults.waiting)}


def _lift(store: Store, body: Body) -> Body:
    """`{kind?}`: no more of these faults."""
    return {"lifted": store.faults.lift(body.get("kind"))}


def _faults(store: Store, body: Body) -> Body:
    """The faults that wait, and how many requests have met each."""
    del body
    return {
        "waiting": [{"kind": f.kind, "route": f.route, "times": f.times, "met": f.met} for f in store.faults.waiting]
    }


def _truth(store: Store, body: Body) -> bytes:
    """Every object that a list shows, with complete nested lists, each as a line `LENGTH ID` and its bytes.

    With `unlisted` also those that only a retrieve shows.
    """
    records = store.shelves[body["stream"]].records.values()
    return b"".join(
        b"%d %s\n%s" % (len(record.full), record.id.encode(), record.full)
        for record in records
        if record.listed or body.get("unlisted")
    )


_CALLS: dict[str, Callable[[Store, Body], Body]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
    "load": _load,
    "raw": _raw,
    "shake": _shake,
    "event": _event,
    "events": _events,
    "settings": _settings,
    "fault": _fault,
    "lift": _lift,
    "faults": _faults,
}
