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

    assert {table: count for table, count in gone.items() if count} == {"api_request": 5}
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


@pytest.mark.parametrize(
    ("status", "days", "kept"),
    [
        ("applied", 29, 1),
        ("applied", 31, 0),
        ("ignored", 29, 1),
        ("ignored", 31, 0),
        ("pending", 4000, 1),
        ("failed", 4000, 1),
    ],
)
async def test_events_that_were_dealt_with_are_pruned(db, connection, status, days, kept):
    """After 30 days what was applied or ignored is forgotten; what waits or has failed never is."""
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO syncline.webhook_event
                   (connector, connection_id, provider_event_id, status, body, said, received_at)
            VALUES ('stripe', %s, 'evt_1', %s, '{}', '{}', now() - make_interval(days => %s))
            """,
            [connection.id, status, days],
        )

    await prune(db)

    assert len(await all_of(db, "SELECT FROM syncline.webhook_event")) == kept


async def test_the_setting_for_events(db, connection, monkeypatch):
    """SYNCLINE_WEBHOOK_RETENTION_DAYS says how long, and it alone."""
    monkeypatch.setenv("SYNCLINE_WEBHOOK_RETENTION_DAYS", "3")
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO syncline.webhook_event (connector, provider_event_id, status, body, said, received_at)
            SELECT 'stripe', 'evt_' || days, 'applied', '{}', '{}', now() - make_interval(days => days)
              FROM unnest(ARRAY[1, 2, 4, 5]) AS days
            """
        )

    assert (await prune(db))["webhook_event"] == 2
    assert len(await all_of(db, "SELECT FROM syncline.webhook_event")) == 2


async def test_channels_are_pruned_once_they_are_over(db, connection):
    """A stopped channel goes a day after its end, one that never began a day after it was asked for; others stay."""
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO syncline.push_channel
                   (id, connection_id, subject, address, token_hash, state, expires_at, tried_at)
            SELECT id, %s, '', 'http://127.0.0.1', '', state, now() + ends, now() + tried
              FROM (VALUES ('ended', 'stopped', interval '-25 hours', interval '-8 days'),
                           ('never began', 'stopped', NULL, interval '-25 hours'),
                           ('ended now', 'stopped', interval '-1 hour', interval '-8 days'),
                           ('may be delivered by', 'stopped', interval '1 hour', interval '-6 days'),
                           ('not renewed yet', 'active', interval '-25 hours', interval '-8 days'),
                           ('refused', 'refused', NULL, interval '-25 hours')) AS given(id, state, ends, tried)
            """,
            [connection.id],
        )

    assert (await prune(db))["push_channel"] == 2
    left = {row["id"] for row in await all_of(db, "SELECT id FROM syncline.push_channel")}
    assert left == {"ended now", "may be delivered by", "not renewed yet", "refused"}


async def test_cleared_alerts_are_pruned(db, connection):
    """An alert goes when it was cleared longer ago than the log is kept; an open one never does."""
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO syncline.alert (kind, service, connection_id, sentence, raised_at, cleared_at)
            SELECT kind, 'stripe', %s, 'Look.', now() - interval '1000 days', now() + cleared
              FROM (VALUES ('open', NULL), ('young', interval '-29 days'), ('old', interval '-31 days'))
                   AS given(kind, cleared)
            """,
            [connection.id],
        )

    assert (await prune(db))["alert"] == 1
    assert {row["kind"] for row in await all_of(db, "SELECT kind FROM syncline.alert")} == {"open", "young"}
