"""Turns rows that a complete read has not met into tombstones: the guard first, then each asked by its id."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from connectors.base import Window
from storage import full_reads
from storage.absentees import Absentees
from storage.full_reads import FullRead
from storage.loads import Load
from tasks.ask_by_id import Answers, ask_by_id
from tasks.keys import key_texts
from tasks.sync import End, Sync

BATCH = 200
SAMPLE = 20


async def retire_unseen(sync: Sync, full_read: FullRead) -> End:
    """The stream holds what the provider has, no more; the full read is over unless time ran out."""
    table = sync.table(full_read.stream)
    absentees = Absentees.of_full_read(sync.workshop.db, sync.run.connection_id, table, full_read)
    end = await _Retiring(sync, absentees, confirmed=full_read.confirm_deletes).retire()
    if end == "continued":
        return end
    after = full_reads.finished(sync.run.connection_id, full_read, by_scope=table.parent is not None)
    await sync.loader.add(Load(table, sync.loader.note, after=after))
    await sync.loader.flush()
    return end


async def retire_in_window(sync: Sync, stream: str, window: Window, note: int) -> End:
    """Of this part of the stream, read whole since the counter was *note*, no row is left that was not met."""
    absentees = Absentees.of_window(
        sync.workshop.db,
        sync.run.connection_id,
        sync.table(stream),
        note,
        keys=key_texts(window.keys),
        scope=window.scope,
        low=window.low,
        high=window.high,
        belonging=window.belonging,
    )
    return await _Retiring(sync, absentees, confirmed=False).retire()


async def retire_orphans(sync: Sync, stream: str, *, confirmed: bool) -> End:
    """No row is left whose parent has become a tombstone."""
    note = sync.loader.note
    absentees = Absentees.of_retired_parents(sync.workshop.db, sync.run.connection_id, sync.table(stream), note)
    return await _Retiring(sync, absentees, confirmed=confirmed, asks=False).retire()


@dataclass(slots=True)
class _Retiring:
    """The work on some absentees; `confirmed`: a person has said that the guard is not to stop it."""

    sync: Sync
    absentees: Absentees
    confirmed: bool
    asks: bool = True

    def __post_init__(self) -> None:
        self.asks = self.asks and self.sync.stream(self._stream).asks_by_id

    @property
    def _stream(self) -> str:
        return self.absentees.table.stream

    async def retire(self) -> End:
        """As far as the guard and the run's time allow; a note says what a person has to confirm."""
        absent, alive = await self.absentees.count()
        if not absent:
            return "done"
        guarded = not self.confirmed and self.sync.workshop.settings.guard.trips(absent, alive)
        if not guarded:
            end = await self._retire_each()
        elif not self.asks or await self._all_gone():
            # A sample that time did not suffice for says nothing.
            end = "continued" if self.sync.source.out_of_time else "needs_confirmation"
        else:
            end = await self._retire_if_few(alive)
        if end == "needs_confirmation":
            self.sync.notes.append(
                f"{self._stream}: the provider no longer has {absent} of {alive} records; "
                "nothing was retired, a person has to confirm it."
            )
        return end

    async def _retire_each(self) -> End:
        async for answers in self._answers():
            if answers.gone:
                await self.sync.loader.add(answers.retiring(self.sync, self._stream))
        await self.sync.loader.flush()
        return "continued" if self.sync.source.out_of_time else "done"

    async def _all_gone(self) -> bool:
        """Whether the provider says of a sample that all of it is gone."""
        answers = await ask_by_id(self.sync, self._stream, await self.absentees.sample(SAMPLE))
        await self.sync.loader.flush()
        return answers.alive == 0

    async def _retire_if_few(self, alive: int) -> End:
        """The list leaves living records out, so every one is asked; then the guard judges those that are gone."""
        gone = Answers()
        async for answers in self._answers():
            gone.gone |= answers.gone
        await self.sync.loader.flush()
        if self.sync.source.out_of_time:
            return "continued"
        if self.sync.workshop.settings.guard.trips(len(gone.gone), alive):
            return "needs_confirmation"
        if gone.gone:
            await self.sync.loader.add(gone.retiring(self.sync, self._stream))
            await self.sync.loader.flush()
        return "done"

    async def _answers(self) -> AsyncIterator[Answers]:
        """What the provider says of all absentees, batch by batch, for as long as there is time.

        Where it cannot be asked the complete read is all there is to say: what it has not met is gone.
        """
        last = ""
        while not self.sync.source.out_of_time:
            keys = await self.absentees.after(last, limit=BATCH)
            if not keys:
                return
            last = keys[-1]
            if self.asks:
                yield await ask_by_id(self.sync, self._stream, keys)
            else:
                yield Answers(gone=dict.fromkeys(keys, self.absentees.start_seq))
