"""Raises and clears the alerts, and has Prefect tell people of each."""

import logging
from collections.abc import Sequence
from datetime import timedelta

import psycopg

from connectors.registry import find_connectors
from storage import alarms, alerts
from storage.alerts import Alert
from storage.database import Database
from storage.errors import StorageError

SCHEDULE = timedelta(minutes=15)
"""How often prefect.yaml has every active connection synced."""

_log = logging.getLogger(__name__)
_SERVER_ERRORS = (
    "{title} has failed to answer more than ten times within five minutes. Nothing is lost: syncs go on where they "
    "stopped once it is well again."
)


async def look_at(db: Database, service: str) -> None:
    """An alert is open if this service has failed too often of late, and Prefect has heard of it."""
    known = find_connectors()
    title = known[service].title if service in known else service
    if await alarms.look_for_server_errors(db, service, _SERVER_ERRORS.format(title=title)):
        await tell(db)


async def look_around(db: Database) -> int:
    """Alerts are open where somebody should look, and nowhere else; how many Prefect has heard of now."""
    await alarms.clear_what_healed(db, 2 * SCHEDULE)
    await alarms.look_for_stale(db, 2 * SCHEDULE)
    return await tell(db)


async def tell(db: Database) -> int:
    """Prefect has heard of every open alert, of each once; how many were new to it.

    With Prefect away they stay untold, and whoever comes next tells of them.
    """
    try:
        async with alerts.untold(db) as new:
            if new:
                await _send(new)
            return len(new)
    except (StorageError, psycopg.Error):
        raise
    except Exception as error:  # noqa: BLE001 -- of whatever kind: alerts stand in Postgres, and are told of later
        _log.warning("alerts not told error=%s", type(error).__name__)
        return 0


async def _send(new: Sequence[Alert]) -> None:
    """For automations: `syncline.alert.<kind>`, of a connection or of a connector."""
    # Commands connect accounts, and so write down requests, before they know where Prefect is.
    from prefect.events.clients import get_events_client  # noqa: PLC0415
    from prefect.events.schemas.events import Event, Resource  # noqa: PLC0415

    async with get_events_client(reconnection_attempts=0) as events:
        for alert in new:
            about = f"connection.{alert.connection_id}" if alert.connection_id else f"connector.{alert.service}"
            resource = {"prefect.resource.id": f"syncline.{about}", "prefect.resource.name": alert.service}
            payload = {
                "kind": alert.kind,
                "service": alert.service,
                "connection_id": str(alert.connection_id) if alert.connection_id else None,
                "sentence": alert.sentence,
                "raised_at": alert.raised_at.isoformat(),
            }
            name = f"syncline.alert.{alert.kind}"
            # With the alert's own id, the same one told twice is one.
            await events.emit(Event(id=alert.id, event=name, resource=Resource(resource), payload=payload))
