"""How much of a limit in units a full read of a mailbox uses, and whether its memory stays flat."""

import httpx

from benchmarks.measure import seen_of

RECORDS, FEW, LATENCY = 20_000, 2_000, 0.05
UNITS, A_MESSAGE, A_LIST = 4_000, 20, 5
"""Units a second, and what requests take of them: 200 messages a second, 40 times Google's own limit for a user."""
LIMITS = f'{{"user": {{"units": {UNITS}}}, "project": {{"units": 1000000}}}}'
SCOPES = ["https://www.googleapis.com/auth/gmail.readonly"]


def account(base, messages):
    """A mailbox with so many messages, 50 ms to every answer and no limits; what a connection to it is."""
    with httpx.Client(base_url=f"{base}/_sandbox/google", trust_env=False, timeout=120) as client:

        def call(name, /, **body):
            return client.post(name, json=body).raise_for_status().json()

        email = call("account")["email"]
        call("load", email=email, messages=messages)
        call("settings", email=email, latency=LATENCY, limits=False)
        granted = call("consent", email=email, scopes=SCOPES)
    return {
        "connector": "gmail",
        "user_id": "bench",
        "account": email,
        "name": email,
        "scopes": SCOPES,
        "credentials": {"access_token": granted["access_token"]},
    }


def measure(product, connection, base, email):
    """The share of the limit between the first and the last request, its busiest second, the peak of memory."""
    forget, ledger, rates = seen_of(base, email)
    forget()
    settings = {"SYNCLINE_GMAIL_API_URL": base, "SYNCLINE_GMAIL_RATE_LIMITS": LIMITS}
    sync = product.command("sync", connection, "--full", "--stream", "messages", "--json", **settings)
    rows = [row for row in ledger() if "/messages" in row["route"]]
    times = [row["at"] for row in rows]
    units = sum(A_MESSAGE if row["route"].endswith("{id}") else A_LIST for row in rows)
    found = rates()
    return {
        "share": units / (max(times) - min(times)) / UNITS,
        "busiest_second": found["busiest_second"],
        "refused": sum(row["status"] >= 400 for row in rows),
        "requests": len(rows),
        "read": sync.said["streams"]["messages"]["read"],
        "peak_mb": sync.peak_mb,
        "cpu": sync.cpu,
        "seconds": sync.seconds,
    }
