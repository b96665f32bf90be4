"""A provider that changes while it is read, and a run that reads it in an order drawn by chance.

The provider is a dict with a log of its changes. Requests are asked, answered and written at different times, in any
order that the tasks could bring about; the run crashes between any two steps. Beside it somebody else reads and writes,
as whoever applies webhooks does, before, while and after the run does. Nothing here imitates our own code.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest

from storage import checkpoints, full_reads, runs
from storage.absentees import Absentees
from storage.errors import Fenced
from storage.loads import Load
from tests.fixtures.copies import THINGS, Copy, new_connection, thing

KEYS = ["a", "b", "c"]
OFTEN = [6, 2, 1]  # few keys, one more than the others: orders that matter are about one record
NAMES = ["X", "Y"]
PAGE = 1
STREAM = THINGS.stream
NOWHERE = -1

LOOK = """
    SELECT change_seq, s.cursor, s.rows,
           (SELECT array_agg(key) FROM syncline.reread WHERE connection_id = %(connection)s) AS rereads,
           (SELECT array_agg(p.id) FROM syncline.full_read f JOIN syncline.full_read_part p ON p.full_read_id = f.id
             WHERE f.connection_id = %(connection)s AND NOT p.done) AS parts,
           (SELECT jsonb_object_agg(id, jsonb_build_array(name, deleted_at IS NOT NULL, t.change_seq, raw))
              FROM shop.things t WHERE connection_id = %(connection)s) AS rows_by_key
      FROM syncline.connection c JOIN syncline.sync_state s ON s.connection_id = c.id AND s.stream = %(stream)s
     WHERE c.id = %(connection)s
"""


@dataclass
class Provider:
    """What is true, and what its change feed tells."""

    alive: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def set(self, key, name):
        """The record is *name* now; None: it is deleted."""
        self.alive = {other: self.alive[other] for other in self.alive if other != key}
        if name:
            self.alive[key] = name
        self.log.append(key)

    def page(self, after, until):
        """The first records past *after*, and where the read goes on, or None."""
        keys = sorted(key for key in self.alive if after < key <= until)
        more = keys[PAGE - 1] if len(keys) > PAGE else None
        return {key: self.alive[key] for key in keys[:PAGE]}, more


@dataclass(eq=False)
class Request:
    """Asked with a note; answered with what was true then; its load is to be written."""

    kind: str
    note: int
    part: int | None = None
    key: str = ""
    cursor: dict[str, Any] = field(default_factory=dict)
    answered: int = NOWHERE
    found: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    load: Load | None = None
    not_before: int = 0
    """Waits so long, in lines of the trace, before it may be written."""
    by_another: bool = False
    """Somebody else's, who holds no run lock."""

    def __str__(self):
        told = f" = {self.found or self.gone}" if self.load else ""
        return f"{self.kind} {self.part or self.key}{told} (note {self.note})"


@dataclass(frozen=True)
class Row:
    """A row of the copy. `state` is what the provider says of such a record: its name, or None when it is gone."""

    name: str
    deleted: bool
    change_seq: int
    raw: dict[str, str]

    @property
    def state(self):
        return None if self.deleted else self.name


