"""Turns rows that a full read has not met into tombstones: the guard first, then each asked by its id."""

from collections.abc import AsyncIterator

from storage import full_reads
from storage.full_reads import Absentees, FullRead
from storage.loads import Load
from tasks.ask_by_id import Answers, ask_by_id
from tasks.sync import End, Sync

BATCH = 200
SAMPLE = 20


async def retire_unseen(sync: Sync, full_read: FullRead) -> End:
    """The stream holds what the provider has, no more; the full read is over unless time ran out."""
    absentees = Absentees(sync.workshop.db, sync.run.connection_id, sync.table(full_read.stream), full_read)
    absent, alive = await absentees.count()
    guarded = not full_read.confirm_deletes and sync.workshop.settings.guard.trips(absent, alive)
    if not guarded:
        end = await _retire_each(sync, absentees)
    elif await _all_gone(sync, absentees):
        # A sample that time did not suffice for says nothing.
        end = "continued" if sync.source.out_of_time else "needs_confirmation"
    else:
        end = await _retire_if_few(sync, absentees, alive)
    if end == "continued":
        return end
    if end == "needs_confirmation":
        sync.notes.append(
            f"{full_read.stream}: the provider no longer has {absent} of {alive} records; "
            "nothing was retired, a person has to confirm it."
        )
    after = full_reads.finished(sync.run.connection_id, full_read)
    await sync.loader.add(Load(sync.table(full_read.stream), sync.loader.note, after=after))
    await sync.loader.flush()
    return end


async def _retire_each(sync: Sync, absentees: Absentees) -> End:
    async for answers in _asked(sync, absentees):
        if answers.gone:
            await sync.loader.add(answers.retiring(sync, absentees.full_read.stream))
    await sync.loader.flush()
    return "continued" if sync.source.out_of_time else "done"


async def _all_gone(sync: Sync, absentees: Absentees) -> bool:
    """Whether the provider says of a sample that all of it is gone."""
    answers = await ask_by_id(sync, absentees.full_read.stream, await absentees.sample(SAMPLE))
    await sync.loader.flush()
    return answers.alive == 0


async def _retire_if_few(sync: Sync, absentees: Absentees, alive: int) -> End:
    """The list leaves living records out, so every one is asked; then the guard judges those that are gone."""
    gone = Answers()
    async for answers in _asked(sync, absentees):
        gone.gone |= answers.gone
    await sync.loader.flush()
    if sync.source.out_of_time:
        return "continued"
    if sync.workshop.settings.guard.trips(len(gone.gone), alive):
        return "needs_confirmation"
    if gone.gone:
        await sync.loader.add(gone.retiring(sync, absentees.full_read.stream))
        await sync.loader.flush()
    return "done"


async def _asked(sync: Sync, absentees: Absentees) -> AsyncIterator[Answers]:
    """What the provider says of all absentees, batch by batch, for as long as there is time."""
    last = ""
    while not sync.source.out_of_time:
        keys = await absentees.after(last, limit=BATCH)
        if not keys:
            return
        last = keys[-1]
        yield await ask_by_id(sync, absentees.full_read.stream, keys)
