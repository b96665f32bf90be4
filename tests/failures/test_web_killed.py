"""kill -9 of the web application while deliveries come in."""

import asyncio
import json
import random
import subprocess
import sys
import time
from contextlib import suppress

import httpx
import psutil
import pytest

from tests.fixtures.deliveries import SECRET, signed
from tests.fixtures.sizes import size
from tests.fixtures.up import free_port

KILLS, AT_ONCE = size(12, 20), 12
# Imports everything once; for every line it is told, a child of it serves on that port until it is killed.
SERVES = """
import os, sys
from web.server import serve

for line in sys.stdin:
    if (child := os.fork()) == 0:
        serve("127.0.0.1", int(line), None)
        os._exit(0)
    print(child, flush=True)
"""


@pytest.fixture
def serving(web_environment):
    """Starts the application on a port; its process."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:

        async def start(port):
            print(port, file=server.stdin, flush=True)
            process = psutil.Process(int(await asyncio.to_thread(server.stdout.readline)))
            async with httpx.AsyncClient(trust_env=False, verify=False) as client:
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline:
                    with suppress(httpx.HTTPError):
                        if (await client.get(f"http://127.0.0.1:{port}/readyz")).is_success:
                            return process
                    await asyncio.sleep(0.02)
            pytest.fail("the application did not come up")

        yield start
        for child in psutil.Process(server.pid).children():
            child.kill()
        server.stdin.close()


@pytest.fixture
async def endpoint(stripe, sync, connect_to):
    """The connection's endpoint has a secret of its own; the path of its address."""
    await connect_to(stripe, webhook_secret=SECRET)
    return f"/webhooks/stripe/{sync.connection_id}"


def delivery(number, customer):
    made = {"id": f"evt_{number}", "object": "event", "type": "customer.created", "created": 5, "livemode": False}
    body = json.dumps(made | {"data": {"object": {"id": customer, "object": "customer"}}}).encode()
    return body, signed(body)


async def send(url, numbers, customers):
    """Those of the deliveries that were acknowledged."""

    async def one(client, number):
        body, headers = delivery(number, customers[number % len(customers)])
        with suppress(httpx.HTTPError):
            return (await client.post(url, content=body, headers=headers)).status_code == 200
        return False

    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client:
        told = await asyncio.gather(*(one(client, number) for number in numbers))
    return {number for number, acknowledged in zip(numbers, told, strict=True) if acknowledged}


@pytest.mark.timeout(240)
async def test_what_was_acknowledged_is_in_the_inbox(sync, stripe, invariants, serving, endpoint, rows):
    """Killed at random moments while a dozen deliveries are under way: what was answered with 200 is stored, what was
    not is delivered again and stored once, and the next run applies all of it.
    """
    seed = random.randrange(1_000_000)
    print(f"SEED={seed}")
    chance = random.Random(seed)
    await sync(full=True)
    customers = [stripe.create("customers", name=str(n))["id"] for n in range(10)]
    acknowledged, lost = set(), set()

    for kill in range(KILLS):
        port = free_port()
        process = await serving(port)
        numbers = range(kill * AT_ONCE, (kill + 1) * AT_ONCE)
        sending = asyncio.ensure_future(send(f"http://127.0.0.1:{port}{endpoint}", numbers, customers))
        await asyncio.sleep(chance.uniform(0, 0.15))  # they take about as long
        process.kill()
        known = await sending
        acknowledged |= known
        lost |= set(numbers) - known

    stored = [row["provider_event_id"] for row in rows("SELECT provider_event_id FROM syncline.webhook_event")]
    assert len(stored) == len(set(stored))
    assert {f"evt_{number}" for number in acknowledged} <= set(stored)
    assert acknowledged, "no delivery was quicker than the kill"
    assert lost, "no delivery met the kill"

    port = free_port()
    await serving(port)
    again = await send(f"http://127.0.0.1:{port}{endpoint}", sorted(lost), customers)
    assert again == lost
    events = rows("SELECT provider_event_id, status FROM syncline.webhook_event")
    assert sorted(event["provider_event_id"] for event in events) == sorted(f"evt_{n}" for n in range(KILLS * AT_ONCE))
    print(f"{KILLS} kills: {len(acknowledged)} acknowledged, {len(lost)} delivered again, {len(events)} stored once")

    await sync(linger=0)
    assert {row["status"] for row in rows("SELECT status FROM syncline.webhook_event")} == {"applied"}
    invariants.hold(stripe, sync.connection_id, streams=["customers"])
