"""The hand on the Google sandbox's other side: what a test does to an account, under `/_sandbox/google`.

Every call but `account`, `client` and `calls` names its account by its e-mail address, as `email`.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson

from sandbox.faults import Fault
from sandbox.google import calendar_control, loading, mail_control, push, routes, shaking, tokens
from sandbox.google.accounts import Account
from sandbox.google.calls import World
from sandbox.google.clients import COMMON, Grant, OAuthClient
from sandbox.google.errors import Failed
from sandbox.google.mishaps import KINDS
from sandbox.google.settings import DEMO_CLIENT, REVOKE, TOKEN
from sandbox.http import Request
from sandbox.provider import WrongCall
from sandbox.wire import Answer

Body = dict[str, Any]
Call = Callable[[World, Account, Body], Body]


def answer(world: World, request: Request, path: str) -> Answer:
    """Do what *path* (behind `/_sandbox/google/`) and the JSON body say."""
    body: Body = orjson.loads(request.body) if request.body else dict(request.params)
    if path in _FREE:
        return _json(_FREE[path](world, body))
    account = world.accounts.get(body.pop("email", None) or "")
    if account is None:
        raise WrongCall("name the account by its e-mail address as email")
    if path == "truth":
        return Answer(200, _truth(world, account, body), {"Content-Type": "application/octet-stream"})
    if path.startswith("webhooks"):
        return _json(push.control(world, account, path, body))
    calls = _CALLS | calendar_control.CALLS | mail_control.CALLS
    if path not in calls:
        raise WrongCall(f"no such call; there are {', '.join(sorted([*_FREE, 'truth', *calls]))}")
    try:
        return _json(calls[path](world, account, body))
    except Failed as failed:
        raise WrongCall(failed.message) from None


def _json(value: Any) -> Answer:
    return Answer(200, orjson.dumps(value), {"Content-Type": "application/json"})


def _new_account(world: World, body: Body) -> Body:
    """`{email?, name?, time_zone?}`: an account with a primary calendar and an empty mailbox."""
    email = body.get("email") or f"user-{secrets.token_hex(5)}@example.com"
    if email in world.accounts:
        raise WrongCall(f"there is {email} already")
    account = world.open_account(email, body.get("name") or email.partition("@")[0], body.get("time_zone", "UTC"))
    return {"email": email, "name": account.name, "sub": account.sub}


def _client(world: World, body: Body) -> Body:
    """`{id?, account?, name?, redirect_uris?, …}`: a client, new unless its id is known; offered to *account*."""
    known = world.registry.clients.get(body.get("id", ""))
    if known is None:
        number = secrets.randbelow(10**12)
        made = OAuthClient(
            f"{number:012d}-{secrets.token_hex(16)}.apps.googleusercontent.com", f"GOCSPX-{secrets.token_hex(14)}"
        )
        body.setdefault("id", made.id)
        known = world.registry.clients[body["id"]] = made
    if "account" in body:
        known.accounts.append(body.pop("account"))
    for name, value in body.items():
        getattr(known, name)
        setattr(known, name, value)
    return asdict(known)


def _calls(world: World, body: Body) -> Body:
    """The address of every method by its name."""
    del world, body
    return {route.name: [route.method, route.template] for route in routes.ROUTES}


def _owner(world: World, account: Account, body: Body) -> Grant | None:
    client = world.registry.clients[body.get("client_id") or DEMO_CLIENT["id"]]
    return world.registry.grant(account.email, client)


def _consent(world: World, account: Account, body: Body) -> Body:
    """`{client_id?, scopes?, offline?}`: tokens as the token endpoint gives them, without a browser."""
    client = world.registry.clients[body.get("client_id") or DEMO_CLIENT["id"]]
    scopes = tuple(body.get("scopes") or COMMON)
    grant = world.registry.open_grant(account.email, client, scopes)
    return tokens.told(world.registry, account, grant, scopes, offline=body.get("offline", True))


def _expire(world: World, account: Account, body: Body) -> Body:
    """`{token?}`: the account's access tokens, or one, have expired; refresh tokens are good as before."""
    ended = 0
    for access in world.registry.accesses.values():
        if access.grant.email == account.email and body.get("token") in (None, access.secret):
            access.expires_at, ended = account.clock.now(), ended + 1
    return {"expired": ended}


