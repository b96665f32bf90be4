"""Fifty processes that need one expired token, whose refresh token is good for one use, at the same moment."""

import httpx

from benchmarks.measure import seen_of

WORKERS = 50
ROUTE = "/api/oauth.v2.access"

# In the product's environment: forks so many workers, which all ask for credentials at once; says the tokens they got.
ASK = """
import asyncio, json, multiprocessing, sys, time
from uuid import UUID
from deployments.parts import database_for_command

def ask(connection_id, at):
    from storage import connections
    from storage.database import open_database
    from tasks.request_book import RequestBook
    from tasks.tokens import credentials_of

    async def work():
        async with open_database(max_size=2) as db, RequestBook(db) as book:
            connection = await connections.get(db, UUID(connection_id))
            await asyncio.sleep(at - time.time())
            began = time.time()
            held = await credentials_of(db, book, connection)
            return held["access_token"], time.time() - began

    return asyncio.run(work())

if __name__ == "__main__":
    with database_for_command(), multiprocessing.get_context("fork").Pool(int(sys.argv[2])) as pool:
        at = time.time() + 5
        said = pool.starmap(ask, [(sys.argv[1], at)] * int(sys.argv[2]), chunksize=1)
        print(json.dumps({"tokens": len({token for token, _ in said}), "slowest": max(took for _, took in said)}))
"""


def workspace(base):
    """A workspace whose tokens rotate, with an access token that has ended; what a connection to it is."""
    with httpx.Client(base_url=f"{base}/_sandbox/slack", trust_env=False, timeout=120) as client:
        made = client.post("/workspace", json={"name": "Tokens", "app": {}}).raise_for_status().json()
        known = {"team": made["team"], "client_id": made["app"]["client_id"]}
        granted = client.post("/install", json=known).raise_for_status().json()
    credentials = {name: granted[name] for name in ("access_token", "refresh_token")} | {"expires_at": "0"}
    app = made["app"]
    settings = {
        "SYNCLINE_SLACK_API_URL": base,
        "SYNCLINE_SLACK_CLIENT_ID": app["client_id"],
        "SYNCLINE_SLACK_CLIENT_SECRET": app["client_secret"],
    }
    stored = {
        "connector": "slack",
        "user_id": "bench",
        "account": made["team"],
        "name": "Tokens",
        "scopes": granted["scope"].split(","),
        "credentials": credentials,
        "grant_key": f"slack {made['team']}",
    }
    return stored, settings


def measure(product, connection, base, team, settings):
    """How many token requests were made, and how long the last worker waited."""
    forget, ledger, _ = seen_of(base, team)
    forget()
    done = product.python(ASK, connection, str(WORKERS), **settings)
    asked = [row for row in ledger() if row["route"] == ROUTE]
    return {"requests": len(asked), "tokens": done.said["tokens"], "slowest": done.said["slowest"]}
