"""Writes what one run reads: many pages in one transaction, each with its checkpoint, behind a small bounded queue.

All of a connection's writes happen under its write lock, held to the commit, and draw their change_seq from the
connection's own counter: so its order is the commit order. A transaction lasts about a quarter of a second, so that
others who write for the same connection pass between.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self
from uuid import UUID

from storage import checkpoints
from storage.checkpoints import Statement
from storage.database import Conn, Database
from storage.loads import Counts, Load, can_name_a_row
from storage.notify import Notifier
from storage.page_sql import retire_keys
from storage.rejected import set_aside
from storage.runs import Run
from storage.transactions import data_transaction
from storage.write_records import NotTogether, Target, Written, write_records

TRANSACTION_SECONDS = 0.25
QUEUE_BYTES = 8 * 1024 * 1024
QUEUE_LOADS = 64
GROUP_RECORDS = 500
STALE_SECONDS = 600
"""A read older than this when it would be written is done again: marks against it are not kept for ever."""


class StaleRead(Exception):
    """What was read has waited too long to be trusted; nothing of it was written."""


class Loader:
    """Takes loads of one run and commits them in their order."""

    def __init__(
        self, db: Database, run: Run, notifier: Notifier, on_commit: Callable[[str, Counts], None] | None = None
    ) -> None:
        self._db = db
        self._run = run
        self._notifier = notifier
        self._on_commit = on_commit or (lambda _stream, _counts: None)
        self._queue: deque[Load] = deque()
        self._bytes = 0
        self._note = 0
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        async with self._db.connection() as conn:
            query = "SELECT change_seq FROM syncline.connection WHERE id = %s"
            row = await (await conn.execute(query, [self._run.connection_id])).fetchone()
        self._note = row["change_seq"] if row else 0
        self._task = asyncio.create_task(self._write_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whatever is queued when the block fails is not written: its checkpoints were not committed either."""
        if error is None:
            await self.flush()
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def note(self) -> int:
        """The connection's counter as last committed; take it before a request is sent."""
        return self._note

    async def add(self, load: Load) -> None:
        """The load is queued; waits while the queue is full. Raises what the writing raised."""
        for piece in load.pieces():
            async with self._changed:
                await self._changed.wait_for(self._has_room)
                self._raise()
                self._queue.append(piece)
                self._bytes += piece.size
                self._changed.notify_all()

    async def flush(self) -> None:
        """Everything that was added is committed."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._queue or self._failure)
            self._raise()

    def _has_room(self) -> bool:
        return self._failure is not None or (self._bytes < QUEUE_BYTES and len(self._queue) < QUEUE_LOADS)

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _write_on(self) -> None:
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._queue)
                await self._commit_some()
        except BaseException as failure:
            async with self._changed:
                self._failure = failure
                self._changed.notify_all()
            if isinstance(failure, asyncio.CancelledError):
                raise

    async def _commit_some(self) -> None:
        """One transaction; what it wrote leaves the queue only when it is committed."""
        loads = list(self._queue)
        done = await data_transaction(self._db, self._run, lambda conn, seq: Batch(conn, self._run, seq).write(loads))
        self._note = done.seq
        for stream, counts in done.counts.items():
            self._notifier.changed(self._run.connection_id, stream)
            self._on_commit(stream, counts)
        async with self._changed:
            for _ in range(done.loads):
                self._bytes -= self._queue.popleft().size
            self._changed.notify_all()


class Batch:
    """What one transaction writes. `seq` is the connection's counter as this transaction moves it."""

    def __init__(self, conn: Conn, run: Run, seq: int) -> None:
        self._conn = conn
        self._connection_id: UUID = run.connection_id
        self._alive: dict[str, int] = {}
        self._after: dict[str, Statement] = {}
        self.seq = seq
        self.counts: dict[str, Counts] = {}
        self.loads = 0

    async def write(self, loads: Sequence[Load]) -> Self:
        """As many of the loads as fit into the time, at least one."""
        until = time.monotonic() + TRANSACTION_SECONDS
        while self.loads < len(loads) and (self.loads == 0 or time.monotonic() < until):
            group = _group(loads, self.loads)
            await self._write_group(group)
            self.loads += len(group)
        await self._end()
        return self

    async def _write_group(self, group: Sequence[Load]) -> None:
        if any(time.monotonic() - load.read_at > STALE_SECONDS for load in group):
            raise StaleRead
        records = [record for load in group for record in load.records]
        if len(group) > 1:
            joined = replace(group[0], records=records, note=min(load.note for load in group))
            try:
                await self._write_records(joined, one_page=False)
            except NotTogether:
                for load in group:
                    await self._write_records(load)
        elif records:
            await self._write_records(group[0])
        for load in group:
            await self._write_rest(load)

    async def _write_records(self, load: Load, *, one_page: bool = True) -> None:
        target = Target(self._connection_id, load.table, load.note, load.full_read)
        result = await write_records(self._conn, target, load.records, self.seq, one_page=one_page)
        self.seq += len(load.records)
        await self._account(load, result)

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

    async def _write_rest(self, load: Load) -> None:
        stream = load.table.stream
        deleted = sorted({key for key in load.deleted if can_name_a_row(key)})
        if deleted:
            await self._retire(load, deleted)
        touched = [key for key in load.touched if can_name_a_row(key)]
        if touched:
            self.seq += 1
            await checkpoints.add_rereads(self._conn, self._connection_id, stream, touched, self.seq)
        for statement in load.after:
            self._after.pop(statement.subject, None)
            self._after[statement.subject] = statement
        self._counts(stream)

    async def _retire(self, load: Load, keys: Sequence[str]) -> None:
        stream = load.table.stream
        parameters = {
            "connection": self._connection_id,
            "stream": stream,
            "keys": keys,
            "note": load.note,
            "seq": self.seq,
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
        for statement in self._after.values():
            await statement.run(self._conn)
        self.seq += 1  # a transaction that changed nothing has a place in the order too
        await self._conn.execute(
            "UPDATE syncline.connection SET change_seq = %s WHERE id = %s", [self.seq, self._connection_id]
        )
        for stream, change in self._alive.items():
            if change:
                query = "UPDATE syncline.sync_state SET rows = rows + %s WHERE connection_id = %s AND stream = %s"
                await self._conn.execute(query, [change, self._connection_id, stream])

    def _counts(self, stream: str) -> Counts:
        return self.counts.setdefault(stream, Counts())


def _group(loads: Sequence[Load], start: int) -> Sequence[Load]:
    """The loads from *start* on that one statement can write: neighbours of one stream and one full read."""
    first = loads[start]
    end, records = start + 1, len(first.records)
    while first.plain and end < len(loads):
        load = loads[end]
        records += len(load.records)
        alike = load.plain and load.table is first.table and load.full_read == first.full_read
        if not alike or records > GROUP_RECORDS:
            break
        end += 1
    return loads[start:end]
