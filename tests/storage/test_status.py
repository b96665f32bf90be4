import time
from datetime import UTC, datetime

import pytest

from storage import connections, runs
from storage.health import histories, services
from storage.runs import take_run
from storage.status import status

STREAMS = {"stripe": ["customers", "invoices"]}


async def note_runs(db, connection, *outcomes, mode="incremental", hours_ago=1):
    async with db.connection() as conn:
        await conn.cursor().executemany(
            """
            INSERT INTO syncline.sync_run (connection_id, mode, trigger, epoch, outcome, started_at, ended_at)
            VALUES (%s, %s, 'schedule', 0, %s, now() - make_interval(hours => %s), now() - make_interval(hours => %s))
            """,
            [(connection.id, mode, outcome, hours_ago, hours_ago) for outcome in outcomes],
        )


async def only(db, **how):
    [standing] = (await status(db, STREAMS, **how))["connections"]
    return standing


async def test_a_new_connection_is_shown_whole(db, connection):
    """A connection that was never synced shows every stream, with nothing in it and nothing wrong."""
    assert await only(db) == {
        "id": str(connection.id),
        "connector": "stripe",
        "user_id": "user-1",
        "account": "Account acct_1",
        "state": "active",
        "connected": True,
        "last_sync": None,
        "next_sync": None,
        "sync_in_progress": False,
        "progress": None,
        "records": 0,
        "error": None,
        "error_code": None,
        "action": None,
        "streams": [
            {
                "stream": stream,
                "available": True,
                "unavailable_reason": None,
                "rows": 0,
                "last_full_sync": None,
                "complete_from": None,
                "backlog": 0,
                "unreadable": [],
                "push": None,
            }
            for stream in STREAMS["stripe"]
        ],
        "health": {
            "service": "stripe",
            "status": "unknown",
            "last_success": None,
            "last_failure": None,
            "error_rate_24h": None,
            "runs_24h": 0,
        },
    }


async def test_streams_show_what_is_known_of_them(db, connection):
    """Rows, availability and the last full sync come from the stream's state, in the connector's own order."""
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO syncline.sync_state (connection_id, stream, available, rows, last_full_sync, last_sync)
            VALUES (%(id)s, 'invoices', false, 7, '2026-11-01T10:00:00Z', '2026-11-02T10:00:00Z'),
                   (%(id)s, 'customers', true, 5, NULL, '2026-11-03T10:00:00Z'),
                   (%(id)s, 'abandoned', true, 1, NULL, NULL)
            """,
            {"id": connection.id},
        )

    standing = await only(db)

    assert [(s["stream"], s["available"], s["rows"], s["last_full_sync"]) for s in standing["streams"]] == [
        ("customers", True, 5, None),
        ("invoices", False, 7, "2026-11-01T10:00:00Z"),
        ("abandoned", True, 1, None),
    ]
    assert standing["records"] == 13
    assert standing["last_sync"] == "2026-11-03T10:00:00Z"


async def test_a_run_under_way_shows_the_stream_that_it_is_at(db, connection):
    """Progress is that of the first stream that is not done."""
    at = {"records": 10, "parts_done": 1, "parts_total": None, "waiting_until": None, "done": True}
    async with take_run(db, connection.id, mode="full", trigger="cli") as run:
        await runs.progress(db, run, {"customers": at, "invoices": at | {"done": False, "parts_total": 4}}, {})
        standing = await only(db)
        await runs.end(db, run, "done", {})

    assert standing["sync_in_progress"] is True
    assert standing["progress"] == {
        "stream": "invoices",
        "records": 10,
        "parts_done": 1,
        "parts_total": 4,
        "waiting_until": None,
    }
    assert (await only(db))["sync_in_progress"] is False


async def test_a_dead_run_is_not_in_progress(db, connection):
    """A row that a killed process left open does not look like a sync."""
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO syncline.sync_run (connection_id, mode, trigger, epoch) VALUES (%s, 'full', 'cli', 1)",
            [connection.id],
        )

    assert (await only(db))["sync_in_progress"] is False


async def test_an_error_is_shown_with_what_to_do(db, connection):
    """A connection that needs its user shows the sentence and the action."""
    await connections.needs_reconnect(db, connection.id, "access_revoked", "Stripe asked us to reconnect.")

    standing = await only(db)

    assert (standing["state"], standing["connected"]) == ("needs_reconnect", False)
    assert (standing["error"], standing["error_code"]) == ("Stripe asked us to reconnect.", "access_revoked")
    assert standing["action"] == {"kind": "reconnect", "url": None}


async def test_a_confirmation_is_asked_for_until_a_full_sync_went_through(db, connection):
    """An incremental sync does not answer the question whether the deletions are meant; a full sync does."""
    await note_runs(db, connection, "needs_confirmation", mode="full", hours_ago=3)
    await note_runs(db, connection, "done", hours_ago=2)
    assert (await only(db))["action"] == {"kind": "confirm_deletes", "url": None}

    await note_runs(db, connection, "done", mode="full", hours_ago=1)

    assert (await only(db))["action"] is None


async def test_only_an_active_connection_has_a_next_sync(db, connection):
    """The schedule's word is passed on, for connections that will be synced."""
    soon = datetime(2026, 11, 25, 12, 15, tzinfo=UTC)
    assert (await only(db, next_sync=lambda _: soon))["next_sync"] == "2026-11-25T12:15:00Z"

    await connections.needs_reconnect(db, connection.id, "x", "Reconnect.")

    assert (await only(db, next_sync=lambda _: soon))["next_sync"] is None


