"""Reads a stream from its first page to its last, in parts side by side, each from its own checkpoint."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from connectors.base import Page
from storage import checkpoints, full_reads
from storage.batch import STALE_SECONDS
from storage.checkpoints import Statement
from storage.full_reads import FullRead, Part
from storage.loads import Load
from tasks.keys import key_texts
from tasks.side_by_side import first_error
from tasks.sync import Asked, Sync

READERS = 8
"""Parts of a stream that are read at once: with answers of 0.3 s enough for 25 requests a second."""


class FullReader:
    """Reads what is left of one full read."""

    def __init__(self, sync: Sync, full_read: FullRead) -> None:
        self._sync = sync
        self._full_read = full_read
        self._stream = sync.stream(full_read.stream)
        self._table = sync.table(full_read.stream)
        self._progress = sync.progress.of(full_read.stream)
        self._waiting: deque[Part] = deque()
        self._readers = 0
        self._group: asyncio.TaskGroup | None = None

    async def read(self) -> bool:
        """Whether all parts have been read, and not only for as long as the run's time lasted."""
        left, done = await full_reads.parts(self._sync.workshop.db, self._full_read)
        self._waiting.extend(left)
        self._progress.parts_done, self._progress.parts_total = done, done + len(left)
        async with first_error() as self._group:
            for _ in range(min(len(left), READERS)):
                self._start_reader()
        await self._sync.loader.flush()
        return self._progress.parts_done == self._progress.parts_total

    def _start_reader(self) -> None:
        if self._group and self._readers < READERS:
            self._readers += 1
            self._group.create_task(self._read_parts())

    async def _read_parts(self) -> None:
        while self._waiting and not self._sync.source.out_of_time:
            await self._read_part(self._waiting.popleft())
        self._readers -= 1

    async def _read_part(self, part: Part) -> None:
        """Read the part to its end, or as far as time allows; hand half of the rest on while readers are idle."""
        cursor = part.cursor
        pages = self._pages(cursor)
        try:
            while not self._sync.source.out_of_time:
                asked = Asked.now(self._sync.loader)
                page = await anext(pages, Page())
                if time.monotonic() - asked.at > STALE_SECONDS:
                    await _close(pages)
                    pages = self._pages(cursor)
                    continue
                if page.cursor is None:
                    await self._store(page, asked, [full_reads.part_checkpoint(part, cursor, done=True)])
                    self._progress.parts_done += 1
                    return
                cursor = page.cursor
                halves = self._stream.split(cursor) if self._idle_readers else None
                if halves is None:
                    await self._store(page, asked, [full_reads.part_checkpoint(part, cursor)])
                    continue
                cursor = halves[0]
                await _close(pages)
                await self._hand_on(part, halves, page, asked)
                pages = self._pages(cursor)
        finally:
            await _close(pages)

    def _pages(self, cursor: full_reads.Cursor) -> AsyncIterator[Page]:
        return aiter(self._stream.pages(self._sync.source.client, cursor))

    @property
    def _idle_readers(self) -> bool:
        return self._readers < READERS and not self._waiting

    async def _store(self, page: Page, asked: Asked, after: Sequence[Statement]) -> None:
        load = Load(
            self._table,
            asked.note,
            records=page.records,
            deleted=key_texts(page.deleted),
            cancelled=page.cancelled,
            touched=key_texts(page.touched),
            full_read=self._full_read.id,
            read_between=page.read_between,
            after=[*after, *self._progressed(page)],
        )
        await self._sync.loader.add(load)

    def _progressed(self, page: Page) -> list[Statement]:
        """What the page says of scopes, to be committed with it."""
        sync, statements = self._sync, []
        if page.covered or page.learned:
            statements.append(full_reads.progressed(self._full_read, covered=page.covered, learned=page.learned))
        if page.unreadable:
            sync.notes += [f"{self._stream.name}: {sentence}" for sentence in page.unreadable.values()]
            statements.append(checkpoints.unreadable(sync.run.connection_id, self._stream.name, page.unreadable))
        return statements

    async def _hand_on(
        self, part: Part, halves: tuple[full_reads.Cursor, full_reads.Cursor], page: Page, asked: Asked
    ) -> None:
        older, after = full_reads.split(self._full_read, part, halves)
        await self._store(page, asked, after)
        self._waiting.append(older)
        self._progress.parts_total = (self._progress.parts_total or 0) + 1
        self._start_reader()


async def _close(pages: AsyncIterator[Page]) -> None:
    if isinstance(pages, AsyncGenerator):
        await pages.aclose()
