"""Listeners are told which streams changed, after the commit, and not for every commit."""

import asyncio
import json
import time
from uuid import uuid4

import pytest

from storage.database import Database
from storage.loader import Loader
from storage.notify import PAUSE_SECONDS, Notifier
from tests.fixtures.copies import thing


@pytest.fixture
async def heard(db):
    """`await heard(seconds)`: what was told on the channel so far, each as (time, connection, stream)."""
    async with db.session() as conn:
        await conn.execute("LISTEN syncline_changes")

        async def heard(seconds):
            found = []
            async for notice in conn.notifies(timeout=seconds):
                told = json.loads(notice.payload)
                found.append((time.monotonic(), told["connection_id"], told["stream"]))
            return found

        yield heard


async def test_a_commit_is_told(copy, heard):
    """Connection and stream are told once the rows can be read."""
    async with Notifier(copy.db) as notifier, Loader(copy.db, copy.run, notifier) as load:
        await load.add(copy.load(load.note, thing("a")))
        await load.flush()
        told = await heard(0.3)

    assert {(connection, stream) for _, connection, stream in told} == {(str(copy.connection_id), "things")}


async def test_many_changes_are_told_together(db, heard):
    """At most one notice per stream in every pause, however many commits there are, and none is forgotten."""
    one, other = uuid4(), uuid4()
    begun = time.monotonic()
    async with Notifier(db) as notifier:
        for _ in range(100):
            notifier.changed(one, "things")
            notifier.changed(other, "pairs")
            await asyncio.sleep(0.002)
    spent = time.monotonic() - begun

    told = await heard(0.3)

    assert {(connection, stream) for _, connection, stream in told} == {(str(one), "things"), (str(other), "pairs")}
    assert len(told) <= 2 * (spent / PAUSE_SECONDS + 2)


async def test_what_is_left_is_told_at_the_end(db, heard):
    """Closing the notifier sends what had not been sent."""
    async with Notifier(db) as notifier:
        notifier.changed(uuid4(), "things")

    assert len(await heard(0.3)) == 1


async def test_a_lost_database_is_no_failure(db, database_url):
    """The rows are committed and change_seq tells them; that nobody could be told stops nothing."""
    async with Database(database_url, max_size=1) as lost, Notifier(lost) as notifier:
        await lost.__aexit__()
        notifier.changed(uuid4(), "things")
        await asyncio.sleep(2 * PAUSE_SECONDS)

        assert not notifier._task.done(), "it has given up"
