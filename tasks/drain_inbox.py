"""Drains the inbox: one process at a time, connections side by side, until nothing more has come for a while."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from connectors.registry import find_connectors
from storage import connections, inbox
from storage.beside import end
from storage.database import Conn
from storage.errors import StorageError, UnknownId
from storage.inbox import Taken
from storage.locks import free_drain_lock, take_drain_lock
from storage.runs import Trigger
from tasks.taken_events import TAKEN
from tasks.webhook_account import WebhookAccount
from tasks.workshop import Workshop

LINGER_SECONDS = 60.0
LOOK_SECONDS = 2.0
"""What is due again by itself is found so much later; what arrives is told at once."""
AT_ONCE = 8
LONGEST_SECONDS = 3600.0
"""A run that always has something to do ends after an hour, so that Prefect shows one that has an end."""
OPEN_ACCOUNTS = 32

_log = logging.getLogger(__name__)


async def drain_inbox(
    workshop: Workshop,
    trigger: Trigger,
    *,
    flow_run_id: UUID | None = None,
    connector: str | None = None,
    linger: float = LINGER_SECONDS,
) -> int | None:
    """How many events were taken; None when somebody else drains the inbox already."""
    async with workshop.db.session() as session:
        if not await take_drain_lock(session):
            return None
        async with _Drain(workshop, trigger, flow_run_id, connector).working() as drain:
            until = time.monotonic() + LONGEST_SECONDS
            while True:
                await drain.until_nothing_comes(linger, until)
                await free_drain_lock(session)
                # Who stored something while the lock was held has asked for no other run.
                over = time.monotonic() > until or not await inbox.waiting(workshop.db)
                if over or not await take_drain_lock(session):
                    return drain.taken


@dataclass(slots=True)
class _Drain:
    """One run's work."""

    workshop: Workshop
    trigger: Trigger
    flow_run_id: UUID | None
    connector: str | None
    taken: int = 0
    _accounts: dict[UUID, WebhookAccount] = field(default_factory=dict)
    _busy: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def working(self) -> AsyncIterator["_Drain"]:
        """Whatever is open when the block ends is closed; what was being applied is due again within a minute."""
        async with self.workshop.db.session() as session:
            await session.execute(f"LISTEN {inbox.CHANNEL}")
            listening = asyncio.create_task(self._listen(session))
            try:
                yield self
            finally:
                for task in [listening, *self._busy.values()]:
                    await end(task)
                for account in self._accounts.values():
                    await account.close()

    async def until_nothing_comes(self, linger: float, until: float) -> None:
        """Events are applied as they come, until none has come for so long."""
        quiet_since = time.monotonic()
        while True:
            self._wake.clear()
            over = time.monotonic() > until
            if (not over and await self._take()) or self._busy:
                quiet_since = time.monotonic()
            left = quiet_since + linger - time.monotonic()
            if not self._busy and (over or left <= 0):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS if self._busy else min(left, LOOK_SECONDS))

    async def _listen(self, session: Conn) -> None:
        """Whoever waits looks again when something was stored, and when Postgres says no more."""
        try:
            async for _ in session.notifies():
                self._wake.set()
        finally:
            self._wake.set()

    async def _take(self) -> bool:
        """Whether there were events; each connection's are applied by a task of their own, in turn."""
        room = TAKEN if len(self._busy) < AT_ONCE else 0
        events = await inbox.take(self.workshop.db, limit=room, connector=self.connector, busy=list(self._busy))
        of: dict[UUID, list[Taken]] = defaultdict(list)
        for event in events:
            of[event.connection_id].append(event)
        for connection_id, its in of.items():
            self._busy[connection_id] = asyncio.create_task(self._work(connection_id, its))
        self.taken += len(events)
        return bool(events)

    async def _work(self, connection_id: UUID, events: list[Taken]) -> None:
        try:
            async with self._room:
                account = await self._account(connection_id)
                while events and account:
                    await account.apply(events)
                    events = await inbox.take(self.workshop.db, limit=TAKEN, connection_id=connection_id)
                    self.taken += len(events)
        except (StorageError, psycopg.Error) as error:
            _log.warning("events not applied connection=%s error=%s", connection_id, type(error).__name__)
        finally:
            del self._busy[connection_id]
            self._wake.set()

    async def _account(self, connection_id: UUID) -> WebhookAccount | None:
        try:
            connection = await connections.get(self.workshop.db, connection_id)
        except UnknownId:
            return None
        webhooks = find_connectors()[connection.connector].webhooks
        if webhooks is None:
            return None
        account = self._accounts.pop(connection_id, None)
        if account is None or account.connection.signed_in_at != connection.signed_in_at:
            if account:
                await account.close()
            account = WebhookAccount(self.workshop, connection, webhooks, self.trigger, self.flow_run_id)
        self._accounts[connection_id] = account  # the last one used is the last one in the row
        for other in list(self._accounts)[:-OPEN_ACCOUNTS]:
            if other not in self._busy:
                await self._accounts.pop(other).close()
        return account
