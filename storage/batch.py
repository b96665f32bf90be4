"""What one transaction of a run writes."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self
from uuid import UUID

import psycopg

from storage import checkpoints
from storage.cancelled import bury
from storage.checkpoints import Statement
from storage.database import Conn
from storage.loads import Counts, Load, can_name_a_row
from storage.page_sql import retire_keys
from storage.rejected import refusal, set_aside
from storage.runs import Run
from storage.told import remember, sort
from storage.write_records import NotTogether, Target, Written, received, send, write_records

TRANSACTION_SECONDS = 0.25
GROUP_RECORDS = 500
AHEAD = 16
"""Statements that are sent at most before the first of them is answered."""
STALE_SECONDS = 600
"""A read older than this when it would be written is done again: marks against it are not kept for ever."""


class StaleRead(Exception):
    """What was read has waited too long to be trusted; nothing of it was written."""


class Batch:
    """What one transaction writes. `seq` is the connection's counter as this transaction moves it; `took` the seconds
    that a group of loads last took, at first so many that none is sent before the one in front of it is answered.
    """

    def __init__(self, conn: Conn, run: Run, seq: int, took: float = TRANSACTION_SECONDS) -> None:
        self._conn = conn
        self._connection_id: UUID = run.connection_id
        self._alive: dict[str, int] = {}
        self._after: dict[str, Statement] = {}
        self.seq = seq
        self.took = took
        self.counts: dict[str, Counts] = {}
        self.loads = 0

    async def write(self, loads: Sequence[Load]) -> Self:
        """As many of the loads as fit into the time, at least one."""
        until = time.monotonic() + TRANSACTION_SECONDS
        groups = list(_groups(loads))
        done = 0
        while done < len(groups) and (done == 0 or time.monotonic() < until):
            began = time.monotonic()
            fitting = int((until - began) / self.took) if self.took else AHEAD
            ahead = _plain(groups[done : done + max(1, min(fitting, AHEAD))])
            await self._write_groups(ahead)
            if any(load.records for group in ahead for load in group):  # a mere checkpoint takes no time
                self.took = (time.monotonic() - began) / len(ahead)
            done += len(ahead)
            self.loads += sum(map(len, ahead))
        await self._end()
        return self

    async def _write_groups(self, groups: Sequence[Sequence[Load]]) -> None:
        if any(time.monotonic() - load.read_at > STALE_SECONDS for group in groups for load in group):
            raise StaleRead
        if len(groups) == 1 or not await self._write_ahead(groups):
            for group in groups:
                await self._write_group(group)

    async def _write_ahead(self, groups: Sequence[Sequence[Load]]) -> bool:
        """Whether all groups were written, each sent before the one in front of it is answered.

        Postgres then never waits for this process. Nothing is written when something is odd with one of them.
        """
        joined = [_joined(group) for group in groups]
        sent = []
        seq = self.seq
        try:
            async with self._conn.transaction():
                async with self._conn.pipeline():
                    for load in joined:
                        sent.append(await send(self._conn, self._target(load), load.records, seq))
                        seq += len(load.records)
                answers = [
                    await received(cursor, self._target(load), load.records, one_page=len(group) == 1)
                    for cursor, load, group in zip(sent, joined, groups, strict=True)
                ]
        except NotTogether:
            return False
        except psycopg.Error as error:
            if refusal(error) is None:
                raise
            return False
        self.seq = seq
        for load, group, answer in zip(joined, groups, answers, strict=True):
            await self._account(load, answer)
            for each in group:
                await self._write_rest(each)
        return True

    async def _write_group(self, group: Sequence[Load]) -> None:
        if len(group) > 1:
            try:
                await self._write_records(_joined(group), one_page=False)
            except NotTogether:
                for load in group:
                    await self._write_records(load)
        elif group[0].records:
            await self._write_records(group[0])
        for load in group:
            await self._write_rest(load)

    async def _write_records(self, load: Load, *, one_page: bool = True) -> None:
        result = await write_records(self._conn, self._target(load), load.records, self.seq, one_page=one_page)
        self.seq += len(load.records)
        await self._account(load, result)

    def _target(self, load: Load) -> Target:
        listed = load.full_read is None and not load.read_by_id
        return Target(self._connection_id, load.table, load.note, load.full_read, listed, load.read_between)

    async def _account(self, load: Load, result: Written) -> None:
        stream = load.table.stream
        counts = self._counts(stream)
        counts += Counts(
            read=len(load.records),
            written=result.written,
            unchanged=len(load.records) - result.written - len(result.rejected),
            rejected=len(result.rejected),
            altered=result.altered,
        )
        self._alive[stream] = self._alive.get(stream, 0) + result.born
        if result.rejected:
            await set_aside(self._conn, self._connection_id, load.table, result.rejected)
        if load.read_by_id:
            await self._mark(load, result.late)
        if result.late:
            await checkpoints.add_rereads(self._conn, self._connection_id, stream, result.late, self.seq)

    async def _mark(self, load: Load, late: Sequence[str]) -> None:
        query = """
            INSERT INTO syncline.read_mark (connection_id, stream, key, seq) SELECT %s, %s, unnest(%s::text[]), %s
            ON CONFLICT (connection_id, stream, key) DO UPDATE SET seq = excluded.seq, at = now()
        """
        stream = load.table.stream
        marked = sorted(set(load.read_by_id) - set(late))
        await self._conn.execute(query, [self._connection_id, stream, marked, self.seq])
        await checkpoints.settle_rereads(self._conn, self._connection_id, stream, marked, load.note)

    async def _write_told(self, load: Load) -> None:
        """What events carried, as far as it is newer than what is here."""
        table, stream = load.table, load.table.stream
        found = await sort(self._conn, self._connection_id, table, load.told)
        if found.write:
            before = self.seq
            target = Target(self._connection_id, table, before, None)
            result = await write_records(self._conn, target, [one.record for one in found.write], before)
            self.seq += len(found.write)
            await remember(self._conn, self._connection_id, table, found.write, seq=before)
            await self._account(replace(load, records=[one.record for one in found.write]), result)
        if found.bury:
            await self._bury(replace(load, cancelled=found.bury))
        if found.retire:
            await self._retire(replace(load, note=self.seq), found.retire, told=True)
        if found.again:
            self.seq += 1
            await checkpoints.add_rereads(self._conn, self._connection_id, stream, found.again, self.seq)
        if found.rejected:
            await set_aside(self._conn, self._connection_id, table, found.rejected)
        rejected, rest = len(found.rejected), found.same + len(found.again)
        self._counts(stream).__iadd__(
            Counts(read=rest + rejected, unchanged=rest, rejected=rejected, altered=found.altered)
        )

    async def _write_rest(self, load: Load) -> None:
        stream = load.table.stream
        if load.told:
            await self._write_told(load)
        deleted = {key for key in load.deleted if can_name_a_row(key)}
        if load.cancelled:
            deleted |= await self._bury(load)
        if deleted:
            await self._retire(load, sorted(deleted))
        touched = [key for key in load.touched if can_name_a_row(key)]
        if touched:
            self.seq += 1
            await checkpoints.add_rereads(self._conn, self._connection_id, stream, touched, self.seq)
        for statement in load.after:
            self._after.pop(statement.subject, None)
            self._after[statement.subject] = statement
        self._counts(stream)

    async def _bury(self, load: Load) -> set[str]:
        """The keys of cancelled records that have rows; the others have tombstones now."""
        known, made = await bury(self._conn, self._connection_id, load.table, load.cancelled, self.seq)
        self.seq += len(load.cancelled)
        self._counts(load.table.stream).deleted += made
        return set(known)

    async def _retire(self, load: Load, keys: Sequence[str], *, told: bool = False) -> None:
        stream = load.table.stream
        parameters = {
            "connection": self._connection_id,
            "stream": stream,
            "keys": keys,
            "note": load.note,
            "seq": self.seq,
            "told": told,
        }
        row = await (await self._conn.execute(retire_keys(load.table), parameters)).fetchone()
        if row is None:
            raise AssertionError  # an aggregate always has a row
        self.seq += len(keys)
        late: list[str] = row["late"] or []
        self._counts(stream).deleted += row["retired"]
        self._alive[stream] = self._alive.get(stream, 0) - row["retired"]
        settled = sorted(set(keys) - set(late))
        await checkpoints.settle_rereads(self._conn, self._connection_id, stream, settled, load.note)
        if late:
            await checkpoints.add_rereads(self._conn, self._connection_id, stream, late, self.seq)

    async def _end(self) -> None:
        self.seq += 1  # a transaction that changed nothing has a place in the order too
        counter = "UPDATE syncline.connection SET change_seq = %s WHERE id = %s"
        rows = "UPDATE syncline.sync_state SET rows = rows + %s WHERE connection_id = %s AND stream = %s"
        async with self._conn.pipeline():
            for statement in self._after.values():
                await statement.run(self._conn)
            await self._conn.execute(counter, [self.seq, self._connection_id])
            for stream, change in self._alive.items():
                if change:
                    await self._conn.execute(rows, [change, self._connection_id, stream])

    def _counts(self, stream: str) -> Counts:
        return self.counts.setdefault(stream, Counts())


def _groups(loads: Sequence[Load]) -> Iterator[Sequence[Load]]:
    start = 0
    while start < len(loads):
        group = _group(loads, start)
        yield group
        start += len(group)


def _plain(groups: Sequence[Sequence[Load]]) -> Sequence[Sequence[Load]]:
    """The first groups, as far as they are nothing but records; at least one."""
    end = 0
    while end < len(groups) and groups[end][0].plain and groups[end][0].records:
        end += 1
    return groups[: max(end, 1)]


def _joined(group: Sequence[Load]) -> Load:
    """The records of all loads as one; the oldest note counts, and all the time in which they were read."""
    records = [record for load in group for record in load.records]
    times = [load.read_between for load in group if load.read_between]
    between = (min(low for low, _ in times), max(high for _, high in times)) if times else None
    return replace(group[0], records=records, note=min(load.note for load in group), read_between=between)


def _group(loads: Sequence[Load], start: int) -> Sequence[Load]:
    """The loads from *start* on that one statement can write: neighbours of one stream and one full read."""
    first = loads[start]
    end, records = start + 1, len(first.records)
    while first.plain and end < len(loads):
        load = loads[end]
        records += len(load.records)
        alike = (
            load.plain
            and load.table is first.table
            and load.full_read == first.full_read
            and (load.read_between is None) == (first.read_between is None)
        )
        if not alike or records > GROUP_RECORDS:
            break
        end += 1
    return loads[start:end]
