"""Brings one connection up to date: the whole of a run, from its lock to its outcome."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psycopg

from connectors.errors import ConnectorError, RateLimited, Reconnect
from storage import connections, runs
from storage.batch import StaleRead
from storage.beside import end
from storage.connections import Connection
from storage.errors import Fenced, NotActive, StorageError
from storage.loader import Loader
from storage.runs import Outcome, Run
from tasks.artifacts import ProgressArtifacts
from tasks.plan import Plan
from tasks.progress import Progress
from tasks.push import keep_watched
from tasks.requests import Request, Result
from tasks.sync import CURRENT, Sync
from tasks.taken_events import apply_own
from tasks.workshop import Workshop, scope_of

FULL_WAIT_SECONDS = 900.0
"""How long a full sync waits for a run of its connection that is under way."""

_log = logging.getLogger(__name__)
_UNEXPECTED = (
    "Something went wrong inside Syncline; nothing is lost. The next sync goes on where this one stopped; "
    "the run's log in Prefect tells more."
)


async def sync_connection(workshop: Workshop, connection: Connection, request: Request) -> Result:
    """Run it, unless another run of this connection is under way. Never raises for what a provider did."""
    started = time.monotonic()
    wait = FULL_WAIT_SECONDS if request.mode == "full" else 0.0
    try:
        async with runs.take_run(
            workshop.db,
            connection.id,
            mode=request.mode,
            trigger=request.trigger,
            flow_run_id=request.flow_run_id,
            wait=wait,
        ) as run:
            if run is None:
                return Result(connection, "skipped", seconds=time.monotonic() - started)
            return await _Attempt(workshop, connection, request, run, started).result()
    except NotActive as refusal:
        return Result(connection, "failed", error=str(refusal), error_code=refusal.code)


@dataclass(slots=True)
class _Attempt:
    """A run that has its lock."""

    workshop: Workshop
    connection: Connection
    request: Request
    run: Run
    started: float
    progress: Progress = field(init=False)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        scope = scope_of(self.connection)
        waiting = self.workshop.throttle.waiting_until
        self.progress = Progress(self.request.watch, lambda: waiting(self.connection.connector, scope))

    async def result(self) -> Result:
        """Run to the end, and note the outcome where people look for it."""
        try:
            outcome, error = await self._go()
            return await self._end(outcome, str(error) if error else None, error.code if error else None, error)
        except Fenced as fenced:
            # Whoever took over, disconnected or purged has written what there is to say of the connection.
            return await self._end_badly("skipped", str(fenced), fenced.code)
        except StorageError as failure:
            return await self._end_badly("failed", str(failure), failure.code)
        except Exception:  # noqa: BLE001 -- one connection's bug stops no other; the log has it
            _log.exception("sync failed connection=%s", self.connection.id)
            return await self._end_badly("failed", _UNEXPECTED, "unexpected")

    async def _end_badly(self, outcome: Outcome, sentence: str, code: str) -> Result:
        with suppress(StorageError, psycopg.Error):
            counts = self.progress.counts_as_json()
            await runs.end(self.workshop.db, self.run, outcome, counts, error=sentence, error_code=code)
        return self._result(outcome, sentence, code)

    async def _go(self) -> tuple[Outcome, ConnectorError | None]:
        try:
            return await self._sync()
        except StaleRead:
            return "continued", None
        except RateLimited as limited:
            self.notes.append(str(limited))
            return "continued", None
        except ConnectorError as error:
            return "failed", error

    async def _sync(self) -> tuple[Outcome, ConnectorError | None]:
        await self.workshop.ensure_tables(self.connection.connector)
        deadline = time.monotonic() + self.workshop.settings.run_budget_seconds
        async with self.workshop.source(self.connection, deadline) as source:
            loader = Loader(self.workshop.db, self.run, self.workshop.notifier, self.progress.committed)
            async with loader, self._published():
                sync = Sync(self.workshop, source, loader, self.run, self.progress, self.notes)
                CURRENT.set(sync)
                plan = Plan(sync, self.request.mode, self.request.streams, self.request.confirm_deletes)
                ends = await plan.carry_out()
                await apply_own(sync)
                if await keep_watched(sync):  # what changed between the last look and the new channel
                    ends += await plan.look_again()
        if sync.failures:
            return "failed", next(iter(sync.failures.values()))
        if "continued" in ends:
            return "continued", None
        return ("needs_confirmation" if "needs_confirmation" in ends else "done"), None

    @asynccontextmanager
    async def _published(self) -> AsyncIterator[None]:
        """While the block runs, the progress is handed on every two seconds."""
        artifacts = ProgressArtifacts(self.connection)

        async def publish(progress: Progress) -> None:
            with suppress(StorageError, psycopg.Error):
                await runs.progress(self.workshop.db, self.run, progress.as_json(), progress.counts_as_json())
            await artifacts.show(progress)

        async def publish_on() -> None:
            while True:
                await asyncio.sleep(0.5)
                self.progress.moved()
                try:
                    await self.progress.publish(publish)
                except Exception:  # noqa: BLE001 -- what people watch must not fail what they watch
                    _log.warning("progress not shown connection=%s", self.connection.id)

        publisher = asyncio.create_task(publish_on())
        try:
            yield
        finally:
            await end(publisher)

    async def _end(
        self, outcome: Outcome, sentence: str | None, code: str | None, error: ConnectorError | None = None
    ) -> Result:
        db, connection_id = self.workshop.db, self.connection.id
        counts = self.progress.counts_as_json()
        await runs.end(db, self.run, outcome, counts, error=sentence, error_code=code, notes=self.notes)
        if isinstance(error, Reconnect):
            since = self.connection.signed_in_at
            await connections.needs_reconnect(db, connection_id, error.code, str(error), signed_in_at=since)
        elif sentence and code:
            await connections.set_error(db, connection_id, code, sentence)
        elif outcome in {"done", "needs_confirmation"}:
            await connections.clear_error(db, connection_id)
        return self._result(outcome, sentence, code)

    def _result(self, outcome: Outcome, sentence: str | None, code: str | None) -> Result:
        return Result(
            self.connection,
            outcome,
            self.run.id,
            self.progress.counts_as_json(),
            time.monotonic() - self.started,
            sentence,
            code,
            self.notes,
        )
