"""Deliveries acknowledged, the way from a delivery to its row, and how fast the inbox is drained."""

import json
import statistics
import time

import httpx
import psycopg

from benchmarks.measure import module, server

SECRET = "whsec_bench"
ACKNOWLEDGED, PACED, LANDED = 4_000, 1_000, 60
MESSAGES, OBJECTS, PER_SECOND = 5_000, 1_200, 60
LIMITS = json.dumps({"account": {"units": 1_000}, "endpoint": {"units": PER_SECOND}})
APPLIED = "SELECT count(*) FROM syncline.webhook_event WHERE status = 'applied' AND connection_id = %s"


def measure(product, sandbox):
    """Every figure of webhooks, from one `syncline up`."""
    stripe = _account(sandbox)
    team, slack = _workspace(sandbox)
    settings = {"SYNCLINE_STRIPE_API_URL": sandbox, "SYNCLINE_STRIPE_RATE_LIMITS": LIMITS, **slack["settings"]}
    product.environment |= settings
    connection = product.connect(f"{stripe['key']}\n{SECRET}", webhook_secret=True)
    workspace = product.store(slack["connection"])
    with product.up() as web, psycopg.connect(product.url, autocommit=True) as conn:
        for one in (connection, workspace):
            product.command("sync", one, "--full")
        address = f"{web}/webhooks/stripe/{connection}"
        api = httpx.Client(base_url=f"{web}/api/v1", headers={"Authorization": f"Bearer {product.token}"}, timeout=60)
        found = _acknowledged(product, conn, api, connection, address)
        found |= _landed(conn, sandbox, stripe, address)
        _slack(sandbox, "webhooks", team=team, url=f"{web}/webhooks/slack")
        found |= _drained_messages(conn, api, sandbox, team, workspace)
        found |= _drained_objects(conn, api, sandbox, stripe, connection)
    return {"webhooks": found}


def _acknowledged(product, conn, api, connection, address):
    """What one process takes while nothing is applied, beside the floor, in turns."""
    _pause(api, connection, paused=True)
    with server("benchmarks.bare_receiver", product.database("bare"), SECRET) as floor:
        module("benchmarks.deliverer", f"{floor}/webhook", SECRET, 500)
        module("benchmarks.deliverer", address, SECRET, 500)
        bare = [module("benchmarks.deliverer", f"{floor}/webhook", SECRET, ACKNOWLEDGED).said for _ in range(2)]
        ours = [module("benchmarks.deliverer", address, SECRET, ACKNOWLEDGED).said for _ in range(2)]
        paced = module("benchmarks.deliverer", address, SECRET, PACED, PACED / 5).said
    if {status for one in (*ours, paced) for status in one["statuses"]} != {"200"}:
        raise SystemExit(f"not all deliveries were acknowledged: {ours} {paced}")
    conn.execute("DELETE FROM syncline.webhook_event")
    _pause(api, connection, paused=False)
    return {
        "bare": max(one["rate"] for one in bare),
        "rate": max(one["rate"] for one in ours),
        "p99": paced["p99"],
    }


def _landed(conn, sandbox, stripe, address):
    """From the change at the provider to the row: the first one starts a run, the others find it lingering."""
    _stripe(sandbox, stripe, "webhooks", url=address, secret=SECRET)
    _until_idle(conn)
    took = []
    for number in range(LANDED + 1):
        began = time.perf_counter()
        made = _stripe(sandbox, stripe, "create", stream="customers", fields={"name": f"n{number}"})["id"]
        while conn.execute("SELECT 1 FROM stripe.customers WHERE id = %s", [made]).fetchone() is None:
            if time.perf_counter() - began > 60:
                raise SystemExit("a delivery did not land within a minute")
            time.sleep(0.005)
        took.append(time.perf_counter() - began)
    warm = took[1:]
    return {"cold": took[0], "median": statistics.median(warm), "slowest": statistics.quantiles(warm, n=100)[98]}


