"""An incremental run that finds nothing new, over 1 and over 200 connections."""

import json
import time

import httpx

from benchmarks.product import RAISED

# In the product's environment: connects as many accounts as there are keys in the JSON list given.
CONNECT = """
import asyncio, json, sys
from deployments.parts import database_for_command

async def connect(keys):
    from storage.database import open_database
    from tasks.connect import connect_api_key
    async with open_database(max_size=4) as db:
        for key in keys:
            connection, _ = await connect_api_key(db, "stripe", "bench", {"api_key": key})
            print(connection.id)

with database_for_command():
    asyncio.run(connect(json.loads(sys.argv[1])))
"""
SYNC = """
import asyncio, sys
from deployments.parts import database_for_command, prefect_for_command
with database_for_command():
    prefect_for_command()
    from flows.incremental_sync import incremental_sync
    one = sys.argv[1] if len(sys.argv) > 1 else None
    asyncio.run(incremental_sync(connector="stripe", connection_id=one))
"""
OBJECTS = 5


def accounts(api_url, count):
    """Keys of so many new accounts with a few objects each; the objects are a week old, and so are no news."""
    keys = []
    with httpx.Client(base_url=f"{api_url}/_sandbox/stripe", trust_env=False) as client:
        for _ in range(count):
            keys.append(client.post("/keys", json={}).raise_for_status().json()["key"])
            auth = (keys[-1], "")
            client.post("/load", json={"stream": "customers", "count": OBJECTS}, auth=auth).raise_for_status()
    return keys


def measure(product, api_url, count):
    """CPU seconds of a run over one connection and over *count*, and the seconds that the latter took."""
    settings = {"SYNCLINE_STRIPE_API_URL": api_url, "PREFECT_LOGGING_LEVEL": "ERROR"}
    ids = product.python(CONNECT, json.dumps(accounts(api_url, count)), **settings).output.split()
    with product.up():
        # All of them are read for the first time; that is not what is measured.
        product.python(SYNC, **settings | {"SYNCLINE_STRIPE_RATE_LIMITS": RAISED})
        one = product.python(SYNC, ids[0], **settings)
        start = time.time()
        many = product.python(SYNC, **settings)
        seconds = time.time() - start
        if (done := product.runs_done()) != 2 * count + 1:
            raise SystemExit(f"{done} syncs were done where {2 * count + 1} should have been")
        return {"one": one.cpu, "many": many.cpu, "seconds": seconds, "peak_mb": many.peak_mb}
