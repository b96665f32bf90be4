"""The Prefect tasks of a run: one for each stream that is read in full, one for the changes of all others."""

from prefect import task

from connectors.errors import Unavailable
from storage import checkpoints, full_reads
from tasks.read_changes import read_changes
from tasks.read_in_full import FullReader
from tasks.reread import read_again
from tasks.retire import retire_unseen
from tasks.sync import CURRENT, End

RETRIES = 1
RETRY_SECONDS = 10.0
"""Requests have retries of their own; this one starts again from the last checkpoint, a while later."""


def _worth_retrying(_task: object, _run: object, state: object) -> bool:
    kept = getattr(state, "data", None)
    error = getattr(kept, "result", kept)
    return isinstance(error, Unavailable) and not CURRENT.get().source.out_of_time


@task(
    name="read-in-full",
    task_run_name="{stream}",
    retries=RETRIES,
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=_worth_retrying,
    persist_result=False,
)
async def read_stream_in_full(stream: str) -> End:
    """The stream holds what the provider has, no more and no less: everything read, what is gone retired.

    An unfinished full read must have been begun. Retrying goes on from its checkpoints.
    """
    sync = CURRENT.get()
    full_read = (await full_reads.unfinished(sync.workshop.db, sync.run.connection_id))[stream]
    if not await FullReader(sync, full_read).read():
        return "continued"
    end = await read_again(sync, stream)
    if end == "done":
        end = await retire_unseen(sync, full_read)
    if end == "done":
        end = await read_again(sync, stream)
    sync.progress.of(stream).done = end != "continued"
    sync.progress.moved()
    return end


@task(
    name="read-changes",
    task_run_name="changes",
    retries=RETRIES,
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=_worth_retrying,
    persist_result=False,
)
async def read_stream_changes(streams: list[str]) -> End:
    """These streams hold what the provider's change feed tells up to now."""
    sync = CURRENT.get()
    states = await checkpoints.states(sync.workshop.db, sync.run.connection_id, streams)
    cursors = {stream: state.cursor for stream, state in states.items() if state.cursor is not None}
    end = await read_changes(sync, cursors)
    for stream in streams:
        sync.progress.of(stream).done = end != "continued"
    sync.progress.moved()
    return end
