"""When somebody should look: what raises an alert, and what clears it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from storage import alarms, connections
from storage.alerts import open_alerts
from storage.disconnect import disconnect
from storage.requests import ApiRequest, store

HALF_AN_HOUR = timedelta(minutes=30)
SENTENCE = "Stripe has failed to answer."


async def ask(db, statuses, *, service="stripe", ago=0.0, error=None):
    at = datetime.now(UTC) - timedelta(seconds=ago)
    await store(db, [ApiRequest(service, None, "GET", "/v1/x", status, 3, error, at) for status in statuses])


async def kinds(db):
    return sorted(alert["kind"] for alert in await open_alerts(db))


async def ended(db, connection, *, minutes, outcome="done", mode="incremental"):
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO syncline.sync_run (connection_id, mode, trigger, outcome, epoch, started_at, ended_at)"
            " VALUES (%s, %s, 'schedule', %s, 1, now() - make_interval(mins => %s), now() - make_interval(mins => %s))",
            [connection.id, mode, outcome, minutes, minutes],
        )


async def signed_in(db, connection, *, minutes):
    async with db.connection() as conn:
        await conn.execute(
            "UPDATE syncline.connection SET signed_in_at = now() - make_interval(mins => %s) WHERE id = %s",
            [minutes, connection.id],
        )


@pytest.mark.parametrize(
    ("statuses", "raised"),
    [
        ([500] * 10, False),
        ([500] * 11, True),
        ([500, 502, 503, 504, 599] * 2 + [None], True),
        ([429] * 50, False),
        ([404] * 50, False),
        ([200] * 50, False),
    ],
)
async def test_more_than_ten_server_errors(db, statuses, raised):
    """The eleventh server error or missing answer within five minutes raises an alert; refusals and limits never do."""
    await ask(db, statuses)

    assert await alarms.look_for_server_errors(db, "stripe", SENTENCE) is raised
    assert await kinds(db) == (["server_errors"] if raised else [])


async def test_what_counts_is_of_this_service_and_of_late(db):
    """Errors of another service, those older than five minutes, and requests that we gave up ourselves do not count."""
    await ask(db, [500] * 30, service="slack")
    await ask(db, [500] * 30, ago=301)
    await ask(db, [None] * 30, error="cancelled")
    await ask(db, [500] * 10)

    assert not await alarms.look_for_server_errors(db, "stripe", SENTENCE)


async def test_many_who_look_raise_one(db):
    """However many processes find it at the same moment, one alert is open, and one of them has raised it."""
    await ask(db, [500] * 11)

    raised = await asyncio.gather(*(alarms.look_for_server_errors(db, "stripe", SENTENCE) for _ in range(8)))

    assert sorted(raised) == [False] * 7 + [True]


async def test_a_service_that_is_well_again(db):
    """The alert is cleared once there were ten or fewer in five minutes, and raised anew the next time."""
    await ask(db, [500] * 11)
    await alarms.look_for_server_errors(db, "stripe", SENTENCE)
    assert await alarms.clear_what_healed(db, HALF_AN_HOUR) == 0

    async with db.connection() as conn:
        await conn.execute("UPDATE syncline.api_request SET at = at - interval '6 minutes'")
    assert await alarms.clear_what_healed(db, HALF_AN_HOUR) == 1
    assert await kinds(db) == []

    await ask(db, [500] * 11)
    assert await alarms.look_for_server_errors(db, "stripe", SENTENCE)


async def test_a_connection_that_needs_its_user(db, connection):
    """The alert comes with the state, once, and goes when the user has signed in again."""
    for _ in range(2):
        await connections.needs_reconnect(db, connection.id, "reconnect", "Stripe asked us to reconnect.")
    [alert] = await open_alerts(db)
    assert (alert["kind"], alert["sentence"]) == ("needs_reconnect", "Stripe asked us to reconnect.")

    await connections.reconnect(
        db,
        connection.id,
        account=connection.external_account_id,
        name=connection.account,
        mode=connection.mode,
        scopes=[],
        credentials={"api_key": "sk_new"},
    )

    assert await kinds(db) == []


async def test_a_connection_that_was_let_go_of(db, connection):
    """Nobody is asked to look at what is disconnected."""
    await connections.needs_reconnect(db, connection.id, "reconnect", "Stripe asked us to reconnect.")
    await disconnect(db, connection.id)

    assert await kinds(db) == []


@pytest.mark.parametrize(
    ("runs", "stale"),
    [
        ([(29, "done")], False),
        ([(31, "done")], True),
        ([(31, "done"), (1, "failed"), (2, "crashed"), (3, "skipped")], True),
        ([(31, "done"), (5, "continued")], False),
        ([(31, "failed"), (5, "needs_confirmation")], False),
        ([], True),
    ],
)
async def test_a_connection_that_is_left_behind(db, connection, runs, stale):
    """An active connection whose last success is older than twice its schedule raises an alert; failures are none."""
    await signed_in(db, connection, minutes=300)
    for minutes, outcome in runs:
        await ended(db, connection, minutes=minutes, outcome=outcome)

    assert await alarms.look_for_stale(db, HALF_AN_HOUR) == int(stale)
    assert await alarms.look_for_stale(db, HALF_AN_HOUR) == 0


async def test_webhooks_hide_no_failing_sync(db, connection):
    """That webhooks are applied says nothing of the syncs."""
    await signed_in(db, connection, minutes=300)
    await ended(db, connection, minutes=1, mode="webhook")

    assert await alarms.look_for_stale(db, HALF_AN_HOUR) == 1


async def test_a_connection_that_has_just_come(db, connection):
    """Whoever has signed in within the last half an hour is not behind yet."""
    await signed_in(db, connection, minutes=29)

    assert await alarms.look_for_stale(db, HALF_AN_HOUR) == 0


async def test_a_connection_that_has_caught_up(db, connection):
    """A success clears the alert; so does pausing the connection."""
    await signed_in(db, connection, minutes=300)
    await alarms.look_for_stale(db, HALF_AN_HOUR)
    assert await alarms.clear_what_healed(db, HALF_AN_HOUR) == 0

    await ended(db, connection, minutes=1)

    assert await alarms.clear_what_healed(db, HALF_AN_HOUR) == 1
    assert await kinds(db) == []
