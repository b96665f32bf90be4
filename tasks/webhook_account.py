"""One connection while its events are applied: opened when the first comes, kept while more may come."""

import logging
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from connectors.errors import ConnectorError
from connectors.webhooks import Webhooks
from storage import runs
from storage.connections import Connection
from storage.inbox import Taken
from storage.loader import Loader
from storage.runs import Run, Trigger
from tasks.progress import Progress
from tasks.sync import Sync
from tasks.taken_events import NOT_ABOUT_EVENTS, apply_taken, put_back
from tasks.workshop import Workshop, scope_of

OPEN_SECONDS = 300.0
"""Credentials hold for a quarter of an hour when an account is opened; it is opened anew well before."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class WebhookAccount:
    """See the module. What it does is one sync run, of mode `webhook`, for as long as the flow run lasts."""

    workshop: Workshop
    connection: Connection
    webhooks: Webhooks
    trigger: Trigger
    flow_run_id: UUID | None
    run: Run = field(init=False)
    progress: Progress = field(init=False)
    _sync: Sync | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _until: float = 0.0

    def __post_init__(self) -> None:
        self.run = Run(uuid4(), self.connection.id, None, self.flow_run_id)
        scope, waiting = scope_of(self.connection), self.workshop.throttle.waiting_until
        self.progress = Progress(None, lambda: waiting(self.connection.connector, scope))

    async def apply(self, events: list[Taken]) -> None:
        """The events are applied, put off or failed; nothing is raised for what a provider did."""
        error: ConnectorError | None = None
        try:
            error = await apply_taken(await self._opened(), self.connection, self.webhooks, events)
        except NOT_ABOUT_EVENTS as failure:
            # Due again within a minute: by then the connection is paused or gone, or Postgres is back.
            _log.warning("events not applied connection=%s error=%s", self.connection.id, type(failure).__name__)
            await self.close()
            return
        except ConnectorError as failure:  # what opens the account could not be renewed
            error = failure
            await put_back(self.workshop.db, self.connection, events, failure)
        if error:
            await self.close()
        await runs.note_webhook(
            self.workshop.db, self.run, self.trigger, self.progress.counts_as_json(), str(error) if error else None
        )

    async def close(self) -> None:
        """Nothing of it is open; it is opened again when it is needed."""
        self._sync = None
        stack, self._stack = self._stack, AsyncExitStack()
        with suppress(*NOT_ABOUT_EVENTS):  # told before to whoever was writing
            await stack.aclose()

    async def _opened(self) -> Sync:
        if self._sync is not None and time.monotonic() < self._until:
            return self._sync
        await self.close()
        workshop = self.workshop
        await workshop.ensure_tables(self.connection.connector)
        self._until = time.monotonic() + OPEN_SECONDS
        deadline = self._until + workshop.settings.run_budget_seconds
        source = await self._stack.enter_async_context(workshop.source(self.connection, deadline))
        loader = Loader(workshop.db, self.run, workshop.notifier, self.progress.committed)
        await self._stack.enter_async_context(loader)
        self._sync = Sync(workshop, source, loader, self.run, self.progress)
        return self._sync
