"""Reads again by id what changed, or what somebody else wrote while it was read."""

from storage import checkpoints
from tasks.ask_by_id import ask_by_id
from tasks.sync import End, Sync

BATCH = 200
ROUNDS_WITHOUT_PROGRESS = 5


async def read_again(sync: Sync, stream: str) -> End:
    """Nothing of the stream is left to be read by id, unless time ran out or records failed."""
    connection_id = sync.run.connection_id
    failed: set[str] = set()
    stuck = 0
    left = -1
    while not sync.source.out_of_time and stuck < ROUNDS_WITHOUT_PROGRESS:
        keys = await checkpoints.rereads(sync.workshop.db, connection_id, stream, limit=BATCH + len(failed))
        keys = [key for key in keys if key not in failed]
        if not keys:
            return "done"
        stuck = stuck + 1 if len(keys) == left else 0
        left = len(keys)
        answers = await ask_by_id(sync, stream, keys)
        failed.update(answers.failed)
        if answers.gone:
            await sync.loader.add(answers.retiring(sync, stream))
        await sync.loader.flush()
    return "continued"
