"""Applies a connector's change feed from each stream's change cursor on."""

import time
from collections.abc import Mapping
from typing import Any

from connectors.base import Change
from connectors.errors import Refused
from storage import checkpoints
from storage.batch import STALE_SECONDS, StaleRead
from storage.loads import Load
from tasks.keys import key_texts
from tasks.reread import read_again
from tasks.sync import Asked, End, Sync


async def read_changes(sync: Sync, cursors: Mapping[str, Mapping[str, Any]]) -> End:
    """These streams hold what the feed tells up to now, unless time ran out. Raises CursorExpired before the first."""
    changes = aiter(sync.source.connector.changes(sync.source.client, {name: dict(c) for name, c in cursors.items()}))
    closed: set[str] = set()
    while not sync.source.out_of_time:
        asked = Asked.now(sync.loader)
        change = await anext(changes, None)
        if change is None:
            return await _end(sync, [name for name in cursors if name not in closed])
        if time.monotonic() - asked.at > STALE_SECONDS:
            raise StaleRead
        if change.unavailable:
            closed.add(change.stream)
            await _close(sync, change)
        else:
            await sync.loader.add(_load(sync, change, asked))
    return "continued"


def _load(sync: Sync, change: Change, asked: Asked) -> Load:
    page = change.page
    cursor = page.cursor
    return Load(
        sync.table(change.stream),
        asked.note,
        records=page.records,
        deleted=key_texts(page.deleted),
        touched=key_texts(page.touched),
        after=[checkpoints.change_cursor(sync.run.connection_id, change.stream, cursor)] if cursor else [],
    )


async def _close(sync: Sync, change: Change) -> None:
    """The stream may not be read; the others go on."""
    await sync.loader.flush()
    await mark_unavailable(sync, change.stream, str(change.unavailable))


async def mark_unavailable(sync: Sync, stream: str, reason: str) -> None:
    """The stream shows why it is not read; its rows stay."""
    await checkpoints.unavailable(sync.workshop.db, sync.run.connection_id, stream, reason)
    sync.notes.append(f"{stream}: {reason}")


async def _end(sync: Sync, streams: list[str]) -> End:
    await sync.loader.flush()
    ends = [await _apply(sync, stream) for stream in streams]
    await sync.loader.flush()
    return "continued" if "continued" in ends else "done"


async def _apply(sync: Sync, stream: str) -> End:
    """What the feed named of this stream is read by id; what these credentials may not read waits."""
    try:
        end = await read_again(sync, stream)
    except Refused as refused:
        await mark_unavailable(sync, stream, str(refused))
        return "done"
    if end == "done":
        after = [checkpoints.up_to_date(sync.run.connection_id, stream)]
        await sync.loader.add(Load(sync.table(stream), sync.loader.note, after=after))
    return end
