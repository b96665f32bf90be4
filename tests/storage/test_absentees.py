"""What a complete read has not met is absent, but only where that read has looked and absence proves something."""

import json
import time

import pytest
from psycopg import sql

from storage import full_reads
from storage.absentees import Absentees
from storage.loads import Load, Told
from tests.fixtures.copies import CHANNELS, PAIRS, new_copy, thing


def pair(channel, ts, **fields):
    return json.dumps({"channel_id": channel, "ts": ts} | fields).encode()


def key(channel, ts):
    return json.dumps([channel, ts])


@pytest.fixture
async def pairs(shop):
    """An empty copy of pairs, whose parents are channels."""
    made = await new_copy(shop, PAIRS)
    yield made
    await made.stack.aclose()


async def keys_of(absentees):
    found = await absentees.after("", limit=100)
    assert (await absentees.count())[0] == len(found)
    return found


def window(copy, start, **bounds):
    bounds = {"keys": [], "scope": None, "low": None, "high": None} | bounds
    return Absentees.of_window(copy.db, copy.connection_id, copy.table, start, **bounds)


def channels(copy, note, *records, **fields):
    """A load of channels on behalf of a copy of pairs."""
    load = copy.load(note, *records, **fields)
    return type(load)(CHANNELS, load.note, records=load.records, deleted=load.deleted)


async def test_only_what_lies_in_the_window(pairs):
    """Other channels and other times are not looked at; what was met, and what was written since, is not absent."""
    written = [("C1", "1.1"), ("C1", "2.2"), ("C1", "3.3"), ("C2", "2.2"), ("C1", "2.5")]
    await pairs.commit(pairs.load(0, *(pair(*each) for each in written)))
    start = await pairs.note()
    await pairs.commit(pairs.load(start, pair("C1", "2.5", name="new"), pair("C1", "2.6")))

    met = [key("C1", "2.1")]
    assert await keys_of(window(pairs, start, scope="C1", low="1.2", high="3.0", keys=met)) == [key("C1", "2.2")]
    assert await keys_of(window(pairs, start, scope="C1", low="2.2", high="3.3", keys=[key("C1", "2.2")])) == [
        key("C1", "3.3")
    ]
    assert await keys_of(window(pairs, start, scope="C3")) == []
    assert len(await keys_of(window(pairs, start))) == 4


async def test_only_rows_that_belong_there(pairs):
    """A window may be about the rows that belong to one of them, or about those that belong to none."""
    mine, others = [("3.3", "1.1"), ("4.4", "1.1")], [("5.5", "2.2")]
    rows = [pair("C1", ts, name=of) for ts, of in [*mine, *others]]
    await pairs.commit(pairs.load(0, pair("C1", "1.1", name="1.1"), pair("C1", "2.2"), *rows))
    start = await pairs.note()

    alone = window(pairs, start, scope="C1", high="4.4", belonging=("name", None))
    assert await keys_of(alone) == [key("C1", "1.1"), key("C1", "2.2")]
    met = [key("C1", "1.1"), key("C1", "3.3")]
    assert await keys_of(window(pairs, start, scope="C1", keys=met, belonging=("name", "1.1"))) == [key("C1", "4.4")]


async def test_a_full_read_speaks_only_for_what_it_covered(pairs):
    """Rows of a channel that could not be read are no candidates, until the channel itself is a tombstone."""
    await pairs.commit(
        pairs.load(0, pair("C1", "1.1"), pair("C2", "1.1"), pair("C3", "1.1")),
        channels(pairs, 0, thing("C1"), thing("C2"), thing("C3", open=True)),
    )
    starts = {"pairs": [{"c": 1}, {"c": 2}]}
    begun = await full_reads.begin(pairs.db, pairs.run, starts, change_cursor={"C9": 1}, confirm_deletes=False)
    full_read = begun["pairs"]
    parts, _ = await full_reads.parts(pairs.db, full_read)
    assert sorted(part.cursor["c"] for part in parts) == [1, 2]
    absentees = Absentees.of_full_read(pairs.db, pairs.connection_id, PAIRS, full_read)
    assert await keys_of(absentees) == []

    learned = [full_reads.progressed(full_read, covered=["C1"], learned={"C1": {"at": 5}})]
    await pairs.commit(pairs.load(0, full_read=full_read.id, after=learned))
    assert await keys_of(absentees) == [key("C1", "1.1")]
    await pairs.commit(channels(pairs, await pairs.note(), deleted=["C3"]))
    assert await keys_of(absentees) == [key("C1", "1.1"), key("C3", "1.1")]

    await pairs.commit(pairs.load(0, after=full_reads.finished(pairs.connection_id, full_read)))
    assert (await pairs.state())["cursor"] == {"C9": 1, "C1": {"at": 5}}


async def test_rows_of_retired_parents(pairs):
    """A tombstone of a channel makes its messages candidates, and no others."""
    await pairs.commit(
        pairs.load(0, pair("C1", "1.1"), pair("C2", "1.1")), channels(pairs, 0, thing("C1"), thing("C2", open=True))
    )
    start = await pairs.note()
    await pairs.commit(channels(pairs, start, deleted=["C2"]))
    orphans = Absentees.of_retired_parents(pairs.db, pairs.connection_id, PAIRS, await pairs.note())

    assert await keys_of(orphans) == [key("C2", "1.1")]
    nobody = Absentees.of_retired_parents(pairs.db, pairs.connection_id, CHANNELS, await pairs.note())
    assert await keys_of(nobody) == []


async def test_absence_that_proves_nothing(pairs):
    """Only rows whose columns say so can be absent: what is not open may merely be out of sight."""
    await pairs.commit(channels(pairs, 0, thing("C1", open=True), thing("C2", open=False), thing("C3")))
    absentees = Absentees.of_window(
        pairs.db, pairs.connection_id, CHANNELS, await pairs.note(), keys=[], scope=None, low=None, high=None
    )

    assert await keys_of(absentees) == ["C1"]


async def test_what_is_not_found_by_its_id(pairs):
    """The same holds for what was asked for and not found; what the provider itself tells of is gone all the same."""
    await pairs.commit(channels(pairs, 0, *(thing(name, open=name < "C3") for name in ("C1", "C2", "C3", "C4"))))
    note = await pairs.note()

    await pairs.commit(channels(pairs, note, deleted=["C1", "C3"]))
    told = Load(CHANNELS, note, told=[Told(thing("C4"), time.time(), gone=True)])
    await pairs.commit(told)

    query = sql.SQL("SELECT id FROM {} WHERE connection_id = %s AND deleted_at IS NOT NULL ORDER BY id")
    assert await pairs.ask(query.format(CHANNELS.identifier), pairs.connection_id) == [{"id": "C1"}, {"id": "C4"}]
    assert await pairs.ask("SELECT FROM syncline.reread WHERE connection_id = %s", pairs.connection_id) == []
