"""Case 51: many processes on two hosts need one expired token, whose refresh token serves once."""

import asyncio
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fixtures.syncing import ROOT

WORKERS = 50
ROUNDS = 3
SLOW = [0.0, 12.0]
"""Seconds that the token endpoint takes: from nothing to longer than most would wait; at random in between."""


@pytest.fixture
async def ask(database_url, grant_slack):
    """`await ask(50)`: what so many processes got, that asked at the same moment."""
    script = str(Path(ROOT, "tests", "failures", "renewers.py"))
    connection_id = await grant_slack()
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, str(connection_id), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert await process.stdout.readline() == b"ready\n"

    async def asked(number):
        process.stdin.write(f"{number}\n".encode())
        async with asyncio.timeout(100):
            return json.loads(await process.stdout.readline())

    yield asked
    process.stdin.close()
    await process.wait()


async def test_one_token_request(ask, slack, grant_slack):
    """However slow the token endpoint is, all of them get the same new token, and it was asked for once."""
    seed = random.SystemRandom().randrange(10**9)
    dice = random.Random(seed)
    delays = [*SLOW, *(dice.uniform(0, 2) for _ in range(ROUNDS - len(SLOW)))]
    requests, took = 0, []
    for delay in delays:
        await grant_slack()
        slack.settings(latency=delay)
        before, began = len(slack.requests("oauth.v2.access")), time.monotonic()

        got = await ask(WORKERS)

        took.append(time.monotonic() - began - delay)
        assert [*got.values()] == [WORKERS], got
        assert not next(iter(got)).startswith("error")
        assert next(iter(got)) in {token["token"] for token in slack.tokens() if token["good"]}
        slack.settings(latency=0)
        requests += len(slack.requests("oauth.v2.access")) - before

    print(
        f"\nSEED={seed} rounds={ROUNDS} processes={WORKERS} token_requests={requests}"
        f" slowest_answer={max(delays):.0f} s, took {max(took):.1f} s on top at most"
    )
    assert requests == ROUNDS
