"""How much of a published rate the throttle lets through, and the worst second at the receiver.

    python benchmarks/throttle.py            all cases, about six minutes
    python benchmarks/throttle.py 25+25 3    one case: rates (joined by +, one bucket each), processes

Needs a migrated database (SYNCLINE_DATABASE_URL) and a Prefect server (PREFECT_API_URL).
"""

import asyncio
import bisect
import itertools
import json
import logging
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from uuid import uuid4

import httpx

from connectors.session import Bucket, Limit
from storage.database import open_database
from tasks.throttle import PrefectThrottle

SECONDS = float(os.environ.get("SECONDS_PER_CASE", "12"))
CASES = [(rate, processes) for rate in ("25", "100", "5", "0.83", "25+25", "100+25") for processes in (1, 3, 8)]
ASKERS = 6


def buckets(rates, scope):
    return [
        Bucket(
            "bench",
            f"bucket{i}",
            scope,
            Limit(float(rate) * (60 if float(rate) < 1 else 1), 60 if float(rate) < 1 else 1),
        )
        for i, rate in enumerate(rates.split("+"))
    ]


async def ask(rates, scope, port, seconds):
    """One process: a few askers, 50 ms per request. Says when it is ready, and begins when it is told to."""
    drawn = buckets(rates, scope)
    print("ready", flush=True)
    sys.stdin.readline()
    until = time.time() + seconds
    async with open_database(max_size=4) as db, PrefectThrottle(db) as throttle, httpx.AsyncClient(timeout=5) as http:

        async def one():
            while time.time() < until:
                await throttle.take(drawn, time.monotonic() + 60)
                await http.get(f"http://127.0.0.1:{port}/")

        await asyncio.gather(*(one() for _ in range(ASKERS)))


async def receive(arrivals):
    """A server that only notes when requests arrive, and answers after 50 ms."""

    async def serve(reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                arrivals.append(time.monotonic())
                await asyncio.sleep(0.05)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


def worst(arrivals, seconds):
    return max((bisect.bisect_left(arrivals, at + seconds) - i for i, at in enumerate(arrivals)), default=0)


async def measure(rates, processes):
    arrivals = []
    server = await receive(arrivals)
    port = server.sockets[0].getsockname()[1]
    slowest = min(float(rate) for rate in rates.split("+"))
    lasts = SECONDS if slowest >= 1 else 2.5 * SECONDS
    scope = uuid4().hex
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--ask", rates, scope, str(port), str(lasts), stdin=PIPE, stdout=PIPE
        )
        for _ in range(processes)
    ]
    for process in running:
        await process.stdout.readline()
    for process in running:
        process.stdin.write(b"go\n")
    end = time.monotonic() + lasts
    for process in running:
        await process.wait()
    server.close()
    arrivals.sort()
    # The first second is start-up; after `end` some processes have already stopped.
    steady = [at for at in arrivals if arrivals[0] + 1 < at < end]
    share = (len(steady) - 1) / (steady[-1] - steady[0]) / slowest
    gaps = Counter(round(b - a, 2) for a, b in itertools.pairwise(steady))
    return {
        "rates": rates,
        "processes": processes,
        "share": round(share, 3),
        "worst_second": worst(arrivals, 1.0),
        "worst_minute": worst(arrivals, 60.0),
        "gaps": dict(gaps.most_common(6)),
    }


async def cost(rounds=200_000):
    """Microseconds per take at a limit that is never reached."""
    drawn = buckets("1000000+1000000", uuid4().hex)
    async with open_database(max_size=4) as db, PrefectThrottle(db) as throttle:
        await throttle.take(drawn, time.monotonic() + 60)
        start = time.perf_counter()
        for _ in range(rounds):
            await throttle.take(drawn, time.monotonic() + 60)
        return (time.perf_counter() - start) / rounds * 1e6


async def main():
    if os.environ.get("VERBOSE"):
        logging.basicConfig(level=logging.WARNING)
        logging.getLogger("tasks.throttle").setLevel(logging.DEBUG)
    if sys.argv[1:2] == ["--ask"]:
        rates, scope, port, lasts = sys.argv[2:]
        await ask(rates, scope, int(port), float(lasts))
        return
    if sys.argv[1:2] == ["cost"]:
        print(f"{await cost():.1f} microseconds per take, two buckets")
        return
    cases = [(sys.argv[1], int(sys.argv[2]))] if len(sys.argv) > 2 else CASES
    for rates, processes in cases:
        print(json.dumps(await measure(rates, processes)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
