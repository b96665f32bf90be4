"""Credentials that hold: renewed at the provider when they are about to end, or when they were refused."""

import asyncio
import logging
import time
from collections.abc import Mapping
from functools import partial
from uuid import UUID

from connectors.errors import ConnectorError, Reconnect, Unavailable
from connectors.oauth import OAuthConnector
from connectors.registry import get
from connectors.session import Renew, Session
from storage import connections, tokens
from storage.connections import Connection
from storage.database import Database
from storage.errors import StorageError
from tasks.first_request import FirstRequest
from tasks.request_book import RequestBook

RENEW_SECONDS = 10.0
LONGEST_RENEWAL = 25.0
"""Where a refresh token is good for one use, giving up an answer gives up the account, so a connector may wait longer
than ten seconds; but not as long as those who wait for the lock."""
SOON_SECONDS = 2 * 3600.0
"""Maintenance comes once an hour."""
IDLE_SECONDS = 600.0
"""As long as maintenance may take for this, when a provider answers slowly."""

_log = logging.getLogger(__name__)


async def credentials_of(
    db: Database, book: RequestBook, connection: Connection, refused: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """What opens the account, for at least as long as a run may take.

    Raises the ConnectorError that kept it from being renewed; Reconnect has marked the connection then.
    """
    connector = get(connection.connector)
    if not isinstance(connector, OAuthConnector):
        if refused is not None:
            raise Reconnect(connector.title)
        return await connections.credentials(db, connection.id)
    try:
        return await tokens.fresh(db, connection.id, partial(_renew, book, connector, connection), refused=refused)
    except tokens.CoolingDown:
        raise Unavailable(connector.title) from None
    except Reconnect as gone:
        since = connection.signed_in_at
        await connections.needs_reconnect(db, connection.id, gone.code, str(gone), signed_in_at=since)
        raise


async def _renew(
    book: RequestBook, connector: OAuthConnector, connection: Connection, held: Mapping[str, str]
) -> Mapping[str, str]:
    if not held.get("refresh_token"):
        raise Reconnect(connector.title)
    try:
        async with asyncio.timeout(LONGEST_RENEWAL):
            return await connector.refresh(session_for_tokens(book, held, connection))
    except TimeoutError:
        raise Unavailable(connector.title) from None


def session_for_tokens(
    book: RequestBook, held: Mapping[str, str], connection: Connection | None, *, renew: Renew | None = None
) -> Session:
    """A session for requests to where tokens come from, which have no limits of ours."""
    return Session(
        credentials=held,
        scope="",
        mode="live",
        throttle=FirstRequest(),
        record=book.page(connection.id if connection else None),
        deadline=time.monotonic() + RENEW_SECONDS,
        scopes=frozenset(connection.scopes) if connection else frozenset(),
        renew=renew,
    )


async def renew_idle(db: Database) -> int:
    """Grants that nothing has used for a while, or whose tokens end soon, are renewed; how many were.

    What there is no time for now, the next maintenance renews.
    """
    give_up = time.monotonic() + IDLE_SECONDS
    renewed = 0
    async with RequestBook(db) as book:
        for connection_id in await tokens.expiring(db, within_seconds=SOON_SECONDS):
            if time.monotonic() > give_up:
                break
            renewed += await _renew_one(db, book, connection_id)
    return renewed


async def _renew_one(db: Database, book: RequestBook, connection_id: UUID) -> bool:
    try:
        connection = await connections.get(db, connection_id)
        held = await connections.credentials(db, connection_id)
        await credentials_of(db, book, connection, refused=held)
    except (ConnectorError, StorageError) as error:
        _log.warning("token not renewed connection=%s code=%s", connection_id, error.code)
        return False
    return True
