"""What a run does: which streams are read in full, and which by their changes."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal

from connectors.errors import ConnectorError, CursorExpired, RateLimited, Reconnect, Refused
from storage import checkpoints, connections, full_reads
from storage.full_reads import FullRead
from tasks.read_changes import mark_unavailable
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
        for name in wanted:
            sync.progress.of(name)
        states = await checkpoints.states(db, connection_id, wanted)
        unfinished = await full_reads.unfinished(db, connection_id)
        everything = self.mode == "full" or sync.source.connection.full_due
        in_full = [name for name in wanted if everything or name in unfinished or states[name].cursor is None]
        # A full read that spans several runs does not hold back the changes of what is there already.
        changes = [name for name in wanted if not everything and states[name].cursor is not None]
        ends = await self._read_changes(changes, unfinished) if changes else []
        ends += await self._read_in_full(in_full, unfinished)
        return ends

    async def _read_changes(self, streams: list[str], unfinished: dict[str, FullRead]) -> list[End]:
        try:
            return [await self._guarded(streams, read_stream_changes(streams))]
        except CursorExpired as expired:
            self.sync.notes.append(str(expired))
            ends = await self._read_in_full([s for s in expired.streams if s not in unfinished], unfinished)
            rest = [name for name in streams if name not in expired.streams]
            return ends + (await self._read_changes(rest, unfinished) if rest else [])

    async def _read_in_full(self, streams: list[str], unfinished: dict[str, FullRead]) -> list[End]:
        await self._begin(streams, unfinished)
        async with first_error() as group:
            tasks = [group.create_task(self._guarded([name], read_stream_in_full(name))) for name in streams]
        return [task.result() for task in tasks]

    async def _begin(self, streams: list[str], unfinished: dict[str, FullRead]) -> None:
        """A full read of each is under way: an unfinished one goes on, unless deletions are to be confirmed anew."""
        sync = self.sync
        confirm = self.confirm_deletes
        new = [s for s in streams if s not in unfinished or (confirm and not unfinished[s].confirm_deletes)]
        if new:
            change_cursor = await sync.source.connector.change_cursor(sync.source.client)
        for name in new:
            await full_reads.begin(
                sync.workshop.db,
                sync.run,
                name,
                change_cursor=change_cursor,
                start=sync.stream(name).start(),
                confirm_deletes=confirm,
            )
        if sync.source.connection.full_due and not self.only:
            await connections.set_full_due(sync.workshop.db, sync.run.connection_id, due=False)

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