@pytest.mark.parametrize(
    ("outcomes", "verdict", "rate"),
    [
        (["done"] * 199 + ["failed"], "healthy", 0.005),
        (["done"] * 99 + ["failed"], "degraded", 0.01),
        (["done"] * 9 + ["crashed"], "down", 0.1),
        (["skipped", "continued", "needs_confirmation"], "healthy", 0),
        ([], "unknown", None),
    ],
)
async def test_health_follows_the_share_of_failed_runs(db, connection, outcomes, verdict, rate):
    """Under 1 % failed is healthy, under 10 % degraded, else down; what only stopped early is no failure."""
    await note_runs(db, connection, *outcomes)

    health = (await only(db))["health"]

    assert (health["status"], health["error_rate_24h"], health["runs_24h"]) == (verdict, rate, len(outcomes))


async def test_health_looks_at_the_last_day_but_remembers_the_last_success(db, connection):
    """Runs older than a day do not count; when it last went well is still told."""
    await note_runs(db, connection, "done", "failed", hours_ago=25)

    health = (await only(db))["health"]

    assert (health["status"], health["runs_24h"]) == ("unknown", 0)
    assert health["last_success"] is not None
    assert health["last_failure"] is not None


async def test_a_service_is_all_its_connections(db, connect):
    """A connector's health adds its connections up; one that has none is there as well."""
    await note_runs(db, await connect(), "done", "done")
    await note_runs(db, await connect(account="acct_2"), "failed", "done")

    found = services(await histories(db), ["stripe", "slack"])

    assert [(s["service"], s["status"], s["runs_24h"], s["error_rate_24h"]) for s in found] == [
        ("slack", "unknown", 0, None),
        ("stripe", "down", 4, 0.25),
    ]
    assert (await status(db, STREAMS))["services"] == services(await histories(db), ["stripe"])


async def test_nothing_secret_is_in_it(db, connect):
    """Not even the ciphertext of the credentials leaves the table."""
    await connect(api_key="sk_canary")

    shown = repr(await status(db, STREAMS))

    assert "canary" not in shown
    assert "gAAAA" not in shown


async def test_a_thousand_connections_are_told_at_once(db):
    """With 1,000 connections, each with eight streams and a day of runs every 15 minutes, nothing is asked row by row.

    On an idle machine it takes less than 300 ms; the bound is for one that is busy.
    """
    async with db.connection() as conn:
        await conn.execute(
            """
            INSERT INTO syncline.connection (connector, user_id, external_account_id, mode, account, state)
            SELECT 'stripe', 'user-' || n, 'acct_' || n, 'live', 'Account', 'active' FROM generate_series(1, 1000) AS n
            """
        )
        await conn.execute(
            """
            INSERT INTO syncline.sync_run (connection_id, mode, trigger, epoch, outcome, started_at, ended_at)
            SELECT id, 'incremental', 'schedule', n, 'done', now() - n * m, now() - n * m
            FROM syncline.connection, generate_series(0, 191) AS n, (SELECT interval '15 min' AS m) AS step
            """
        )
        await conn.execute(
            """
            INSERT INTO syncline.sync_state (connection_id, stream, rows)
            SELECT id, 'stream_' || n, 5 FROM syncline.connection, generate_series(1, 8) AS n
            """
        )
        await conn.execute("VACUUM ANALYZE syncline.sync_run, syncline.sync_state, syncline.connection")

    began = time.perf_counter()
    found = await status(db)
    seconds = time.perf_counter() - began

    assert len(found["connections"]) == 1000
    assert found["services"][0]["runs_24h"] == pytest.approx(96_000, abs=1000)
    assert seconds < 5
