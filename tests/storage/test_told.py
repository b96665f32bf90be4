"""Events that carry records come late, twice and in any order, between pages that are written late."""

import json
import os
import random
import time
from dataclasses import replace
from uuid import uuid4

import pytest

from connectors.columns import text
from storage import checkpoints, tables
from storage.loads import Told
from storage.runs import Run
from storage.tables import StreamTable
from tests.fixtures.copies import Copy, new_connection
from tests.fixtures.sizes import size

SEED = int(os.environ.get("TOLD_SEED", "1"))
RUNS = int(os.environ.get("TOLD_RUNS", size(100, 500)))
NOTES = StreamTable("shop", "notes", ("id",), {"name": text()}, versions=(("edited",), ("latest",)))


class Provider:
    """Records that change, its clock, and the events it tells of every change. Some changes leave no version."""

    def __init__(self, chance, now):
        self.chance, self.clock, self.alive, self.events = chance, now, {}, []

    def tick(self):
        self.clock += self.chance.choice([0.001, 0.3, 2.0])
        return self.clock

    def change(self):
        at = self.tick()
        key = self.chance.choice(["a", "b", "c", "d"])
        if key not in self.alive:
            if any(event.gone and json.loads(event.record)["id"] == key for event in self.events):
                return  # a deletion is for good
            self.alive[key] = {"id": key, "name": f"made {at}"}
            self._tell(key, at, made=True)
        elif self.chance.random() < 0.2:
            record = self.alive.pop(key)
            self.events.append(Told(json.dumps(record).encode(), at, gone=True))
        else:
            changed = {"name": f"{key} {at}"}
            kind = self.chance.choice(["edited", "latest", None])
            self.alive[key] = self.alive[key] | changed | ({kind: f"{at:017.6f}"} if kind else {})
            self._tell(key, at)

    def _tell(self, key, at, *, made=False):
        self.events.append(Told(json.dumps(self.alive[key]).encode(), at, made=made))


class Round:
    """One connection, from the first event to a quiet end."""

    def __init__(self, copy, chance):
        self.copy, self.chance = copy, chance
        self.provider = Provider(chance, time.time() - 1000)
        self.undelivered = []
        self.pages = []

    async def run(self):
        for _ in range(25):
            step = self.chance.choices([self.change, self.deliver, self.read, self.write], [5, 4, 2, 2])[0]
            await step()
        while self.undelivered:
            await self.deliver()
        while self.pages:
            await self.write()
        await self.read_again()
        shown = {key: row["raw"] for key, row in (await self.copy.rows()).items() if row["deleted_at"] is None}
        assert {key: json.loads(raw) for key, raw in shown.items()} == self.provider.alive

    async def change(self):
        before = len(self.provider.events)
        self.provider.change()
        self.undelivered += self.provider.events[before:]

    async def deliver(self):
        """Some events of any age; some of them will come again."""
        if not self.undelivered:
            return
        some = self.chance.sample(self.undelivered, self.chance.randint(1, len(self.undelivered)))
        self.undelivered = [event for event in self.undelivered if event not in some or self.chance.random() < 0.2]
        await self.copy.commit(self.copy.load(0, told=some))

    async def read(self):
        """A page of everything is answered; it is written later."""
        note, asked = await self.copy.note(), self.provider.tick()
        if self.chance.random() < 0.5:
            await self.change()
        records = [json.dumps(record).encode() for record in self.provider.alive.values()]
        if self.chance.random() < 0.5:
            await self.change()
        self.pages.append(self.copy.load(note, *records, read_between=(asked, self.provider.tick())))

    async def write(self):
        if self.pages:
            await self.copy.commit(self.pages.pop(self.chance.randrange(len(self.pages))))

    async def read_again(self):
        note = await self.copy.note()
        keys = await self.copy.rereads()
        found = [json.dumps(self.provider.alive[key]).encode() for key in keys if key in self.provider.alive]
        gone = [key for key in keys if key not in self.provider.alive]
        await self.copy.commit(self.copy.load(note, *found, read_by_id=keys, deleted=gone))


@pytest.fixture
async def notes(shop):
    async with shop.connection() as conn:
        await tables.ensure(conn, [NOTES])
    return shop


async def new_copy(db):
    """An empty copy of notes, written by somebody who takes turns with runs."""
    connection_id = await new_connection(db)
    await checkpoints.states(db, connection_id, [NOTES.stream])
    return Copy(db, connection_id, NOTES, Run(uuid4(), connection_id, None, None))


async def test_any_order(notes, capsys):
    """Duplicated, late and reordered events beside pages that are written late: every copy ends as the provider is."""
    begun = time.monotonic()
    for number in range(SEED * 1_000_000, SEED * 1_000_000 + RUNS):
        copy = await new_copy(notes)
        try:
            await Round(copy, random.Random(number)).run()
        except AssertionError as error:
            error.add_note(f"round {number}")
            raise
    with capsys.disabled():
        print(f"\n{RUNS} orders of events, seed {SEED}, {time.monotonic() - begun:.0f} s")


async def test_a_deletion_is_final(notes):
    """What is told, listed or replayed after a deletion does not bring the record back; the unknown is buried."""
    copy = await new_copy(notes)
    record, now = b'{"id": "a", "name": "x"}', time.time()
    await copy.commit(copy.load(0, told=[Told(record, now + 5, gone=True)]))
    for again in (Told(record, now, made=True), Told(b'{"id": "a", "edited": "9"}', now + 9)):
        await copy.commit(copy.load(0, told=[again]))

    rows = await copy.rows()

    assert rows["a"]["name"] == "x"
    assert rows["a"]["deleted_at"] is not None
    assert (await copy.state())["rows"] == 0


async def test_a_replay_weeks_later_changes_nothing(notes):
    """An event that is older than what is remembered overwrites nothing, and brings nothing back by itself."""
    copy = await new_copy(notes)
    note, now = await copy.note(), time.time()
    await copy.commit(copy.load(note, b'{"id": "a", "name": "now", "edited": "5"}'))
    before = await copy.rows()
    old = now - 29 * 86_400
    told = [
        Told(b'{"id": "a", "name": "old", "edited": "4"}', old),
        Told(b'{"id": "a", "name": "tie", "edited": "5"}', old),
    ]

    for one in (*told, Told(b'{"id": "b", "name": "unknown"}', old, made=True)):
        await copy.commit(copy.load(0, told=[one]))

    assert await copy.rows() == before
    assert await copy.rereads() == ["b"]


async def test_records_that_cannot_be_stored(notes):
    """What has no key or is no JSON is set aside, what only holds odd characters is mended, and the rest is stored."""
    copy = await new_copy(notes)
    now = time.time()
    bodies = [b'{"id": "a"}', b'{"name": "no key"}', b'{"id": "b", "name": "\\u0000"}', b"{", b'{"id": "c"}']

    done = await copy.commit(copy.load(0, told=[Told(body, now) for body in bodies]))

    assert sorted(await copy.rows()) == ["a", "b", "c"]
    assert {body for body, _ in await copy.rejected()} == {bodies[1], bodies[3]}
    counts = done.counts[NOTES.stream]
    assert (counts.read, counts.written, counts.rejected, counts.altered) == (5, 3, 2, 1)
    assert replace(counts, read=counts.written + counts.unchanged + counts.rejected) == counts
