from datetime import UTC, datetime
from uuid import uuid4

import pytest

from storage import inbox, runs, tallies
from storage.inbox import Arrival
from storage.requests import ApiRequest, store
from storage.runs import Run

COUNTS = {"customers": {"read": 5, "written": 3, "unchanged": 2, "deleted": 1, "rejected": 0, "altered": 0}}


async def counted(db, name):
    return {tuple(one.labels): one.n for one in await tallies.totals(db) if one.name == name}


def arrival(connection, number, **said):
    return Arrival(connection.connector, connection.id, f"evt_{number}", "customer.updated", b"{}", **said)


def answered(status, *, error=None, waited_ms=0):
    return ApiRequest("stripe", None, "GET", "/v1/customers", status, 3, error, datetime.now(UTC), waited_ms)


async def test_a_run_is_counted_when_it_ends(db, connection):
    """A run under way counts nothing; one that has ended counts once, with what it did to records."""
    async with runs.take_run(db, connection.id, mode="incremental", trigger="api") as run:
        await runs.progress(db, run, {}, COUNTS)
        assert await counted(db, "runs") == {}
        await runs.end(db, run, "done", COUNTS)

    assert await counted(db, "runs") == {("incremental", "done"): 1}
    records = await counted(db, "records")
    assert records[("customers", "written")] == 3
    assert ("customers", "rejected") not in records


async def test_a_run_that_is_noted_again_adds_what_it_grew_by(db, connection):
    """A webhook sync notes itself as it goes: its records are counted once, and so is the run."""
    run = Run(uuid4(), connection.id, None, None)
    for written in (1, 4, 4):
        counts = {"customers": {"read": written, "written": written}}
        await runs.note_webhook(db, run, "webhook", counts, None)

    assert await counted(db, "runs") == {("webhook", "done"): 1}
    assert (await counted(db, "records"))[("customers", "written")] == 4


async def test_requests_are_counted_by_what_came_of_them(db):
    """By class of status; those that were too many apart, whatever status said so; and how long they waited."""
    await store(
        db,
        [
            answered(200, waited_ms=40),
            answered(204, waited_ms=2),
            answered(404),
            answered(429),
            answered(200, error="rate_limited"),
            answered(502),
            answered(None, error="timeout"),
        ],
    )

    assert await counted(db, "requests") == {("2xx",): 2, ("4xx",): 1, ("429",): 2, ("5xx",): 1, ("none",): 1}
    assert await counted(db, "waited_ms") == {(): 42}


async def test_events_are_counted_as_they_come_and_are_settled(db, connection):
    """A delivery twice is one event; what became of it counts once, with the time from its receipt to its row."""
    arrivals = [arrival(connection, 1), arrival(connection, 2), arrival(connection, 3, status="ignored")]
    await inbox.store(db, arrivals)
    await inbox.store(db, arrivals)
    taken = await inbox.take(db, limit=10)
    async with db.transaction() as conn:
        done = inbox.applied([event.id for event in taken])
        await conn.execute(done.query, done.values)

    assert await counted(db, "events") == {("received",): 3, ("ignored",): 1, ("applied",): 2}
    assert sum((await counted(db, "lag")).values()) == 2


@pytest.mark.parametrize("age", ["1 hour", "3 hours", "9 days", "400 days"])
async def test_folding_keeps_every_total(db, age):
    """Hours that are over take less room, and no total changes by it, however often it is done."""
    hour = f"date_trunc('hour', now() - interval '{age}', 'UTC')"
    async with db.connection() as conn:
        await conn.execute(
            f"INSERT INTO syncline.tally SELECT {hour}, 'runs', 'stripe', '{{full,done}}', g, 10 + g"
            " FROM generate_series(0, 3) g"
        )
    before = await counted(db, "runs")

    await tallies.fold(db)
    await tallies.fold(db)

    assert await counted(db, "runs") == before == {("full", "done"): 46}
    async with db.connection() as conn:
        left = await (await conn.execute("SELECT count(*) AS n FROM syncline.tally")).fetchone()
    assert left["n"] == (4 if age == "1 hour" else 1)


async def test_an_hour_is_told_by_itself(db):
    """Each of the last hours has its own counts; what is older is in none of them."""
    await store(db, [answered(200), answered(200)])
    async with db.connection() as conn:
        await conn.execute(
            "INSERT INTO syncline.tally SELECT date_trunc('hour', now(), 'UTC') - make_interval(hours => h),"
            " 'requests', 'stripe', '{2xx}', 0, h FROM unnest('{1,24}'::int[]) AS h"
        )

    found = [one for one in await tallies.by_hour(db, 24) if one.name == "requests"]

    assert [one.n for one in found] == [1, 2]
    assert found[0].hour < found[1].hour
