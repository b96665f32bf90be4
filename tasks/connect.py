"""Connects accounts: the credentials are tried at the provider first, then kept encrypted."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from connectors.errors import TryLater
from connectors.registry import get
from connectors.session import Session
from storage import connections
from tasks.first_request import FirstRequest
from tasks.request_book import RequestBook

if TYPE_CHECKING:
    from connectors.base import Account
    from storage.connections import Connection
    from storage.database import Database

TRY_SECONDS = 20.0
"""A person waits for the answer."""
NOT_NOW = "{provider} does not answer properly now, so nothing was connected. Try again in a few minutes."
"""Nobody tries again by itself, as a sync would."""


async def connect_api_key(
    db: "Database", connector: str, user_id: str, credentials: Mapping[str, str]
) -> "tuple[Connection, bool]":
    """The active connection of the account that these credentials open, and whether it is new.

    Raises a ConnectorError with a sentence for the user when the provider does not take them; nothing is kept then.
    """
    account = await _identify(db, connector, credentials)
    return await connections.upsert(
        db,
        connector=connector,
        user_id=user_id,
        account=account.external_account_id,
        name=account.name,
        mode=account.mode,
        scopes=[],
        credentials=dict(credentials),
        keep=_beside_the_key(connector),
    )


async def reconnect_api_key(db: "Database", connection_id: UUID, credentials: Mapping[str, str]) -> "Connection":
    """The same connection, active, with new credentials; Conflict when they open another account or mode."""
    connection = await connections.get(db, connection_id)
    account = await _identify(db, connection.connector, credentials)
    return await connections.reconnect(
        db,
        connection_id,
        account=account.external_account_id,
        name=account.name,
        mode=account.mode,
        scopes=[],
        credentials=dict(credentials),
        keep=_beside_the_key(connection.connector),
    )


def _beside_the_key(connector: str) -> Sequence[str]:
    """What stays as it is when a new key comes without it, such as the secret of a webhook endpoint."""
    return get(connector).credential_fields[1:]


async def _identify(db: "Database", name: str, credentials: Mapping[str, str]) -> "Account":
    connector = get(name)
    async with RequestBook(db) as book:
        session = Session(
            credentials=credentials,
            scope="",
            mode="live",
            throttle=FirstRequest(),
            record=book.page(None),
            deadline=time.monotonic() + TRY_SECONDS,
        )
        try:
            async with connector.open(session) as client:
                return await connector.identify(client)
        except TryLater as later:
            later.message = NOT_NOW
            raise
