"""Lets go of a connection."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from uuid import UUID

from connectors.errors import ConnectorError
from connectors.oauth import OAuthConnector
from connectors.registry import get
from storage import connections, push_channels, tokens
from storage import disconnect as storage_disconnect
from storage.connections import Connection
from storage.database import Database
from storage.errors import StorageError
from storage.push_channels import PushChannel
from tasks.push import stop_all
from tasks.request_book import RequestBook
from tasks.stream_tables import tables_of
from tasks.tokens import session_for_tokens

REVOKE_SECONDS = 5.0

_log = logging.getLogger(__name__)


async def disconnect(db: Database, connection_id: UUID, *, purge: bool = False) -> Connection:
    """Running syncs are fenced off, the credentials are forgotten; the data is kept, or with *purge* gone for ever.

    What was granted by OAuth is revoked at the provider, unless another connection rests on it. A provider that does
    not answer does not keep the connection from ending. An API key belongs to the user: only its owner can revoke it.
    """
    held = await _grant(db, connection_id)
    connection = await storage_disconnect.disconnect(db, connection_id)
    channels = await push_channels.of_connection(db, connection_id)
    await push_channels.stopped(db, [channel.id for channel in channels])
    if held:
        await _let_go(db, connection, held, channels)
    if purge:
        await storage_disconnect.purge(db, connection_id, tables_of(connection.connector).values())
    return connection


async def _grant(db: Database, connection_id: UUID) -> Mapping[str, str]:
    """What opens the account; nothing when it is forgotten already, or no key here decrypts it."""
    connection = await connections.get(db, connection_id)
    if not isinstance(get(connection.connector), OAuthConnector):
        return {}
    try:
        return await connections.credentials(db, connection_id)
    except StorageError:
        return {}


async def _let_go(
    db: Database, connection: Connection, held: Mapping[str, str], channels: Sequence[PushChannel]
) -> None:
    """What the provider pushes is stopped, and then the grant is revoked, if no other connection rests on it."""
    connector = get(connection.connector)
    if not isinstance(connector, OAuthConnector):
        return
    try:
        async with asyncio.timeout(REVOKE_SECONDS), RequestBook(db) as book:

            async def renew(refused: Mapping[str, str]) -> Mapping[str, str]:
                return await connector.refresh(session_for_tokens(book, refused, connection))

            session = session_for_tokens(book, held, connection, renew=renew)
            if channels:
                async with connector.open(session) as client:
                    await stop_all(db, client, connection, channels)
            # Some revoke with the access token, which may have ended by itself.
            if not await tokens.shared(db, connection.id):
                await connector.revoke(session)
    except (ConnectorError, TimeoutError) as error:
        _log.warning("grant not revoked connection=%s reason=%s", connection.id, type(error).__name__)
