"""Deliveries of a moment are looked up by one query and stored by one transaction.

Each is acknowledged once what was stored with it is committed.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from storage import inbox
from storage.database import Database
from storage.inbox import Arrival
from storage.webhook_targets import Target, targets
from web.webhooks.together import Together
from web.webhooks.waking import Waking


@dataclass(frozen=True, slots=True)
class Inbox:
    """Where deliveries go, and whom they may be for."""

    _targets: Together[UUID, Target | None]
    _stored: Together[Sequence[Arrival], bool]

    async def target(self, connection_id: UUID) -> Target | None:
        """That connection as it is now; None when there is none, or when it is disconnected."""
        return await self._targets.ask(connection_id)

    async def store(self, arrivals: Sequence[Arrival]) -> bool:
        """Whether they are in the inbox, committed; False when their connection has left meanwhile.

        Raises StorageError when they are not, or when nobody knows.
        """
        return await self._stored.ask(arrivals)


@asynccontextmanager
async def open_inbox(db: Database, waking: Waking) -> AsyncIterator[Inbox]:
    """For as long as the application lives."""
    async with Together(partial(targets, db)) as looked_up, Together(partial(_store, db, waking)) as stored:
        yield Inbox(looked_up, stored)


async def _store(db: Database, waking: Waking, asked: Sequence[Sequence[Arrival]]) -> list[bool]:
    arrivals = [arrival for its in asked for arrival in its]
    kept = iter(await inbox.store(db, arrivals))
    if any(arrival.status == "pending" for arrival in arrivals):
        waking.wake()
    return [True in [next(kept) for _ in its] for its in asked]
