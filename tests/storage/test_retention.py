from datetime import UTC, datetime, timedelta

import pytest

from storage import retention
from storage.requests import ApiRequest, store
from storage.retention import prune


def request(connection, *, days_old=0.0):
    return ApiRequest(
        connector="stripe",
        connection_id=connection.id,
        method="GET",
        route="/v1/customers/{id}",
        status=200,
        duration_ms=12,
        error=None,
        at=datetime.now(UTC) - timedelta(days=days_old),
    )


async def all_of(db, query):
    async with db.connection() as conn:
        return await (await conn.execute(query)).fetchall()


async def test_requests_are_kept_with_their_route_alone(db, connection):
    """What was asked of a provider is written down as a template; an answer that never came has no status."""
    await store(
        db,
        [
            request(connection),
            ApiRequest("stripe", None, "GET", "/v1/account", None, 60_000, "timeout", datetime.now(UTC)),
        ],
    )
    await store(db, [])

    assert await all_of(db, "SELECT route, status, duration_ms, error FROM syncline.api_request ORDER BY id") == [
        {"route": "/v1/customers/{id}", "status": 200, "duration_ms": 12, "error": None},
        {"route": "/v1/account", "status": None, "duration_ms": 60_000, "error": "timeout"},
    ]


async def test_the_log_of_requests_is_pruned_past_its_retention(db, connection, monkeypatch):
    """Requests older than the setting go, in batches; younger ones stay."""
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setenv("SYNCLINE_LOG_RETENTION_DAYS", "10")
    await store(db, [request(connection, days_old=days) for days in (0, 9.9, 10.1, 11, 12, 13, 14)])

    gone = await prune(db)

    assert gone == {"api_request": 5, "action": 0, "sync_run": 0, "read_mark": 0, "connect_session": 0}
    assert len(await all_of(db, "SELECT FROM syncline.api_request")) == 2


@pytest.mark.parametrize(("outcome", "days", "kept"), [("done", 29, 1), ("done", 31, 0), (None, 31, 1)])
async def test_runs_are_pruned_unless_they_are_under_way(db, connection, outcome, days, kept):
    """After 30 days a run is forgotten, but never one that has not ended."""
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO syncline.sync_run (connection_id, mode, trigger, epoch, outcome, started_at, ended_at)
            SELECT %s, 'full', 'cli', 1, outcome, at, CASE WHEN outcome IS NOT NULL THEN at END
            FROM (SELECT %s::text AS outcome, now() - make_interval(days => %s) AS at) AS given
            """,
            [connection.id, outcome, days],
        )

    await prune(db)

    assert len(await all_of(db, "SELECT FROM syncline.sync_run")) == kept


async def test_marks_of_reads_are_kept_a_day(db, connection):
    """A mark outlives every page that it could guard against, and not more."""
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO syncline.read_mark (connection_id, stream, key, seq, at)
            SELECT %s, 'customers', n::text, 1, now() - n * interval '1 hour' FROM unnest('{1,23,25,100}'::int[]) AS n
            """,
            [connection.id],
        )

    assert (await prune(db))["read_mark"] == 2
    assert await all_of(db, "SELECT key FROM syncline.read_mark ORDER BY key::int") == [{"key": "1"}, {"key": "23"}]
