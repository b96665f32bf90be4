"""Writes what one run reads: many pages in one transaction, each with its checkpoint, behind a small bounded queue.

All of a connection's writes happen under its write lock, held to the commit, and draw their change_seq from the
connection's own counter: so its order is the commit order. A transaction lasts about a quarter of a second, so that
others who write for the same connection pass between.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from storage.batch import TRANSACTION_SECONDS, Batch
from storage.beside import end
from storage.database import Database
from storage.loads import Counts, Load
from storage.notify import Notifier
from storage.runs import Run
from storage.transactions import data_transaction

QUEUE_BYTES = 20 * 1024 * 1024
QUEUE_LOADS = 160
"""Pages of 100 records that Postgres writes in half a second: what is being written, and as much again being read."""


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
        self._took = TRANSACTION_SECONDS
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
            await end(self._task)

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
        done = await data_transaction(
            self._db, self._run, lambda conn, seq: Batch(conn, self._run, seq, self._took).write(loads)
        )
        self._note, self._took = done.seq, done.took
        for stream, counts in done.counts.items():
            self._notifier.changed(self._run.connection_id, stream)
            self._on_commit(stream, counts)
        async with self._changed:
            for _ in range(done.loads):
                self._bytes -= self._queue.popleft().size
            self._changed.notify_all()
