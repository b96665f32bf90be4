"""Case 5: a sync's process dies by SIGKILL while its access token is being renewed."""

import asyncio

import pytest

from tests.fixtures.proxy import Point, PostgresProxy

BEFORE = ["before send"]
LOST = ["after send", "mid-body", "before commit"]
"""The provider has answered, and nothing is kept: a refresh token that serves once is spent."""
AFTER = ["after commit"]
ROUNDS = 2


@pytest.fixture
async def postgres(points, database_url, granted):
    """Syncs reach Postgres by a proxy, which sees their commits."""
    proxy = PostgresProxy(points, database_url)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        granted.sync.environment["SYNCLINE_DATABASE_URL"] = proxy.address(server.sockets[0].getsockname()[1])
        yield proxy
        proxy.down()


@pytest.mark.parametrize("moment", [*BEFORE, *LOST, *AFTER])
async def test_the_next_run_goes_on_or_asks_for_a_new_sign_in(granted, postgres, points, rows, moment):
    """Where the refresh token still serves, or the new one was kept, the next run is done; where it is spent, that run
    asks for a new sign-in, and later ones ask the provider nothing.
    """
    del postgres
    kills = most = 0
    for _ in range(ROUNDS):
        assert await granted.again() == granted.connection_id
        before = granted.token_requests()
        under_way = await granted.sync.start()
        point = Point(moment, under_way.kill, granted.path)
        points.set(point)
        assert await under_way.result() is None
        assert point.happened
        points.set()
        kills += 1

        result = await granted.sync(None)
        later = await granted.sync(None)

        most = max(most, granted.token_requests() - before)
        [state] = rows("SELECT state, error_code FROM syncline.connection")
        if granted.rotates and moment in LOST:
            assert (result["outcome"], state["state"]) == ("failed", "needs_reconnect")
            assert "connect the workspace again" in result["error"]
            assert later["error_code"] == "connection_not_active"
        else:
            assert [result["outcome"], later["outcome"]] == ["done", "done"], (result, later)
            assert state == {"state": "active", "error_code": None}
    print(f"\nKILLS={kills} {moment!r} rotates={granted.rotates} token_requests={most}")
    assert most <= 2