class Interleaving:
    """One connection from its first read to a quiet end. `met` counts the orders that were met."""

    def __init__(self, db, chance, met: Counter):
        self.db, self.chance, self.met = db, chance, met
        self.provider = Provider()
        self.clock = 0
        self.read_at: dict[str, int] = {}  # by key, the time of which the copy's state is known to be
        self.read_by: dict[str, str] = {}
        self.rows: dict[str, Row] = {}
        self.rereads: list[str] = []
        self.cursor: dict[str, int] | None = None
        self.trace: list[str] = []

    async def start(self):
        self.copy = Copy(self.db, await new_connection(self.db))
        self.requests = []
        for key in self.chance.sample(KEYS, 2):
            self.provider.set(key, self.chance.choice(NAMES))
        await self._take_over()

    async def step(self):
        """Something that can happen now happens."""
        possible = {
            self.provider_changes: 6,
            self.begin_full_read: 3 * (not self.full_read),
            self.ask_for_a_page: 8 * bool(self._parts_to_ask),
            self.ask_by_id: 4,
            self.ask_for_a_list: 2,
            self.ask_for_changes: 4
            * bool(not self.full_read and self.cursor and all(each.kind != "feed" for each in self.requests)),
            self.answer: 8 * bool(self._open),
            self.write: 4 * bool(self._ripe),
            self.read_again: 3 * bool(self.rereads),
            self.ask_for_absentees: 9 * bool(self.full_read and not self.parts and self.absentees is None),
            self.finish_full_read: 9 * bool(self.full_read and self.absentees is not None),
            self.crash: 0.5 * bool(self.requests),
        }
        [action] = self.chance.choices(list(possible), list(possible.values()))
        self.trace.append(action.__name__)
        await action()

    # the provider

    async def provider_changes(self):
        key = self._key()
        states = {None, *NAMES} - {self.provider.alive.get(key)}
        self.provider.set(key, self.chance.choice(sorted(states, key=str)))
        self.trace.append(f"  {key} is {self.provider.alive.get(key)}")

    def _key(self):
        return self.chance.choices(KEYS, OFTEN)[0]

    # asking

    async def begin_full_read(self):
        """A full read begins and ends when nothing else of the run is under way for its stream, as in `tasks.plan`."""
        await self._settle(others=False)
        change_cursor = {"n": len(self.provider.log)}
        start = {"after": "", "until": "z"}
        run, db = self.copy.run, self.db
        begun = await full_reads.begin(db, run, {STREAM: [start]}, change_cursor=change_cursor, confirm_deletes=False)
        self.full_read = begun[STREAM]
        cut = self.chance.choice(["", "a", "b"])
        if cut:
            [part], _ = await full_reads.parts(db, self.full_read)
            halves = start | {"until": cut}, start | {"after": cut}
            _, after = full_reads.split(self.full_read, part, halves)
            await self.copy.commit(self.copy.load(self._note(), full_read=self.full_read.id, after=after))
        await self._find_parts()
        self.met["full read in parts" if cut else "full read in one"] += 1

    async def ask_for_a_page(self):
        part = self.chance.choice(self._parts_to_ask)
        self.requests.append(Request("page", self._note(), part=part, cursor=self.cursors[part]))

    async def ask_by_id(self):
        waits = self.chance.choices([0, 20], [2, 1])[0]
        by_another = self.chance.random() < 0.5
        self.requests.append(
            Request("id", self._note(), key=self._key(), not_before=len(self.trace) + waits, by_another=by_another)
        )

    async def ask_for_a_list(self):
        """A list outside of a full read."""
        by_another = bool(self.full_read) or self.chance.random() < 0.5
        self.requests.append(Request("list", self._note(), by_another=by_another))

    async def ask_for_changes(self):
        self.requests.append(Request("feed", self._note(), cursor=self.cursor))

    async def ask_for_absentees(self):
        absentees = Absentees.of_full_read(self.db, self.copy.connection_id, THINGS, self.full_read)
        keys = await absentees.after("", limit=100)
        assert await absentees.count() == (len(keys), sum(row.state is not None for row in self.rows.values()))
        self.absentees = [Request("id", self._note(), key=key) for key in keys]
        self.requests += self.absentees
        self.met["absentees asked"] += len(keys)
        self.met["absentees alive"] += len(self.provider.alive.keys() & keys)

    async def read_again(self):
        asked = {each.key for each in self._open}
        again = [key for key in self.rereads if key not in asked]
        self.requests += [Request("id", self.notes[-1], key=key) for key in again]
        self.met["read again"] += len(again)

    def _note(self):
        """The last counter this process committed, or an older one: that must always be safe."""
        lag = self.chance.choices([1, 2, 6], [8, 1, 1])[0]
        return self.notes[max(0, len(self.notes) - lag)]

    # answering

    async def answer(self):
        self.reply(self.chance.choice(self._open))

    def reply(self, request):
        self.clock += 1
        request.answered = self.clock
        fields = {"page": self._page, "feed": self._feed, "id": self._record, "list": self._list}[request.kind](request)
        records = [thing(key, name=name) for key, name in request.found.items()]
        request.load = self.copy.load(request.note, *records, **fields)
        self.trace.append(f"  {request}")

    def _page(self, request):
        request.found, more = self.provider.page(**request.cursor)
        onward = request.cursor | {"after": more} if more else None
        self.cursors[request.part] = onward
        checkpoint = full_reads.part_checkpoint(self.parts[request.part], onward or {}, done=not more)
        return {"full_read": self.full_read.id, "after": [checkpoint]}

    def _list(self, request):
        request.found = dict(self.provider.alive)
        return {}

    def _feed(self, request):
        log, alive = self.provider.log, self.provider.alive
        named = log[request.cursor["n"] :]
        request.gone = sorted({key for key in named if key not in alive})
        touched = [key for key in named if key in alive]
        after = [checkpoints.change_cursor(self.copy.connection_id, STREAM, {"n": len(log)})]
        return {"touched": touched, "deleted": request.gone, "after": after}

    def _record(self, request):
        if request.key in self.provider.alive:
            request.found = {request.key: self.provider.alive[request.key]}
            return {"read_by_id": [request.key]}
        request.gone = [request.key]
        return {"deleted": request.gone}

    # writing

    async def write(self):
        """Some of what was answered is committed at once: pages of a part in their order, all else in any."""
        chosen = []
        for _ in range(self.chance.choices([1, 2, 4], [6, 2, 1])[0]):
            if self._ripe:
                newest_first = sorted(self._ripe, key=lambda each: -each.answered)
                chosen.append(newest_first[0] if self.chance.random() < 0.5 else self.chance.choice(newest_first))
                self.requests.remove(chosen[-1])
        await self._commit(chosen)

    async def finish_full_read(self):
        await self._settle(others=False)
        after = full_reads.finished(self.copy.connection_id, self.full_read)
        await self._commit([], self.copy.load(self.notes[-1], after=after))
        self.full_read = self.absentees = None
        self.met["full read finished"] += 1

    async def crash(self):
        """What was not written is forgotten, and whoever still tries to write it is fenced off."""
        zombie, loads = self.copy.run, [each.load for each in self.requests if each.load and not each.by_another]
        self.met["crash within a full read"] += bool(self.full_read)
        await self._take_over()
        if loads:
            self.met["zombie fenced off"] += 1
            with pytest.raises(Fenced):
                await self.copy.commit(*loads, run=zombie)

    async def _take_over(self):
        """A new run knows what was committed, and nothing else."""
        start = runs._Start(uuid4(), self.copy.connection_id, None, "full", "cli")
        self.copy.run = await runs._begin(self.db, start)
        self.requests: list[Request] = [each for each in self.requests if each.by_another]
        self.notes = [await self.copy.note()]
        self.absentees: list[Request] | None = None
        self.full_read = (await full_reads.unfinished(self.db, self.copy.connection_id)).get(STREAM)
        await self._find_parts()

    async def _find_parts(self):
        left = (await full_reads.parts(self.db, self.full_read))[0] if self.full_read else []
        self.parts = {part.id: part for part in left}
        self.cursors = {part.id: part.cursor for part in left}

    async def _commit(self, chosen, *others):
        self.trace += [f"  commits {each}" for each in chosen]
        by_others = bool(chosen) and all(each.by_another for each in chosen) and not others
        run = replace(self.copy.run, epoch=None) if by_others else None
        done = await self.copy.commit(*[each.load for each in chosen], *others, run=run)
        self.notes.append(done.seq)
        [now] = await self.copy.ask(LOOK, {"connection": self.copy.connection_id, "stream": STREAM})
        before, self.rows = self.rows, {key: Row(*row) for key, row in (now["rows_by_key"] or {}).items()}
        self.cursor, self.rereads = now["cursor"], now["rereads"] or []
        self.parts = {part: self.parts[part] for part in now["parts"] or ()}
        self.cursors = {part: self.cursors[part] for part in self.parts}
        assert now["rows"] == sum(row.state is not None for row in self.rows.values())
        assert now["change_seq"] == done.seq
        self._check_change_seq(before)
        self._check_age(chosen, before)

    def _check_change_seq(self, before):
        """Whatever changed has a change_seq of its own, above all that was committed before."""
        last, counter = self.notes[-2:]
        assert len({row.change_seq for row in self.rows.values()}) == len(self.rows)
        assert before.keys() <= self.rows.keys()
        for key, row in self.rows.items():
            assert row.name == row.raw["name"]
            assert row == before.get(key) or last < row.change_seq <= counter

    def _check_age(self, chosen, before):
        """What a row shows was true no earlier than what it showed before; what is newer is to be read again."""
        for key in {key for each in chosen for key in [*each.found, *each.gone]}:
            told = [(each.answered, each.found.get(key)) for each in chosen if key in [*each.found, *each.gone]]
            was, shows = (rows[key].state if key in rows else None for rows in (before, self.rows))
            last = self.read_at.get(key, NOWHERE)
            known = [time for time, state in told if state == shows]
            if was == shows and key in self.rereads:
                known = []  # what is to be read again may have been left out of account
            at = max([last if was == shows else NOWHERE, *known])
            assert at >= last, f"an older state of {key} replaced a newer one"
            newest, state = max(told)
            if newest > at and state != shows:
                self.met["newer state not trusted, to be read again"] += 1
                assert key in self.rereads
            self.read_at[key] = at
            self._count(told, last, was, self.read_by.get(key))
            if at > last:
                by = next(each for each in chosen if each.answered == at)
                self.met["written by somebody else"] += by.by_another
                kind = {"id": "an id", "page": "a page", "feed": "a feed", "list": "a list"}[by.kind]
                self.read_by[key] = f"{kind} that found it {'equal' if was == shows else 'changed'}"

    def _count(self, told, last, was, by):
        late = [state for time, state in told if time < last and state != was]
        self.met["older state kept out"] += bool(late)
        if late:
            self.met[f"older state kept out after {by}"] += 1
        self.met["older state kept out of a tombstone or an absence"] += bool(late and was is None)
        self.met["older deletion kept off a row"] += None in late
        self.met["several states in one transaction"] += len({state for _, state in told}) > 1

    # what can be done now

    @property
    def _open(self):
        return [each for each in self.requests if not each.load]

    @property
    def _parts_to_ask(self):
        waiting = {each.part for each in self._open}
        return sorted(part for part, cursor in self.cursors.items() if cursor and part not in waiting)

    @property
    def _writable(self):
        pages = [each for each in self.requests if each.part is not None]
        first = {each.part: each for each in reversed(pages)}
        return [each for each in self.requests if each.load and first.get(each.part, each) is each]

    @property
    def _ripe(self):
        return [each for each in self._writable if each.not_before <= len(self.trace)]

    # the end

    async def come_to_rest(self):
        """The run goes on to its end while the provider is quiet; then the copy equals the provider."""
        self.trace.append("come to rest")
        await self._settle()
        if not self.full_read and not self.cursor:
            await self.begin_full_read()
        if self.full_read:
            await self._end_full_read()
        await self.ask_for_changes()
        await self._settle()
        await self._nothing_to_read_again()
        shown = {key: row.state for key, row in self.rows.items() if row.state}
        assert shown == self.provider.alive, (shown, self.provider.alive)

    async def _end_full_read(self):
        while self.parts:
            pages = [Request("page", self.notes[-1], part=part, cursor=cursor) for part, cursor in self.cursors.items()]
            self.requests += pages
            await self._settle()
        await self._nothing_to_read_again()
        if self.absentees is None:
            await self.ask_for_absentees()
        await self._settle()
        await self.finish_full_read()

    async def _settle(self, *, others=True):
        while concerned := [each for each in self.requests if others or not each.by_another]:
            for request in [each for each in self._open if each in concerned]:
                self.reply(request)
            chosen = [each for each in self._writable if each in concerned]
            self.requests = [each for each in self.requests if each not in chosen]
            await self._commit(chosen)

    async def _nothing_to_read_again(self):
        for _ in range(3):
            await self.read_again()
            await self._settle()
        assert self.rereads == []
