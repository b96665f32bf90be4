import re
from datetime import timedelta
from uuid import uuid4

import pytest

from deployments.activity import event_line, run_line
from storage import activity, inbox, runs
from storage.inbox import Arrival

COUNTS = {"customers": {"read": 5, "written": 3, "unchanged": 2, "deleted": 1, "rejected": 0, "altered": 0}}


@pytest.fixture
def told(db, monkeypatch):
    """`await told()`: the lines of what was done since the last time, without their clock."""
    monkeypatch.setattr(activity, "QUIET", timedelta(0))
    since = None

    async def look():
        nonlocal since
        if since is None:
            since = await activity.now(db)
            return []
        done = await activity.done(db, since)
        since = done.until
        lines = [*map(run_line, done.runs), *map(event_line, done.events)]
        assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line, _ in lines)
        return [(line[9:], sign) for line, sign in lines]

    return look


async def test_a_run_is_told_when_it_ends(db, connection, told):
    """A sync under way is not told, one that ended is told once, one that failed with its sentence."""
    await told()
    async with runs.take_run(db, connection.id, mode="incremental", trigger="api") as run:
        assert await told() == []
        await runs.end(db, run, "done", COUNTS)
    [(line, sign)] = await told()
    assert re.fullmatch(r"stripe .+  incremental  4 changed, 0\.\d s", line)
    assert sign == ""
    assert await told() == []

    async with runs.take_run(db, connection.id, mode="full", trigger="api") as run:
        await runs.end(db, run, "failed", {}, error="Stripe asked us to reconnect.", error_code="key_refused")
    [(line, sign)] = await told()
    assert line.endswith("  full  failed: Stripe asked us to reconnect.")
    assert sign == "▲"


async def test_a_flow_run_of_many_is_one_line(db, connect, told):
    """Connections that one flow run syncs are told together, once all of them have ended."""
    one, other = await connect(account="acct_1"), await connect(account="acct_2")
    flow_run = uuid4()
    await told()
    async with runs.take_run(db, one.id, mode="full", trigger="schedule", flow_run_id=flow_run) as run:
        async with runs.take_run(db, other.id, mode="full", trigger="schedule", flow_run_id=flow_run) as second:
            await runs.end(db, second, "done", COUNTS)
        assert await told() == []
        await runs.end(db, run, "done", COUNTS)
    [(line, _)] = await told()
    assert re.fullmatch(r"stripe  full  2 connections, 8 changed, 0 failed, 0\.\d s", line)


async def test_what_was_pushed_is_told_when_it_is_applied(db, connection, told):
    """One event by its type, a burst by its number; what waits is not told."""
    await told()
    arrivals = [Arrival(connection.connector, connection.id, f"evt_{n}", "customer.updated", b"{}") for n in range(4)]
    await inbox.store(db, arrivals)
    assert await told() == []

    first, *others = await inbox.take(db, limit=10)
    await _apply(db, [first])
    [(line, _)] = await told()
    assert re.fullmatch(r"stripe .+  customer\.updated  applied in 0\.\d s", line)
    await _apply(db, others)
    [(line, _)] = await told()
    assert "  3 events  applied in " in line

    async with db.connection() as conn:
        await conn.execute(
            "UPDATE syncline.webhook_event SET received_at = now() - interval '3 hours', status = 'pending'"
        )
    await _apply(db, others)
    [(line, _)] = await told()
    assert line.endswith("  3 events  applied")


async def _apply(db, taken):
    async with db.connection() as conn:
        statement = inbox.applied([one.id for one in taken])
        await conn.execute(statement.query, statement.values)
