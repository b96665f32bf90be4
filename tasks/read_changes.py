"""Applies a connector's change feed from each stream's change cursor on."""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from connectors.base import Change, Coverage
from connectors.errors import Refused
from storage import checkpoints
from storage.batch import STALE_SECONDS, StaleRead
from storage.checkpoints import Statement
from storage.loads import Load
from tasks.keys import key_texts
from tasks.reread import read_again
from tasks.retire import retire_in_window
from tasks.sync import Asked, End, Sync, worst


async def read_changes(sync: Sync, cursors: Mapping[str, Mapping[str, Any]]) -> End:
    """These streams hold what the feed tells up to now, unless time ran out. Raises CursorExpired before the first."""
    feed = sync.source.connector.changes(sync.source.client, {name: dict(c) for name, c in cursors.items()})
    end, closed = await apply_changes(sync, feed)
    if sync.source.out_of_time and end == "continued":
        return end
    return worst([end, await _end(sync, [name for name in cursors if name not in closed])])


async def apply_changes(sync: Sync, feed: AsyncIterator[Change]) -> tuple[End, set[str]]:
    """What the feed tells is queued, to its end unless time ran out; and the streams that may not be read."""
    began = sync.loader.note
    changes = aiter(feed)
    closed: set[str] = set()
    ends: list[End] = []
    while not sync.source.out_of_time:
        asked = Asked.now(sync.loader)
        change = await anext(changes, None)
        if change is None:
            return worst(ends), closed
        if time.monotonic() - asked.at > STALE_SECONDS:
            raise StaleRead
        if change.unavailable:
            closed.add(change.stream)
            await _close(sync, change)
        else:
            ends.append(await _apply(sync, change, asked, began))
    return "continued", closed


async def _apply(sync: Sync, change: Change, asked: Asked, began: int) -> End:
    """What the change brought is queued; where it ends a part that was read whole, what is absent there is retired.

    Only then does the cursor move: a run that ends in between reads that part again.
    """
    after = _after(sync, change)
    if change.window is None:
        await sync.loader.add(_load(sync, change, asked, after))
        return "done"
    await sync.loader.add(_load(sync, change, asked, []))
    await sync.loader.flush()
    end = await retire_in_window(sync, change.stream, change.window, began)
    if end == "done" and change.window.scope is None:  # whatever time the other streams may take
        after.append(checkpoints.up_to_date(sync.run.connection_id, change.stream))
    if end != "continued" and after:
        await sync.loader.add(Load(sync.table(change.stream), sync.loader.note, after=after))
    return end


def _load(sync: Sync, change: Change, asked: Asked, after: list[Statement]) -> Load:
    page = change.page
    return Load(
        sync.table(change.stream),
        asked.note,
        records=page.records,
        deleted=key_texts(page.deleted),
        cancelled=page.cancelled,
        touched=key_texts(page.touched),
        read_between=page.read_between,
        after=after,
    )


def _after(sync: Sync, change: Change) -> list[Statement]:
    connection_id, stream = sync.run.connection_id, change.stream
    cursor = change.page.cursor
    statements = [checkpoints.change_cursor(connection_id, stream, cursor)] if cursor is not None else []
    if change.coverage:
        said = [f"{stream}: {sentence}" for sentence in change.coverage.unreadable.values()]
        sync.notes += [note for note in dict.fromkeys(said) if note not in sync.notes]
        statements.append(checkpoints.coverage(connection_id, stream, _shown(change.coverage)))
    return statements


def _shown(coverage: Coverage) -> dict[str, Any]:
    since = coverage.complete_from
    return {
        "complete_from": since.isoformat() if since else None,
        "backlog": coverage.backlog,
        "unreadable": dict(coverage.unreadable),
    }


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
    ends = [await _read_named(sync, stream) for stream in streams]
    await sync.loader.flush()
    return worst(ends)


async def _read_named(sync: Sync, stream: str) -> End:
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
