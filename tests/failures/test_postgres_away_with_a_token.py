"""Case 52: Postgres goes away right after the provider has given a new token."""

import asyncio

import pytest

from storage import connections
from tests.fixtures.proxy import Point, PostgresProxy

AWAY_SECONDS = 3.0


@pytest.fixture
async def postgres(points, database_url, granted):
    """Syncs reach Postgres by a proxy, which can be down."""
    proxy = PostgresProxy(points, database_url)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        granted.sync.environment["SYNCLINE_DATABASE_URL"] = proxy.address(server.sockets[0].getsockname()[1])
        yield proxy
        proxy.down()


@pytest.mark.parametrize("moment", ["before commit", "after commit"])
async def test_the_token_is_kept(granted, postgres, points, db, moment):
    """It is kept as soon as Postgres is back, the run that asked for it goes on with it, and it was asked for once."""
    before = await connections.credentials(db, granted.connection_id)

    def away():
        postgres.down()
        asyncio.get_running_loop().call_later(AWAY_SECONDS, postgres.up)

    point = Point(moment, away, granted.path)
    points.set(point)
    first = await granted.sync(None)
    points.set()
    assert point.happened
    second = await granted.sync()

    kept = await connections.credentials(db, granted.connection_id)
    assert kept["access_token"] != before["access_token"]
    assert (await connections.get(db, granted.connection_id)).state == "active"
    print(f"\nPostgres away {AWAY_SECONDS} s {moment}: first={first['outcome']} requests={granted.token_requests()}")
    assert (granted.token_requests(), second["outcome"]) == (1, "done")
