"""The process that sends an action dies by SIGKILL; another one is asked with the same key."""

import asyncio
import json
import os
import time
from uuid import uuid4

import pytest

from tests.fixtures.proxy import COMMIT_MOMENTS, HTTP_MOMENTS, HttpProxy, Point, PostgresProxy
from tests.fixtures.syncing import QUICK, Sync

ROUNDS = int(os.environ.get("ACTION_KILL_ROUNDS", "1"))
ENDED = {"succeeded", "failed", "unknown"}


@pytest.fixture
async def send(stage, staged, fork_server, points, database_url, tmp_path):
    """`await send(body, key)`: a process that does the action, by way of both proxies."""
    connection = await staged()
    web, postgres = HttpProxy(points, stage.url), PostgresProxy(points, database_url)
    servers = [await asyncio.start_server(proxy.serve, "127.0.0.1", 0) for proxy in (web, postgres)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    inherited = {name: value for name, value in os.environ.items() if name.startswith(("SYNCLINE_", "PREFECT_"))}
    through = {stage.address: f"http://127.0.0.1:{ports[0]}", "SYNCLINE_DATABASE_URL": postgres.address(ports[1])}

    async def start(body, key):
        reader, writer = await asyncio.open_unix_connection(str(fork_server), limit=2**24)
        pid = int(await reader.readline())
        job = {
            "connection": str(connection),
            "action": {"name": stage.action, "body": body, "key": key},
            "environment": inherited | through,
            "log": str(tmp_path / "actions.log"),
            "patience": QUICK,
            "retry_seconds": 0.05,
        }
        writer.write(json.dumps(job).encode() + b"\n")
        return Sync(pid, tmp_path / "actions.log", reader, writer)

    yield start
    for proxy in (web, postgres):
        proxy.down()
    for server in servers:
        server.close()


def moments(path):
    """Every side of the request, and of the COMMITs before and after it."""
    for moment in HTTP_MOMENTS:
        yield moment, path, 1, False
    for moment in COMMIT_MOMENTS:
        for nth in (1, 2):
            yield moment, path, nth, True
            yield moment, path, nth, False


async def test_killed_at_every_point(stage, send, points, rows):
    """However it dies, the write is there at most once, the row ends, and nobody waits two minutes for the dead."""
    kills, longest, ends = 0, 0.0, {}
    for moment, path, nth, from_the_start in list(moments(stage.path)) * ROUNDS:
        body, key = stage.body(), uuid4().hex
        under_way = await send(body, key)
        points.set(Point(moment, under_way.kill, path, nth))
        if from_the_start:
            points.armed.add(path)
        died = await under_way.result() is None
        kills += died
        points.set()

        since = time.monotonic()
        said = await asked_until_told(send, body, key)
        longest = max(longest, time.monotonic() - since)

        assert stage.done(body) <= 1, (moment, nth)
        assert said["outcome"] in ENDED, (moment, nth, said)
        assert said["outcome"] != "succeeded" or stage.done(body) == 1, (moment, nth)
        assert said["outcome"] != "failed" or stage.done(body) == 0, (moment, nth)
        assert not stage.proves or said["outcome"] == "succeeded", (moment, nth, said)
        ends[said["outcome"]] = ends.get(said["outcome"], 0) + 1
    print(f"\nKILLS={kills} connector={stage.connector} ends={ends} longest_wait={longest:.1f}s")
    assert kills >= 8 * ROUNDS
    assert longest < 120
    found = rows("SELECT status, count(*) FROM syncline.action GROUP BY status")
    assert {row["status"] for row in found} <= ENDED


async def asked_until_told(send, body, key):
    """What the next process is told, once nobody is thought to be at it any more."""
    deadline = time.monotonic() + 120
    while True:
        said = await (await send(body, key)).result()
        assert said is not None
        if said["outcome"] not in {"UnderWay", "Unsent"}:
            return said
        assert time.monotonic() < deadline, said
        await asyncio.sleep(0.1)
