"""Keeps push alive: what will end soon is renewed by a run of its connection, and told about when it cannot be."""

import logging
from uuid import UUID

from connectors.registry import find_connectors
from storage import alerts, connections, push_channels
from storage.errors import StorageError
from tasks.requests import Request
from tasks.sync_connection import sync_connection
from tasks.workshop import Workshop

EXPIRING = "push_expiring"

_log = logging.getLogger(__name__)


async def renew_push(workshop: Workshop) -> int:
    """How many connections had channels that end soon. Each was synced, which makes new ones first."""
    due: set[UUID] = set()
    left: dict[UUID, str] = {}
    for name, connector in find_connectors().items():
        if connector.push is None:
            continue
        ending = await push_channels.expiring(workshop.db, name, seconds=connector.push.renew_seconds)
        for connection_id in {channel.connection_id for channel in ending}:
            due.add(connection_id)
            await _sync(workshop, connection_id)
        # Half of the time for renewing is over: somebody should look.
        for channel in await push_channels.expiring(workshop.db, name, seconds=connector.push.renew_seconds / 2):
            left[channel.connection_id] = (
                f"{connector.title} will stop telling us what changes in this account, and it could not be renewed. "
                "The account is polled meanwhile: look at its last sync's error."
            )
            await alerts.raise_once(workshop.db, EXPIRING, name, channel.connection_id, left[channel.connection_id])
    await alerts.clear_all_but(workshop.db, EXPIRING, left)
    return len(due)


async def _sync(workshop: Workshop, connection_id: UUID) -> None:
    try:
        connection = await connections.get(workshop.db, connection_id)
    except StorageError:
        return  # purged meanwhile
    result = await sync_connection(workshop, connection, Request("incremental", "schedule"))
    _log.info("renewed connection=%s outcome=%s", connection_id, result.outcome)