def _drained_messages(conn, api, sandbox, team, workspace):
    """Messages that wait in the inbox, from the first that is applied to the last."""
    _pause(api, workspace, paused=True)
    channel = _slack(sandbox, "create_channel", team=team, name="burst")["id"]
    for _ in range(MESSAGES // 500):
        _slack(sandbox, "shake", team=team, seed=1, times=500, only=["post"])
    _until(conn, "SELECT count(*) FROM syncline.webhook_event WHERE connection_id = %s", workspace, MESSAGES, channel)
    return {"messages": _rate(conn, api, workspace, MESSAGES)}


def _drained_objects(conn, api, sandbox, stripe, connection):
    """Objects that are read by their ids, at the limit in force; each was named by two events."""
    _pause(api, connection, paused=True)
    made = [_stripe(sandbox, stripe, "create", stream="customers", fields={})["id"] for _ in range(OBJECTS)]
    for one in made:
        _stripe(sandbox, stripe, "update", stream="customers", id=one, fields={"name": "again"})
    waiting = "SELECT count(*) FROM syncline.webhook_event WHERE status = 'pending' AND connection_id = %s"
    _until(conn, waiting, connection, 2 * OBJECTS)
    _pause(api, connection, paused=False)
    done = "SELECT count(*) FROM syncline.webhook_event WHERE status = 'pending' AND connection_id = %s"
    deadline = time.monotonic() + 300
    while conn.execute(done, [connection]).fetchone()[0] and time.monotonic() < deadline:
        time.sleep(0.1)
    reads = [
        row["at"]
        for row in httpx.get(f"{sandbox}/_sandbox/ledger", params={"account": stripe["account"]}, timeout=60).json()[
            "requests"
        ]
        if row["route"] == "/v1/customers/{id}" and row["method"] == "GET"
    ][-OBJECTS:]
    return {"share": (len(reads) - 1) / (reads[-1] - reads[0]) / PER_SECOND, "reads": len(reads) / OBJECTS}


def _rate(conn, api, connection, count):
    _pause(api, connection, paused=False)
    _until(conn, APPLIED, connection, count)
    query = """
        SELECT count(*) - count(*) FILTER (WHERE applied_at = first),
               extract(epoch FROM max(applied_at) - min(applied_at))
          FROM syncline.webhook_event, LATERAL (
              SELECT min(applied_at) AS first FROM syncline.webhook_event WHERE connection_id = %(id)s) AS f
         WHERE connection_id = %(id)s
    """
    applied, seconds = conn.execute(query, {"id": connection}).fetchone()
    return applied / float(seconds)


def _until(conn, query, connection, count, *_):
    deadline = time.monotonic() + 300
    while conn.execute(query, [connection]).fetchone()[0] < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"fewer than {count} events within five minutes")
        time.sleep(0.1)


def _until_idle(conn):
    """No run drains the inbox any more."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    deadline = time.monotonic() + 120
    while conn.execute(query).fetchone()[0] and time.monotonic() < deadline:
        time.sleep(0.2)


def _pause(api, connection, *, paused):
    api.patch(f"/connections/{connection}", json={"paused": paused}).raise_for_status()


def _account(sandbox):
    answer = httpx.post(f"{sandbox}/_sandbox/stripe/keys", json={"mode": "live"}, trust_env=False)
    stripe = answer.raise_for_status().json()
    _stripe(sandbox, stripe, "settings", account_limit=None, endpoint_limit=None)
    return stripe


def _stripe(sandbox, stripe, call, **body):
    headers = {"Authorization": f"Bearer {stripe['key']}"}
    answer = httpx.post(f"{sandbox}/_sandbox/stripe/{call}", json=body, headers=headers, trust_env=False, timeout=60)
    return answer.raise_for_status().json()


def _slack(sandbox, call, **body):
    answer = httpx.post(f"{sandbox}/_sandbox/slack/{call}", json=body, trust_env=False, timeout=120)
    return answer.raise_for_status().json()


def _workspace(sandbox):
    made = _slack(sandbox, "workspace", name="Webhooks")
    team, app = made["team"], made["app"]
    _slack(sandbox, "settings", team=team, limits=False)
    granted = _slack(sandbox, "install", team=team, lasting=True)
    stored = {"connector": "slack", "user_id": "bench", "account": team, "name": "Webhooks"}
    stored |= {"scopes": granted["scope"].split(","), "credentials": {"access_token": granted["access_token"]}}
    settings = {"SYNCLINE_SLACK_API_URL": sandbox, "SYNCLINE_SLACK_SIGNING_SECRET": app["signing_secret"]}
    return team, {"connection": stored, "settings": settings | {"SYNCLINE_SLACK_DISTRIBUTION": "internal"}}
