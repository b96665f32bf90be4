"""Connects accounts whose users sign in at the provider: from the authorization to the connection."""

from uuid import UUID

from connectors.errors import ConnectorError, TryLater
from connectors.oauth import Attempt, Grant, OAuthConnector
from connectors.registry import get
from storage import connect_sessions, connections
from storage.connect_sessions import ConnectSession
from storage.connections import Connection
from storage.database import Database
from storage.errors import StorageError
from tasks.connect import NOT_NOW
from tasks.request_book import RequestBook
from tasks.tokens import session_for_tokens


async def begin(db: Database, token: str, browser: str, *, connector: OAuthConnector, redirect_uri: str) -> str:
    """The provider's address to which this browser is sent; the session is this browser's from here on.

    Raises SessionRefused, and Misconfigured before anything is changed.
    """
    connector.check_settings()
    begun = await connect_sessions.begin(db, token, browser, redirect_uri=redirect_uri, pkce=connector.pkce)
    return connector.authorize_url(Attempt(redirect_uri, begun.state, begun.verifier))


async def complete(db: Database, session: ConnectSession, code: str, state: str = "") -> tuple[Connection, bool]:
    """The active connection that the code stands for, and whether it is new; the session says what came of it.

    Raises a ConnectorError when the provider does not take the code, Conflict when a reconnect opened another account.
    Nothing is connected then.
    """
    connector = get(session.connector)
    if not isinstance(connector, OAuthConnector):
        raise TypeError(f"{session.connector} is not connected by OAuth")
    attempt = Attempt(session.redirect_uri or "", state, session.code_verifier())
    try:
        async with RequestBook(db) as book:
            grant = await connector.exchange(session_for_tokens(book, {}, None), attempt, code)
        connection, created = await keep(db, connector, session.user_id, grant, session.connection_id)
    except ConnectorError as error:
        if isinstance(error, TryLater):
            error.message = NOT_NOW
        await connect_sessions.finish(db, session.id, "failed", error=str(error), error_code=error.code)
        raise
    except StorageError as error:
        await connect_sessions.finish(db, session.id, "failed", error=str(error), error_code=error.code)
        raise
    await connect_sessions.finish(db, session.id, "connected", connection_id=connection.id)
    return connection, created


async def keep(
    db: Database, connector: OAuthConnector, user_id: str, grant: Grant, connection_id: UUID | None = None
) -> tuple[Connection, bool]:
    """The connection of what was granted, active. *connection_id*: reconnect that one, or Conflict."""
    account = grant.account
    if connection_id is not None:
        again = await connections.reconnect(
            db,
            connection_id,
            account=account.external_account_id,
            name=account.name,
            mode=account.mode,
            scopes=grant.scopes,
            credentials=grant.credentials,
            grant_key=connector.grant_key(account),
        )
        return again, False
    return await connections.upsert(
        db,
        connector=connector.name,
        user_id=user_id,
        account=account.external_account_id,
        name=account.name,
        mode=account.mode,
        scopes=grant.scopes,
        credentials=grant.credentials,
        grant_key=connector.grant_key(account),
    )
