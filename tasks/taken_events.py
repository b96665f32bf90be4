"""Events that were taken from the inbox: applied, put off, or failed for now."""

import logging
from collections.abc import Sequence

import psycopg

from connectors.errors import ConnectorError, CursorExpired, RateLimited, Reconnect
from connectors.webhooks import Webhooks
from storage import connections, inbox
from storage.batch import StaleRead
from storage.connections import Connection
from storage.database import Database
from storage.errors import Fenced, StorageError
from storage.inbox import Taken
from tasks.apply_events import NOT_YET_SECONDS, NotYet, apply_events
from tasks.sync import Sync

TAKEN = 500
"""Events of one connection that are applied at once at most."""
EXPIRED_SECONDS = 60.0
"""The next incremental run reads such a stream in full; its events wait for that."""

_log = logging.getLogger(__name__)
_UNEXPECTED = "Something went wrong inside Syncline; the run's log in Prefect tells more."

NOT_ABOUT_EVENTS = (Fenced, StaleRead, StorageError, psycopg.Error)


async def apply_taken(
    sync: Sync, connection: Connection, webhooks: Webhooks, events: Sequence[Taken]
) -> ConnectorError | None:
    """What became of each event is noted. Back comes what concerns the connection as a whole.

    Raises only what is not about events, NOT_ABOUT_EVENTS: they are due again within a minute.
    """
    db, ids = sync.workshop.db, [event.id for event in events]
    try:
        outcome = await apply_events(sync, webhooks, events)
    except NOT_ABOUT_EVENTS:
        raise
    except ConnectorError as error:
        await put_back(db, connection, events, error)
        return error
    except NotYet:
        await inbox.put_off(db, ids, NOT_YET_SECONDS)
        return None
    except Exception:  # noqa: BLE001 -- one event that nobody foresaw stops no other; the log has it
        _log.exception("events failed connection=%s events=%d", connection.id, len(events))
        if len(events) == 1:
            await inbox.failed(db, ids, _UNEXPECTED, code="unexpected")
            return None
        middle = len(events) // 2
        first = await apply_taken(sync, connection, webhooks, events[:middle])
        return await apply_taken(sync, connection, webhooks, events[middle:]) or first
    for id_, why in outcome.failed.items():
        await inbox.failed(db, [id_], why.sentence, code=why.code)
    for id_, sentence in outcome.for_good.items():
        await inbox.failed(db, [id_], sentence, code="malformed_event", for_good=True)
    return None


async def put_back(db: Database, connection: Connection, events: Sequence[Taken], error: ConnectorError) -> None:
    """The events are tried again when that makes sense; a connection that needs its user says so."""
    ids = [event.id for event in events]
    match error:
        case Reconnect():
            since = connection.signed_in_at
            await connections.needs_reconnect(db, connection.id, error.code, str(error), signed_in_at=since)
            await inbox.put_off(db, ids, 0)
        case RateLimited():
            await inbox.put_off(db, ids, max(error.seconds or 0.0, 1.0))
        case CursorExpired():
            await inbox.put_off(db, ids, EXPIRED_SECONDS)
        case _:
            await inbox.failed(db, ids, str(error), code=error.code)


async def apply_own(sync: Sync) -> None:
    """What waits in the inbox for this connection is applied by its own run, as far as time allows."""
    connection, webhooks = sync.source.connection, sync.source.connector.webhooks
    if webhooks is None:
        return
    while not sync.source.out_of_time:
        events = await inbox.take(sync.workshop.db, limit=TAKEN, connection_id=connection.id)
        if not events:
            return
        error = await apply_taken(sync, connection, webhooks, events)
        if isinstance(error, Reconnect):
            raise error