def _revoke(world: World, account: Account, body: Body) -> Body:
    """`{client_id?}`: the user has taken back what was granted to the client."""
    grant = _owner(world, account, body)
    return {"revoked": 0 if grant is None else world.registry.end(grant)}


def _forget(world: World, account: Account, body: Body) -> Body:
    """`{token}`: the token, of either kind, is good for nothing, and nothing else has changed."""
    del account
    if (access := world.registry.accesses.get(body["token"])) is not None:
        access.dead = True
    elif (found := world.registry.refreshes.get(body["token"])) is not None:
        found[1].dead = True
        found[0].refreshes.remove(found[1])
    return {}


def _tokens(world: World, account: Account, body: Body) -> Body:
    """Every token of the account there ever was, and whether it is good."""
    del body
    now, registry = account.clock.now(), world.registry
    rows = [(a.secret, "access", a.scopes, a.grant) for a in registry.accesses.values()]
    rows += [(r.secret, "refresh", r.scopes, grant) for grant, r in registry.refreshes.values()]
    mine = [
        {"token": s, "kind": kind, "scopes": scopes, "client_id": grant.client.id, "good": bool(registry.find(s, now))}
        for s, kind, scopes, grant in rows
        if grant.email == account.email
    ]
    return {"tokens": mine}


def _settings(world: World, account: Account, body: Body) -> Body:
    """`{latency?, limits?: bool, minute?, user?: {calendar, gmail}, project?, limit_status?, skew?, fixed?}`."""
    del world
    limits = account.limits
    account.latency = float(body.get("latency", account.latency))
    limits.on = bool(body.get("limits", limits.on))
    limits.minute = float(body.get("minute", limits.minute))
    limits.user |= body.get("user", {})
    limits.project |= body.get("project", {})
    limits.status = int(body.get("limit_status", limits.status))
    account.clock.skew = float(body.get("skew", account.clock.skew))
    account.clock.fixed = body.get("fixed", account.clock.fixed)
    told = {"latency": account.latency, "limits": limits.on, "minute": limits.minute, "user": limits.user}
    return told | {"project": limits.project, "limit_status": limits.status, "now": account.clock.now()}


def _fault(world: World, account: Account, body: Body) -> Body:
    """`{kind, call?, method?, route?, query?, after?, times?, options?}`; call is a method's name, token or revoke."""
    del world
    if body["kind"] not in KINDS:
        raise WrongCall(f"no such fault; there are {', '.join(sorted(KINDS))}")
    call = body.pop("call", None)
    if call in ("token", "revoke"):
        body["route"] = {"token": TOKEN, "revoke": REVOKE}[call]
    elif call is not None:
        body |= {"route": routes.BY_NAME[call].template, "method": routes.BY_NAME[call].method}
    account.faults.add(Fault(**body))
    return {"waiting": len(account.faults.waiting)}


def _lift(world: World, account: Account, body: Body) -> Body:
    """`{kind?}`: no more of these faults."""
    del world
    return {"lifted": account.faults.lift(body.get("kind"))}


def _faults(world: World, account: Account, body: Body) -> Body:
    """The faults that wait, and how many requests have met each."""
    del world, body
    waiting = account.faults.waiting
    return {"waiting": [{"kind": f.kind, "route": f.route, "times": f.times, "met": f.met} for f in waiting]}


def _shake(world: World, account: Account, body: Body) -> Body:
    """`{service?, seed?, times?, only?}`: random changes, the same for the same seed."""
    return {"done": shaking.shake(world, account, **body)}


def _load(world: World, account: Account, body: Body) -> Body:
    """`{messages?, events?, calendar?, seed?, spread?, size?}`: many at once, without a request for each."""
    return loading.load(world, account, **body)


def _truth(world: World, account: Account, body: Body) -> bytes:
    """Every record of a stream that the account may read, as the API gives it: `length key`, newline, the bytes."""
    stream = body["stream"]
    records = calendar_control.truth(world, account, stream) or mail_control.truth(account, stream)
    return b"".join(b"%d %s\n%s" % (len(record), key.encode(), record) for key, record in records)


_FREE: dict[str, Callable[[World, Body], Body]] = {"account": _new_account, "client": _client, "calls": _calls}
_CALLS: dict[str, Call] = {
    "consent": _consent,
    "expire": _expire,
    "fault": _fault,
    "faults": _faults,
    "forget": _forget,
    "lift": _lift,
    "load": _load,
    "revoke": _revoke,
    "settings": _settings,
    "shake": _shake,
    "tokens": _tokens,
}
