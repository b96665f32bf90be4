"""How much of Stripe's published limit a full read uses, and its worst second at the receiver."""

import json

import httpx

RECORDS, LATENCY, LIMIT = 20_000, 0.05, 25


def account(api_url):
    """The key of a test-mode account (25 requests a second) with 20,000 customers and 50 ms to every answer."""
    with httpx.Client(base_url=f"{api_url}/_sandbox/stripe", trust_env=False, timeout=120) as client:
        key = client.post("/keys", json={}).raise_for_status().json()["key"]
        client.post("/load", json={"stream": "customers", "count": RECORDS}, auth=(key, "")).raise_for_status()
        client.post("/settings", json={"latency": LATENCY}, auth=(key, "")).raise_for_status()
    return key


def measure(product, connection, api_url, account_id):
    """The share of the limit between the first and the last page, the busiest second, and what was refused."""
    httpx.delete(f"{api_url}/_sandbox/ledger", trust_env=False).raise_for_status()
    sync = product.command(
        "sync", connection, "--full", "--stream", "customers", "--json", SYNCLINE_STRIPE_API_URL=api_url
    )
    ledger = httpx.get(f"{api_url}/_sandbox/ledger", params={"account": account_id}, trust_env=False).json()
    rates = httpx.get(f"{api_url}/_sandbox/rates", params={"account": account_id}, trust_env=False).json()
    times = sorted(row["at"] for row in ledger["requests"])
    rate = (len(times) - 1) / (times[-1] - times[0])
    return {
        "share": rate / LIMIT,
        "busiest_second": rates["busiest_second"],
        "refused": rates["refused"],
        "requests": len(times),
        "read": json.loads(sync.output)["streams"]["customers"]["read"],
    }
