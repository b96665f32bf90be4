"""What a run does: which streams are read in full, and which by their changes."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Literal

from connectors.base import Cursor
from connectors.errors import ConnectorError, CursorExpired, RateLimited, Reconnect, Refused
from storage import checkpoints, connections, full_reads
from storage.full_reads import FullRead
from tasks.read_changes import mark_unavailable
from tasks.retire import retire_orphans
from tasks.side_by_side import first_error
from tasks.stream_tasks import read_stream_changes, read_stream_in_full
from tasks.sync import End, Sync


@dataclass(slots=True)
class Plan:
    """Which streams are read in full and which by their changes; what fails of it does not stop the rest."""

    sync: Sync
    mode: Literal["full", "incremental"]
    only: list[str] | None
    confirm_deletes: bool

    async def carry_out(self) -> list[End]:
        """How the work on the streams ended."""
        sync = self.sync
        db, connection_id = sync.workshop.db, sync.run.connection_id
        names = [stream.name for stream in sync.source.connector.streams]
        wanted = [name for name in names if self.only is None or name in self.only]
        states = await checkpoints.states(db, connection_id, wanted)
        wanted = [name for name in wanted if await self._granted(name)]
        for name in wanted:
            sync.progress.of(name)
        unfinished = await full_reads.unfinished(db, connection_id)
        everything = self.mode == "full" or sync.source.connection.full_due
        in_full = [name for name in wanted if everything or name in unfinished or states[name].cursor is None]
        # A full read that spans several runs does not hold back the changes of what is there already.
        changes = [name for name in wanted if not everything and states[name].cursor is not None]
        ends = await self._read_changes(changes, unfinished) if changes else []
        ends += await self._read_in_full(in_full, unfinished)
        ends += [
            await self._guarded([name], retire_orphans(sync, name, confirmed=self.confirm_deletes))
            for name in wanted
            if sync.stream(name).parent
        ]
        return ends

    async def look_again(self) -> list[End]:
        """The changes of what has been read already are read once more, and nothing in full."""
        sync = self.sync
        db, connection_id = sync.workshop.db, sync.run.connection_id
        streams = sync.source.connector.streams
        wanted = [one.name for one in streams if one.scopes <= sync.source.client.session.scopes]
        states = await checkpoints.states(db, connection_id, wanted)
        changes = [name for name in wanted if states[name].cursor is not None]
        return await self._read_changes(changes, await full_reads.unfinished(db, connection_id)) if changes else []

    async def _granted(self, name: str) -> bool:
        """Whether the user has allowed what the stream needs; one that may not be read says so, and its rows stay."""
        sync = self.sync
        if sync.stream(name).scopes <= sync.source.client.session.scopes:
            return True
        title = sync.source.connector.title
        reason = f"{title} was connected without permission to read {name}. Connect it again and allow that."
        await mark_unavailable(sync, name, reason)
        return False

    async def _read_changes(self, streams: list[str], unfinished: dict[str, FullRead]) -> list[End]:
        try:
            return [await self._guarded(streams, read_stream_changes(streams))]
        except CursorExpired as expired:
            self.sync.notes.append(str(expired))
            ends = await self._read_in_full([s for s in expired.streams if s not in unfinished], unfinished)
            rest = [name for name in streams if name not in expired.streams]
            return ends + (await self._read_changes(rest, unfinished) if rest else [])

    async def _read_in_full(self, streams: list[str], unfinished: dict[str, FullRead]) -> list[End]:
        ends = await self._begin(streams, unfinished)
        begun = [name for name in streams if name not in ends]
        async with first_error() as group:
            tasks = [group.create_task(self._guarded([name], read_stream_in_full(name))) for name in begun]
        return [*ends.values(), *(task.result() for task in tasks)]

    async def _begin(self, streams: list[str], unfinished: dict[str, FullRead]) -> dict[str, End]:
        """A full read of each is under way: an unfinished one goes on, unless deletions are to be confirmed anew.

        How it ended for those whose parts the provider would not tell.
        """
        sync = self.sync
        confirm = self.confirm_deletes
        new = [s for s in streams if s not in unfinished or (confirm and not unfinished[s].confirm_deletes)]
        if new:
            change_cursor = await sync.source.connector.change_cursor(sync.source.client)
        starts: dict[str, Sequence[Cursor]] = {}

        async def plan(name: str) -> End:
            starts[name] = await sync.stream(name).starts(sync.source.client)
            return "done"

        ends = {name: await self._guarded([name], plan(name)) for name in new}
        if starts:
            db, run = sync.workshop.db, sync.run
            await full_reads.begin(db, run, starts, change_cursor=change_cursor, confirm_deletes=confirm)
        if sync.source.connection.full_due and not self.only and len(starts) == len(new):
            await connections.set_full_due(sync.workshop.db, sync.run.connection_id, due=False)
        return {name: end for name, end in ends.items() if name not in starts}

    async def _guarded(self, streams: list[str], work: Awaitable[End]) -> End:
        """What fails of these streams stops no other; what ends the whole run is raised."""
        sync = self.sync
        try:
            return await work
        except (Reconnect, CursorExpired):
            raise
        except RateLimited as limited:
            sync.notes.append(f"{', '.join(streams)}: {limited}")
            return "continued"
        except Refused as refused:
            for stream in streams:
                await mark_unavailable(sync, stream, str(refused))
        except ConnectorError as error:
            for stream in streams:
                sync.failures.setdefault(stream, error)
        return "done"
