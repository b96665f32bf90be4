"""How much of a method's limit a full read of many channels uses."""

import httpx

from benchmarks.measure import seen_of

CHANNELS, MESSAGES, LATENCY = 200, 100, 0.05
PER_SECOND = 20
"""Requests a second for a method, 24 times Slack's own limit for history; the first page of a channel holds it all."""
METHODS = ("conversations.history", "conversations.list", "conversations.replies", "conversations.info", "users.list")
LIMITS = "{" + ", ".join(f'"{method}": {{"units": {PER_SECOND}}}' for method in METHODS) + "}"
ROUTE = "/api/conversations.history"


def workspace(base):
    """A workspace with its channels, 50 ms to every answer and no limits; what a connection to it is."""
    with httpx.Client(base_url=f"{base}/_sandbox/slack", trust_env=False, timeout=120) as client:

        def call(name, /, **body):
            return client.post(name, json=body).raise_for_status().json()

        made = call("workspace", name="Bench")
        team = made["team"]
        call("load", team=team, channels=CHANNELS, messages=MESSAGES)
        call("settings", team=team, latency=LATENCY, limits=False)
        granted = call("install", team=team, lasting=True)
    return {
        "connector": "slack",
        "user_id": "bench",
        "account": team,
        "name": "Bench",
        "scopes": granted["scope"].split(","),
        "credentials": {"access_token": granted["access_token"]},
    }


def measure(product, connection, base, team):
    """The share of the limit between the first and the last page of history, its busiest second."""
    forget, ledger, rates = seen_of(base, team)
    forget()
    settings = {
        "SYNCLINE_SLACK_API_URL": base,
        "SYNCLINE_SLACK_RATE_LIMITS": LIMITS,
        "SYNCLINE_SLACK_DISTRIBUTION": "internal",
    }
    sync = product.command("sync", connection, "--full", "--json", **settings)
    rows = [row for row in ledger() if row["route"] == ROUTE]
    times = sorted(row["at"] for row in rows)
    busiest = rates()["busiest_second_by_endpoint"]
    return {
        "share": (len(times) - 1) / (times[-1] - times[0]) / PER_SECOND,
        "busiest_second": max(count for name, count in busiest.items() if name.endswith(ROUTE)),
        "refused": sum(row["status"] == 429 for row in rows),
        "requests": len(rows),
        "read": sync.said["streams"]["messages"]["read"],
        "peak_mb": sync.peak_mb,
    }
