"""Keeps push alive: what will end soon is renewed by a run of its connection, and told about when it cannot be."""

import logging
import time
from uuid import UUID

from connectors.registry import find_connectors
from storage import alerts, connections, push_channels
from storage.errors import StorageError
from tasks.push import EXPIRING
from tasks.requests import Request
from tasks.side_by_side import each
from tasks.sync_connection import sync_connection
from tasks.workshop import Workshop

AT_ONCE = 4

_log = logging.getLogger(__name__)
_NOT_RENEWED = (
    "{title} is about to stop telling us what changes in this account, and asking it to go on has failed. "
    "The account is polled meanwhile: `syncline status` says what is wrong."
)
_NEEDS_RECONNECT = (
    "{title} is about to stop telling us what changes in this account: it can be asked to go on only when the account "
    "has been connected again."
)


async def renew_push(workshop: Workshop) -> int:
    """How many connections had channels that end soon. Each was synced, which makes new ones first."""
    due: list[UUID] = []
    for name, connector in find_connectors().items():
        if connector.push:
            seconds = connector.push.renew_seconds
            due += await push_channels.expiring(workshop.db, name, seconds=seconds, states=["active"])
    deadline = time.monotonic() + workshop.settings.run_budget_seconds

    async def renew(connection_id: UUID) -> None:
        if time.monotonic() < deadline:  # the rest is renewed by its own syncs, or in an hour
            await _sync(workshop, connection_id)

    await each(due, renew, at_once=AT_ONCE)
    await _tell(workshop)
    return len(due)


async def _tell(workshop: Workshop) -> None:
    """An alert is open for each connection of which half of the time for renewing is over, and for no other."""
    open_for: set[UUID] = set()
    for name, connector in find_connectors().items():
        if connector.push is None:
            continue
        seconds = connector.push.renew_seconds / 2
        late = await push_channels.expiring(workshop.db, name, seconds=seconds, states=["active", "needs_reconnect"])
        for connection_id, state in late.items():
            sentence = _NEEDS_RECONNECT if state == "needs_reconnect" else _NOT_RENEWED
            await alerts.raise_once(workshop.db, EXPIRING, name, connection_id, sentence.format(title=connector.title))
        open_for |= late.keys()
    await alerts.clear_all_but(workshop.db, EXPIRING, open_for)


async def _sync(workshop: Workshop, connection_id: UUID) -> None:
    try:
        connection = await connections.get(workshop.db, connection_id)
    except StorageError:
        return  # purged meanwhile
    result = await sync_connection(workshop, connection, Request("incremental", "schedule"))
    _log.info("renewed connection=%s outcome=%s", connection_id, result.outcome)
